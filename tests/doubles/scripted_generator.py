"""A generator that says what a test wrote down, and remembers what it was given and whether it was closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from app.core.types import Delta, FinishReason, Prompt, Usage


class ScriptedGenerator:
    """Yields its script, then a last delta; raises `error` after it, or waits for ever with `hangs`."""

    def __init__(self, script: Sequence[Delta | str], *, error: Exception | None = None, hangs: bool = False) -> None:
        self._script = script
        self._error = error
        self._hangs = hangs
        self.prompts: list[Prompt] = []
        self.closed = 0

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """One run of the script."""
        self.prompts.append(prompt)
        try:
            for piece in self._script:
                yield Delta(piece) if isinstance(piece, str) else piece
            if self._hangs:
                await asyncio.Event().wait()
            if self._error is not None:
                raise self._error
            yield Delta(finish_reason=FinishReason.STOP, usage=Usage(7, 3))
        finally:
            self.closed += 1
