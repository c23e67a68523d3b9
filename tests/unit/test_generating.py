"""Several answers side by side, and the next model when one does not say a word."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ModelNotFoundError, ProviderError
from app.core.generating import first_that_speaks, side_by_side
from app.core.ports import Generator, ModelChoice
from app.core.types import Attempt, Delta, Message, Prompt, Sampling
from tests.doubles.scripted_generator import ScriptedGenerator

PROMPT = Prompt("m", (Message("user", "Q?"),), "Q?", sampling=Sampling(seed=7))
SILENT = ProviderError("overloaded")


def model(name: str, generator: Generator) -> ModelChoice:
    return ModelChoice("test", name, generator)


async def told(
    models: Sequence[ModelChoice], choices: int = 1
) -> tuple[list[Delta], list[tuple[str, Attempt | None]], Exception | None]:
    """What is said, who was tried, and how it broke."""
    said: list[Delta] = []
    tried: list[tuple[str, Attempt | None]] = []
    stream = first_that_speaks(
        models, lambda each: PROMPT, choices, lambda each, failed: tried.append((each.id, failed))
    )
    try:
        async with contextlib.aclosing(stream) as deltas:
            async for delta in deltas:
                said.append(delta)
    except (ProviderError, ModelNotFoundError) as error:
        return said, tried, error
    return said, tried, None


@given(failing=st.integers(0, 3), absent=st.booleans())
async def test_the_first_that_speaks_is_the_one_after_all_that_failed(failing: int, absent: bool) -> None:
    error = ModelNotFoundError("gone") if absent else SILENT
    models = [model(f"m{n}", ScriptedGenerator([], error=error)) for n in range(failing)]
    said, tried, broken = await told([*models, model("good", ScriptedGenerator(["Yes."]))])
    assert "".join(delta.text for delta in said) == "Yes."
    assert tried == [
        *((each.id, Attempt(each.id, error.message)) for each in models),
        ("test/good", None),
    ]
    assert broken is None


async def test_after_the_first_word_no_other_model_is_asked() -> None:
    second = ScriptedGenerator(["never"])
    said, tried, broken = await told([model("a", ScriptedGenerator(["Half "], error=SILENT)), model("b", second)])
    assert [delta.text for delta in said] == ["Half "]
    assert (tried, broken, second.prompts) == ([("test/a", None)], SILENT, [])


async def test_when_none_speaks_the_last_ones_error_is_told() -> None:
    last = ProviderError("the last")
    models = [model("a", ScriptedGenerator([], error=SILENT)), model("b", ScriptedGenerator([], error=last))]
    said, tried, broken = await told(models)
    assert (said, broken) == ([], last)
    assert [failed and failed.error for _, failed in tried] == ["overloaded", "the last"]


async def test_every_choice_is_whole_and_has_a_seed_of_its_own() -> None:
    generator = ScriptedGenerator(["One ", "two."])
    deltas = [delta async for delta in side_by_side(generator, PROMPT, 3)]
    texts = {n: "".join(delta.text for delta in deltas if delta.choice == n) for n in range(3)}
    assert texts == dict.fromkeys(range(3), "One two.")
    assert sorted(prompt.sampling.seed or 0 for prompt in generator.prompts) == [7, 8, 9]
    assert generator.closed == 3


async def test_one_choice_that_breaks_ends_them_all() -> None:
    class Second:
        """Waits for ever, but for the second choice, which fails."""

        closed = 0

        async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
            try:
                if prompt.sampling.seed == 8:
                    raise SILENT
                yield Delta("a")
                await asyncio.Event().wait()
            finally:
                self.closed += 1

    generator = Second()

    async def listen() -> None:
        async with contextlib.aclosing(side_by_side(generator, PROMPT, 2)) as deltas:
            async for _ in deltas:
                pass

    with pytest.raises(ProviderError):
        await listen()
    assert generator.closed == 2


async def test_closing_it_midway_closes_every_choice() -> None:
    generator = ScriptedGenerator(["One"], hangs=True)
    async with contextlib.aclosing(side_by_side(generator, PROMPT, 3)) as deltas:
        await anext(deltas)
    assert generator.closed == len(generator.prompts)
