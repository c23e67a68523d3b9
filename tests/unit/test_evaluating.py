"""Answers are scored behind themselves, over real parts: what was asked for, kept with the trace, never disturbing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core.evaluating import FAILED, TOO_MANY, Evaluator
from app.core.metrics.meaning import EmbeddedMeaning
from app.core.metrics.registry import METRICS
from app.core.types import Ask, Caller, Completion, Json, Logging, Message
from tests.doubles.core_service import REFUSAL, CoreService, core_service
from tests.doubles.scripted_generator import ScriptedGenerator

ALL = tuple(METRICS)
TEXT = "The brushcutter needs a two-stroke mixture of 1 to 50."
QUESTION = "What mixture does the brushcutter need?"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[CoreService]:
    with core_service(tmp_path) as opened:
        asyncio.run(opened.ingest("tools.txt", TEXT))
        yield opened


def evaluator(service: CoreService, most_waiting: int = 9) -> Evaluator:
    return Evaluator(service.shelves.journal, service.embedder, service.executor, most_waiting)


async def completion(
    service: CoreService, said: str, metrics: tuple[int, ...] = ALL, question: str = QUESTION, **log: Any
) -> Completion:
    """A completion whose trace is kept, and which nobody follows yet."""
    repositories = tuple(each.id for each in await service.shelves.repositories.all(service.caller))
    ask = Ask(
        service.caller,
        (Message("user", question),),
        repository_ids=repositories,
        metrics=metrics,
        log=Logging(**log),
    )
    answer = await service.pipeline(ScriptedGenerator([said])).answer(ask)
    return Completion(ask, question, None, answer, 1250.0)


async def scores(service: CoreService, of: Completion) -> dict[str, Mapping[str, Json]]:
    trace = await service.shelves.journal.get(service.caller, of.answer.started.trace_id)
    return {score["name"]: score for score in trace.scores}


async def test_what_was_asked_for_is_kept_with_the_trace(service: CoreService) -> None:
    of = await completion(service, f"{TEXT} [1]", target="1 to 50")
    await evaluator(service).follow(of)
    kept = await scores(service, of)
    assert list(kept) == [metric.name for metric in METRICS.values()]
    values = {name: score["score"] for name, score in kept.items()}
    assert values["groundedness"] == values["citation_precision"] == values["citation_recall"] == 1
    assert values["context_hit"] == 1
    assert values["exact_match"] == 0
    assert values["latency"] == 1.25
    assert values["cost"] == 10  # ten tokens, at a dollar each
    assert 0 < values["answer_relevancy"] < 1
    assert kept["groundedness"]["id"] == 4
    assert all(score["reason"] for score in kept.values())


async def test_a_refusal_has_the_scores_that_apply(service: CoreService) -> None:
    of = await completion(service, "never said", question="zyxwv utsrq", target="1 to 50")
    assert of.answer.finished.text == REFUSAL
    await evaluator(service).follow(of)
    kept = await scores(service, of)
    assert kept["groundedness"]["score"] is None
    assert kept["groundedness"]["reason"] == "The question was refused."
    assert kept["context_hit"]["score"] == 0


async def test_nothing_asked_nothing_kept(service: CoreService) -> None:
    of = await completion(service, "That.", metrics=())
    await evaluator(service).follow(of)
    assert await scores(service, of) == {}


async def test_scores_say_nothing_of_what_is_to_be_omitted(service: CoreService) -> None:
    secret = "penguin"
    of = await completion(service, f"The {secret} needs it. [1]", omit_inputs=True, omit_outputs=True, target=secret)
    await evaluator(service).follow(of)
    trace = await service.shelves.journal.get(service.caller, of.answer.started.trace_id)
    assert len(trace.scores) == len(METRICS)
    assert secret not in repr(trace)


async def test_a_trace_that_is_not_kept_gets_no_scores(service: CoreService) -> None:
    of = await completion(service, "That.", sample_rate=0.0)
    await evaluator(service).follow(of)
    assert await service.shelves.journal.all(service.caller, 9) == []


async def test_answers_beyond_those_that_may_wait_say_so(service: CoreService) -> None:
    of = await completion(service, "That.", metrics=(1, 10))
    await evaluator(service, most_waiting=0).follow(of)
    assert {(score["score"], score["reason"]) for score in (await scores(service, of)).values()} == {(None, TOO_MANY)}


async def test_a_metric_that_fails_takes_no_other_along(service: CoreService, caplog: pytest.LogCaptureFixture) -> None:
    of = await completion(service, "That.", metrics=(3, 10))
    service.embedder.close()
    broken = replace(service, embedder=Broken())  # type: ignore[arg-type]
    with caplog.at_level(logging.WARNING):
        await evaluator(broken).follow(of)
    kept = await scores(service, of)
    assert (kept["answer_relevancy"]["score"], kept["answer_relevancy"]["reason"]) == (None, FAILED)
    assert kept["latency"]["score"] == 1.25
    assert "Metric 3 failed" in caplog.text


class Broken:
    """An embedder that cannot."""

    @property
    def tokenizer(self) -> Any:
        raise OSError("the model is gone")


class ClosedJournal:
    """A journal whose database is gone."""

    async def score(self, caller: Caller, trace_id: str, scores: Sequence[Mapping[str, Json]]) -> None:
        """Raises OSError."""
        raise OSError("the disk is full")


async def test_scores_that_cannot_be_kept_disturb_nobody(
    service: CoreService, caplog: pytest.LogCaptureFixture
) -> None:
    of = await completion(service, "That.")
    await Evaluator(ClosedJournal(), service.embedder, service.executor, 9).follow(of)
    assert "could not be kept" in caplog.text


async def test_an_experiment_is_settled_when_its_answers_have_their_scores(service: CoreService) -> None:
    run = evaluator(service)
    mine = [await completion(service, f"Answer {number}.", experiment_id="e-1") for number in range(3)]
    other = await completion(service, "That.", experiment_id="e-2")
    following = [asyncio.create_task(run.follow(each)) for each in (*mine, other)]
    await asyncio.sleep(0)  # each has begun
    await run.settled(service.caller, "e-1")
    assert [len(await scores(service, each)) for each in mine] == [len(METRICS)] * 3
    await asyncio.wait(following)
    await run.settled(service.caller, "e-1")


async def test_meaning_reads_texts_of_any_length_and_none(service: CoreService) -> None:
    meaning = EmbeddedMeaning(service.embedder)
    assert meaning.similarity("two-stroke mixture", ["two-stroke mixture", "penguins"]) == pytest.approx(1, abs=1e-5)
    assert meaning.similarity("mixture", []) == -1
    assert meaning.similarity("", ["mixture"]) == -1
    assert meaning.similarity("mixture", ["", " "]) == -1
    long = "two-stroke mixture " * 2000
    assert meaning.similarity(long, ["two-stroke mixture"]) > 0.9
