"""Experiments, and what is read of their traces."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from app.core.errors import ConflictError, NotFoundError
from app.core.experiments import ExperimentFilter, ExperimentStatus, NewExperiment, samples_of
from app.core.types import Caller
from tests.store.shelves import Shelves, trace

SCORE = {"name": "groundedness", "score": 0.5, "reason": "half"}


async def workspace(shelves: Shelves, name: str = "default") -> str:
    return (await shelves.workspaces.create_or_get(shelves.caller, name))[0].id


async def test_an_experiment_runs_and_ends(shelves: Shelves) -> None:
    where = await workspace(shelves)
    made = await shelves.experiments.create(shelves.caller, NewExperiment(where, "Greeting", "run-1", {"model": "m"}))
    assert (made.name, made.run_name, made.metadata) == ("Greeting", "run-1", {"model": "m"})
    assert (made.status, made.finished_at, made.dataset_stats) == (ExperimentStatus.RUNNING, None, ())
    assert await shelves.experiments.get(shelves.caller, made.id) == made
    ended = await shelves.experiments.finish(shelves.caller, made.id, ExperimentStatus.COMPLETED, [SCORE])
    assert ended.finished_at is not None
    assert ended.finished_at >= made.created_at
    assert (ended.status, ended.dataset_stats) == (ExperimentStatus.COMPLETED, (SCORE,))
    assert await shelves.experiments.get(shelves.caller, made.id) == ended


async def test_a_run_name_is_one_runs_also_when_two_begin_at_once(shelves: Shelves) -> None:
    here, there = await workspace(shelves), await workspace(shelves, "other")
    attempts = [shelves.experiments.create(shelves.caller, NewExperiment(here, "Greeting", "run")) for _ in range(4)]
    done = await asyncio.gather(*attempts, return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == [*["ConflictError"] * 3, "Experiment"]
    await shelves.experiments.create(shelves.caller, NewExperiment(here, "Farewell", "run"))
    await shelves.experiments.create(shelves.caller, NewExperiment(there, "Greeting", "run"))
    with pytest.raises(ConflictError) as refused:
        await shelves.experiments.create(shelves.caller, NewExperiment(there, "Greeting", "run"))
    assert refused.value.field == "run_name"


async def test_what_is_not_there_is_not_found(shelves: Shelves) -> None:
    with pytest.raises(NotFoundError):
        await shelves.experiments.create(shelves.caller, NewExperiment("no-such", "a", "b"))
    with pytest.raises(NotFoundError):
        await shelves.experiments.get(shelves.caller, "no-such")
    with pytest.raises(NotFoundError):
        await shelves.experiments.finish(shelves.caller, "no-such", ExperimentStatus.FAILED, [])
    with pytest.raises(NotFoundError):
        await shelves.experiments.find(shelves.caller, ExperimentFilter(), 9, "no-such")
    assert await shelves.experiments.figures(shelves.caller, ["no-such"]) == {"no-such": []}


async def test_experiments_are_found_by_every_part_of_a_filter(shelves: Shelves) -> None:
    here, there = await workspace(shelves), await workspace(shelves, "other")
    new = [
        NewExperiment(here, "A", "1", {"data": "x", "k": "2"}),
        NewExperiment(here, "A", "2", {"data": "y"}),
        NewExperiment(there, "B", "1", {"data": "x"}),
    ]
    a1, a2, b1 = [await shelves.experiments.create(shelves.caller, each) for each in new]

    async def found(**wanted: object) -> list[str]:
        each = await shelves.experiments.find(shelves.caller, ExperimentFilter(**wanted), 9)  # type: ignore[arg-type]
        return [experiment.id for experiment in each]

    assert await found() == [b1.id, a2.id, a1.id]
    assert await found(workspace_id=here) == [a2.id, a1.id]
    assert await found(name="A") == [a2.id, a1.id]
    assert await found(run_name="1") == [b1.id, a1.id]
    assert await found(metadata={"data": "x"}) == [b1.id, a1.id]
    assert await found(metadata={"data": "x", "k": 2}) == [a1.id]
    assert await found(metadata={"penguin": "x"}) == []
    assert await found(ids=(a2.id, "no-such")) == [a2.id]
    assert await found(ids=()) == []
    pages = [await shelves.experiments.find(shelves.caller, ExperimentFilter(), 2)]
    pages.append(await shelves.experiments.find(shelves.caller, ExperimentFilter(), 2, pages[0][-1].id))
    assert [each.id for page in pages for each in page] == [b1.id, a2.id, a1.id]


async def test_figures_are_those_of_the_traces(shelves: Shelves) -> None:
    where = await workspace(shelves)
    one, other = [
        (await shelves.experiments.create(shelves.caller, NewExperiment(where, "A", name))).id for name in "12"
    ]
    root = replace(trace("root", 1.0), experiment_id=one, scores=(SCORE,))
    part = replace(
        trace("part", 2.0),
        experiment_id=one,
        parent_id="root",
        root_id="root",
        prompt_tokens=3,
        completion_tokens=2,
        cost=0.5,
    )
    elsewhere = replace(trace("elsewhere"), experiment_id=other)
    for each in (part, root, elsewhere, trace("nobody's")):
        await shelves.journal.record(shelves.caller, each, None)
    figures = await shelves.experiments.figures(shelves.caller, [one, other])
    assert [each.id for each in figures[one]] == ["root", "part"]
    assert [each.id for each in figures[other]] == ["elsewhere"]
    (sample,) = samples_of(figures[one])
    assert (sample.id, sample.latency_s, sample.prompt_tokens, sample.cost) == ("root", 0.0025, 3, 0.5)
    assert sample.scores == (SCORE,)
    stranger = Caller((await shelves.projects.create(Caller(1), "stranger")).id)
    assert await shelves.experiments.figures(stranger, [one]) == {one: []}
