"""Traces are found by what they say, on both databases alike, and shown in the trees they stand in."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from app.core.errors import InvalidRequestError, NotFoundError
from app.core.trace_logs import LogPart
from app.core.trace_query import Field, Operator, TraceFilter, TraceQuery, TraceTree
from app.core.types import Caller
from tests.store.shelves import Shelves, trace


async def keep(shelves: Shelves, trace_id: str, detail: Mapping[str, Any] | None = None, **columns: Any) -> str:
    """A kept completion."""
    record = replace(trace(trace_id), detail=dict(detail or {}), **{"root_id": trace_id, **columns})
    await shelves.journal.record(shelves.caller, record, None)
    return trace_id


async def found(shelves: Shelves, query: TraceQuery) -> list[str]:
    """Ids, sorted."""
    return sorted(each.id for each in (await shelves.trace_search.search(shelves.caller, query)).traces)


@pytest.fixture
async def two(shelves: Shelves) -> Shelves:
    """A cheap fast trace that went well, and a dear slow one that failed."""
    await keep(
        shelves,
        "cheap",
        {
            "tags": ["weather", 'a "quoted" tag'],
            "metadata": {"who": "ann"},
            "inputs": {"city": "Oslo"},
            "answer": "Wet",
        },
        name="llm-openai",
        cost=0.25,
        prompt_tokens=3,
        completion_tokens=4,
        created_at=10.0,
        scores=({"name": "tone", "score": 0.2, "reason": None},),
    )
    await keep(
        shelves,
        "dear",
        {"tags": [], "metadata": {"who": "bob", "more": "x"}, "error": "50% off_by one"},
        outcome="error",
        cost=2.0,
        user="bob",
        created_at=20.0,
        scores=({"name": "tone", "score": 0.9}, {"name": "other", "score": 0.1}),
    )
    return shelves


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (TraceFilter(Field.ID, Operator.EQUALS, ("cheap",)), ["cheap"]),
        (TraceFilter(Field.ID, Operator.IN, ("cheap", "dear", "none")), ["cheap", "dear"]),
        (TraceFilter(Field.NAME, Operator.LIKE, ("OPENAI",)), ["cheap"]),
        (TraceFilter(Field.NAME, Operator.NOT_EQUALS, ("llm-openai",)), ["dear"]),
        (TraceFilter(Field.NAME, Operator.IS_NULL), ["dear"]),
        (TraceFilter(Field.NAME, Operator.EXISTS), ["cheap"]),
        (TraceFilter(Field.USER, Operator.EQUALS, ("bob",)), ["dear"]),
        (TraceFilter(Field.COST, Operator.GREATER, (0.25,)), ["dear"]),
        (TraceFilter(Field.COST, Operator.GREATER_OR_EQUAL, (0.25,)), ["cheap", "dear"]),
        (TraceFilter(Field.COST, Operator.LESS, (2.0,)), ["cheap"]),
        (TraceFilter(Field.COST, Operator.LESS_OR_EQUAL, (2.0,)), ["cheap", "dear"]),
        (TraceFilter(Field.TOTAL_TOKENS, Operator.EQUALS, (7.0,)), ["cheap"]),
        (TraceFilter(Field.TAGS, Operator.EQUALS, ("weather",)), ["cheap"]),
        (TraceFilter(Field.TAGS, Operator.EQUALS, ('a "quoted" tag',)), ["cheap"]),
        (TraceFilter(Field.TAGS, Operator.LIKE, ("weat",)), ["cheap"]),
        (TraceFilter(Field.TAGS, Operator.NOT_EQUALS, ("weather",)), ["dear"]),
        (TraceFilter(Field.TAGS, Operator.IS_NULL), ["dear"]),
        (TraceFilter(Field.METADATA, Operator.EQUALS, ("ann",), "who"), ["cheap"]),
        (TraceFilter(Field.METADATA, Operator.EXISTS, (), "more"), ["dear"]),
        (TraceFilter(Field.INPUTS, Operator.LIKE, ("osl",), "city"), ["cheap"]),
        (TraceFilter(Field.ANSWER, Operator.EQUALS, ("Wet",)), ["cheap"]),
        (TraceFilter(Field.ERROR, Operator.LIKE, ("% off_by",)), ["dear"]),
        (TraceFilter(Field.ERROR, Operator.LIKE, ("%y",)), []),
        (TraceFilter(Field.SCORES, Operator.GREATER, (0.5,), "tone"), ["dear"]),
        (TraceFilter(Field.SCORES, Operator.LESS, (0.5,), "tone"), ["cheap"]),
        (TraceFilter(Field.SCORES, Operator.EXISTS, (), "other"), ["dear"]),
    ],
    ids=lambda each: f"{each.field}-{each.operator}" if isinstance(each, TraceFilter) else "",
)
async def test_a_filter_finds_what_it_says(two: Shelves, asked: TraceFilter, expected: list[str]) -> None:
    assert await found(two, TraceQuery(filter=asked)) == expected


async def test_time_failure_and_workspace_narrow_the_search(two: Shelves) -> None:
    assert await found(two, TraceQuery(since=20.0)) == ["dear"]
    assert await found(two, TraceQuery(failed=True)) == ["dear"]
    assert await found(two, TraceQuery(failed=False)) == ["cheap"]
    workspace, _ = await two.workspaces.create_or_get(two.caller, "apart")
    await keep(two, "apart", workspace_id=workspace.id, experiment_id="e1")
    assert await found(two, TraceQuery(workspace_id=workspace.id)) == ["apart"]
    assert await found(two, TraceQuery(experiment_id="e1")) == ["apart"]


async def test_pages_together_are_all_that_is_found_newest_first(shelves: Shelves) -> None:
    for number in range(7):
        await keep(shelves, f"t{number}", created_at=float(number // 2))
    pages = [await shelves.trace_search.search(shelves.caller, TraceQuery(limit=3, skip=skip)) for skip in (0, 3, 6)]
    assert {page.total for page in pages} == {7}
    ids = [each.id for page in pages for each in page.traces]
    assert ids == ["t6", "t4", "t5", "t2", "t3", "t0", "t1"]


def shape(tree: TraceTree) -> Any:
    """Ids, nested."""
    return {tree.trace.id: [shape(each) for each in tree.children]}


async def test_a_tree_is_its_parts_in_order_and_orphans_stand_under_the_root(shelves: Shelves) -> None:
    await keep(shelves, "root", created_at=1.0)
    await keep(shelves, "late", created_at=4.0, parent_id="root", root_id="root")
    await keep(shelves, "early", created_at=2.0, parent_id="root", root_id="root")
    await keep(shelves, "inner", created_at=3.0, parent_id="early", root_id="root")
    await keep(shelves, "orphan", created_at=5.0, parent_id="never written", root_id="root")
    await keep(shelves, "elsewhere", created_at=6.0)
    tree = await shelves.trace_search.tree(shelves.caller, "root", 99)
    assert shape(tree) == {"root": [{"early": [{"inner": []}]}, {"late": []}, {"orphan": []}]}
    part = await shelves.trace_search.tree(shelves.caller, "early", 99)
    assert shape(part) == {"early": [{"inner": []}]}
    assert await found(shelves, TraceQuery(roots_only=True)) == ["elsewhere", "orphan", "root"]
    cut = await shelves.trace_search.tree(shelves.caller, "root", 2)
    assert shape(cut) == {"root": [{"early": []}]}


async def test_a_circle_of_parents_is_cut(shelves: Shelves) -> None:
    await keep(shelves, "a", parent_id="b", root_id="a")
    await keep(shelves, "b", parent_id="a", root_id="a")
    assert shape(await shelves.trace_search.tree(shelves.caller, "a", 99)) == {"a": [{"b": []}]}


async def test_a_log_grows_part_by_part(shelves: Shelves) -> None:
    log = str(uuid.uuid4())
    first = LogPart(log, {"name": "step", "scores": ({"name": "tone", "score": 0.1},)}, {"inputs": {"a": 1}})
    await shelves.trace_logs.write(shelves.caller, [first])
    await shelves.trace_logs.change(shelves.caller, LogPart(log, {"scores": ({"name": "tone", "score": 0.9},)}))
    await shelves.trace_logs.write(shelves.caller, [LogPart(log, {"parent_id": "p"}, {"answer": "yes"})])
    kept = await shelves.journal.get(shelves.caller, log)
    assert (kept.kind, kept.name, kept.parent_id, kept.root_id) == ("log", "step", "p", "p")
    assert kept.detail == {"inputs": {"a": 1}, "answer": "yes"}
    assert kept.scores == ({"name": "tone", "score": 0.9},)


async def test_what_a_completion_did_cannot_be_changed_and_nothing_is_half_written(shelves: Shelves) -> None:
    await keep(shelves, "made", {"answer": "No."})
    beside = LogPart("beside", {"name": "x"})
    with pytest.raises(InvalidRequestError, match="answer"):
        await shelves.trace_logs.write(shelves.caller, [beside, LogPart("made", {}, {"answer": "Yes."})])
    with pytest.raises(NotFoundError):
        await shelves.journal.get(shelves.caller, "beside")
    await shelves.trace_logs.change(shelves.caller, LogPart("made", {"name": "mine"}, {"tags": ["seen"]}))
    kept = await shelves.journal.get(shelves.caller, "made")
    assert (kept.kind, kept.name, kept.detail) == ("completion", "mine", {"answer": "No.", "tags": ["seen"]})


async def test_a_tree_is_dropped_whole_and_alone(shelves: Shelves) -> None:
    for each, root in (("r", "r"), ("c", "r"), ("other", "other")):
        await keep(shelves, each, root_id=root)
    assert await shelves.trace_logs.drop_tree(shelves.caller, "r") == 2
    assert await found(shelves, TraceQuery()) == ["other"]


async def test_another_project_finds_changes_and_drops_nothing(shelves: Shelves) -> None:
    await keep(shelves, "mine")
    workspace, new = await shelves.workspaces.create_or_get(shelves.caller, "w")
    other = Caller((await shelves.projects.create(Caller(1), "other")).id)
    assert (await shelves.trace_search.search(other, TraceQuery())).total == 0
    assert await shelves.trace_logs.drop_tree(other, "mine") == 0
    for attempt in (
        shelves.trace_search.tree(other, "mine", 9),
        shelves.trace_logs.change(other, LogPart("mine", {"name": "stolen"})),
        shelves.workspaces.get(other, workspace.id),
    ):
        with pytest.raises(NotFoundError):
            await attempt
    await shelves.trace_logs.write(other, [LogPart("mine", {"name": "a log of its own"})])
    assert (await shelves.journal.get(shelves.caller, "mine")).name is None
    mine = await shelves.journal.get(shelves.caller, "mine")
    assert await shelves.trace_search.trees(other, [mine], 9) != []
    assert (await shelves.trace_search.trees(other, [mine], 9))[0].children == ()
    assert new
    assert (await shelves.workspaces.create_or_get(shelves.caller, "w")) == (workspace, False)
    assert (await shelves.workspaces.create_or_get(other, "w"))[1]
    assert await shelves.workspaces.find(other, "never") is None
