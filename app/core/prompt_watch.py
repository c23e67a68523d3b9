"""Tells a listener of a saved prompt's present version, and of each that takes its place."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from app.core.errors import NotFoundError
from app.core.library import PromptVersion
from app.core.shelves import PromptShelf
from app.core.types import Caller

POLL_S = 1.0  # one row by its key; other processes' changes are seen as well
QUIET_S = 15.0  # proxies close connections on which nothing is said


@dataclass(frozen=True, slots=True)
class PromptWatch:
    """Looks at most once a second for each listener; `stopping` ends all listening."""

    prompts: PromptShelf
    stopping: asyncio.Event

    async def watch(
        self, caller: Caller, prompt: str, number: int | None = None, tag: str | None = None
    ) -> AsyncGenerator[PromptVersion | None, None]:
        """The version now and each that takes its place; None after each QUIET_S without one.

        Raises NotFoundError when there is none now; ends when there is none any more.
        """
        seen = await self.prompts.get(caller, prompt, number, tag)
        yield seen
        quiet = 0.0
        while not await self._stops_within(POLL_S):
            quiet += POLL_S
            try:
                # By its id from now on: another prompt that takes its name is not a new version of it.
                found = await self.prompts.get(caller, seen.prompt_id, number, tag)
            except NotFoundError:
                return
            if found != seen or quiet >= QUIET_S:
                yield found if found != seen else None
                seen, quiet = found, 0.0

    async def _stops_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)
        return self.stopping.is_set()
