"""Numbers of turns that are being answered: of one thread, no two are told the same."""

from __future__ import annotations


class TurnNumbers:
    """What this process has promised; belongs to one event loop. Other processes' promises it does not see."""

    def __init__(self) -> None:
        self._promised: dict[str, set[int]] = {}

    def promise(self, thread_id: str, last: int) -> int:
        """The next number after the thread's `last` and after those promised already; `forget` it in any case."""
        held = self._promised.setdefault(thread_id, set())
        number = max(last, *held, 0) + 1
        held.add(number)
        return number

    def forget(self, thread_id: str, number: int) -> None:
        """The turn is kept, or never will be."""
        held = self._promised.get(thread_id, set())
        held.discard(number)
        if not held:
            self._promised.pop(thread_id, None)
