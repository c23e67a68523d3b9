"""Asks a provider again, but only before its first word: nothing is ever said twice."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from app.core.types import Delta, Prompt
from app.providers.retry import Failure, ModelLimits, retry_delay


class AttemptError(Exception):
    """An attempt failed; never leaves this folder."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.error.message)


class Attempt(Protocol):
    """One request and the reading of its stream."""

    async def advance(self) -> Delta | None:
        """The next Delta, None after the last; raises AttemptError."""
        ...

    def last(self) -> Delta:
        """The closing Delta: finish reason and usage."""
        ...

    async def aclose(self) -> None:
        """Ends the request; the provider sees the connection close."""
        ...


async def speak(
    open_attempt: Callable[[Prompt], Attempt], prompt: Prompt, limits: ModelLimits
) -> AsyncGenerator[Delta, None]:
    """The answer of the first attempt that says something; raises the AppError of the last one.

    Closing the generator closes the provider's connection.
    """
    attempt, delta = await _begin(open_attempt, prompt, limits)
    try:
        while delta is not None:
            yield delta
            delta = await attempt.advance()
        yield attempt.last()
    except AttemptError as broken:
        raise broken.failure.error from None
    finally:
        await attempt.aclose()


async def _begin(
    open_attempt: Callable[[Prompt], Attempt], prompt: Prompt, limits: ModelLimits
) -> tuple[Attempt, Delta | None]:
    """The first attempt that says something, and what it says; None for an answer without a word."""
    for number in itertools.count():
        attempt = open_attempt(prompt)
        try:
            return attempt, await attempt.advance()
        except AttemptError as failed:
            await attempt.aclose()
            delay = retry_delay(failed.failure, number, limits)
            if delay is None:
                # Not chained: the vendor's exception holds the request, and with it the key.
                raise failed.failure.error from None
        except BaseException:
            await attempt.aclose()
            raise
        # Spread out, so that requests refused together do not come back together.
        await asyncio.sleep(delay * random.uniform(1.0, 1.25))  # noqa: S311
    raise AssertionError("unreachable")
