"""Where an answer in a format cannot be, what is said instead is marked: it is no misfit, and never passes for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import ProviderError
from app.core.types import Ask, Caller, Delta, Message
from tests.doubles.core_service import REFUSAL, CoreService, core_service
from tests.doubles.scripted_generator import ScriptedGenerator

JSON = {"type": "json_object"}
UNKNOWN = "Quel est le prix du caviar?"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[CoreService]:
    with core_service(tmp_path) as running:
        yield running


def ask(**changes: object) -> Ask:
    given: dict[str, object] = {"caller": Caller(1), "messages": (Message("user", UNKNOWN),), "repository_ids": ()}
    return Ask(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("wanted", [None, {"type": "text"}, JSON])
async def test_without_evidence(service: CoreService, wanted: dict[str, str] | None) -> None:
    await service.ingest("loans.txt", "A pressure washer may be borrowed for three days.")
    finished = (
        await service.pipeline(ScriptedGenerator(["never"])).answer(
            ask(repository_ids=(1,), similarity_threshold=1.0, response_format=wanted, choices=2)
        )
    ).finished
    assert finished.refused
    assert [choice.text for choice in finished.choices] == [REFUSAL, REFUSAL]
    assert {choice.refusal for choice in finished.choices} == {wanted == JSON}


async def test_the_models_own(service: CoreService) -> None:
    flow = service.pipeline(ScriptedGenerator([Delta("I will ", refusal=True), Delta("not.", refusal=True)]))
    for _ in ("said", "said again"):
        finished = (await flow.answer(ask(response_format=JSON, cache=True))).finished
        assert (finished.text, finished.refusal, finished.refused) == ("I will not.", True, False)
    assert finished.cached


async def test_the_same_words_without_the_mark_are_a_misfit(service: CoreService) -> None:
    flow = service.pipeline(ScriptedGenerator(["I will not."]))
    with pytest.raises(ProviderError) as caught:
        await flow.answer(ask(response_format=JSON))
    assert (caught.value.field, caught.value.passing) == ("response_format", False)
