"""Traces by when they were made, by whom, and of what kind, on both databases alike."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from app.core.trace_query import TraceQuery
from app.core.types import Caller
from tests.store.shelves import Shelves, trace


@pytest.fixture
async def four(shelves: Shelves) -> list[str]:
    """Completions of the admin's and of a key's, one log, and one whose key is not known to be anybody's."""
    made = [str(uuid.uuid4()) for _ in range(4)]
    records = [
        replace(trace(made[0], 10.0), detail={"key_id": None}),
        replace(trace(made[1], 20.0), detail={"key_id": 7}),
        replace(trace(made[2], 30.0), kind="log", detail={}),
        replace(trace(made[3], 40.0), detail={"key_id": 0}),
    ]
    for record in records:
        await shelves.journal.record(shelves.caller, record, None)
    return made


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (TraceQuery(), [3, 2, 1, 0]),
        (TraceQuery(oldest_first=True), [0, 1, 2, 3]),
        (TraceQuery(oldest_first=True, limit=1), [0]),
        (TraceQuery(kind="completion"), [3, 1, 0]),
        (TraceQuery(kind="log"), [2]),
        (TraceQuery(since=20.0, until=40.0), [2, 1]),
        (TraceQuery(until=10.0), []),
        (TraceQuery(by_admin=True), [0]),
        (TraceQuery(by_admin=True, since=11.0), []),
    ],
)
async def test_they_are_found(shelves: Shelves, four: list[str], query: TraceQuery, found: list[int]) -> None:
    page = await shelves.trace_search.search(shelves.caller, query)
    assert [each.id for each in page.traces] == [four[number] for number in found]
    assert page.total == (len(found) if query.limit > 1 else len(four))
    other = Caller((await shelves.projects.create(Caller(1), "other")).id)
    assert (await shelves.trace_search.search(other, query)).traces == ()
