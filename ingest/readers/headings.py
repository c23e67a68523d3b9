"""Keeps track of which headings a block stands under."""

from __future__ import annotations


class HeadingTrail:
    """The headings above the present place, outermost first."""

    def __init__(self) -> None:
        self._trail: list[tuple[int, str]] = []

    @property
    def path(self) -> tuple[str, ...]:
        """The texts of the open headings."""
        return tuple(text for _, text in self._trail)

    def enter(self, level: int, text: str) -> tuple[str, ...]:
        """Closes the headings of this level (1 is the outermost) and below, opens this one; returns the path."""
        while self._trail and self._trail[-1][0] >= level:
            self._trail.pop()
        self._trail.append((level, text))
        return self.path
