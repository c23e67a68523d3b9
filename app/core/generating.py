"""Calls models: several answers side by side, and the next model when one does not say a word."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

from app.core.errors import ModelNotFoundError, ProviderError
from app.core.ports import Generator, ModelChoice
from app.core.types import Attempt, Delta, Prompt


async def first_that_speaks(
    models: Sequence[ModelChoice],
    prompt_for: Callable[[ModelChoice], Prompt],
    choices: int,
    attempted: Callable[[ModelChoice, Attempt | None], None],
) -> AsyncGenerator[Delta, None]:
    """The answers of the first model that begins one; raises the last one's error when none does.

    `attempted` is told of each model that failed before its first word, and (with None) of the one that speaks.
    After the first Delta an error is the completion's: nothing is ever said twice.
    """
    for model in models:
        async with contextlib.aclosing(side_by_side(model.generator, prompt_for(model), choices)) as deltas:
            try:
                first = await anext(deltas)
            except (ProviderError, ModelNotFoundError) as error:
                attempted(model, Attempt(model.id, error.message))
                if model is models[-1]:
                    raise
                continue
            attempted(model, None)
            yield first
            async for delta in deltas:
                yield delta
            return


async def side_by_side(generator: Generator, prompt: Prompt, choices: int) -> AsyncGenerator[Delta, None]:
    """The deltas of `choices` answers as they come, each marked with its choice; with a seed, choice i has seed + i."""
    if choices == 1:
        async with contextlib.aclosing(generator.stream(prompt)) as deltas:
            async for delta in deltas:
                yield delta
        return
    spoken: asyncio.Queue[Delta | Exception | None] = asyncio.Queue(choices)

    async def listen(choice: int) -> None:
        try:
            async with contextlib.aclosing(generator.stream(_seeded(prompt, choice))) as deltas:
                async for delta in deltas:
                    await spoken.put(replace(delta, choice=choice))
        except Exception as error:
            await spoken.put(error)
        else:
            await spoken.put(None)

    listening = [asyncio.create_task(listen(choice)) for choice in range(choices)]
    try:
        speaking = choices
        while speaking:
            said = await spoken.get()
            if isinstance(said, Exception):
                raise said
            if said is None:
                speaking -= 1
            else:
                yield said
    finally:
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


def _seeded(prompt: Prompt, choice: int) -> Prompt:
    seed = prompt.sampling.seed
    if seed is None or choice == 0:
        return prompt
    return replace(prompt, sampling=replace(prompt.sampling, seed=seed + choice))
