"""Traces and turns are kept together, in order, and whatever happens at the same time."""

from __future__ import annotations

import asyncio
import traceback
import uuid
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import NotFoundError, UnavailableError
from app.core.types import Caller
from app.store.engine import Database
from app.store.threads import REMEMBERED
from tests.store.shelves import Shelves, trace, turn


async def test_a_new_session_leaves_nothing_behind_until_its_first_turn(shelves: Shelves) -> None:
    first = await shelves.threads.open(shelves.caller, "chat")
    second = await shelves.threads.open(shelves.caller, "chat")
    assert first.thread_id != second.thread_id
    assert first.turns == second.turns == ()
    assert first.last == 0


async def test_turns_are_numbered_from_1_in_their_thread(shelves: Shelves) -> None:
    for number in (1, 2, 3):
        state = await shelves.threads.open(shelves.caller, "chat")
        assert state.last == number - 1
        record = trace(str(uuid.uuid4()))
        await shelves.journal.record(shelves.caller, record, turn(state.thread_id, "chat", f"question {number}"))
    state = await shelves.threads.open(shelves.caller, "chat")
    assert [(each.number, each.question) for each in state.turns] == [
        (1, "question 1"),
        (2, "question 2"),
        (3, "question 3"),
    ]


async def test_only_the_newest_turns_are_brought_back_and_the_number_goes_on(shelves: Shelves) -> None:
    for _ in range(REMEMBERED + 2):
        state = await shelves.threads.open(shelves.caller, "long")
        await shelves.journal.record(shelves.caller, trace(str(uuid.uuid4())), turn(state.thread_id, "long"))
    state = await shelves.threads.open(shelves.caller, "long")
    assert [each.number for each in state.turns] == list(range(3, REMEMBERED + 3))
    assert state.last == REMEMBERED + 2


@pytest.mark.parametrize("opened_before", [0, 1])
async def test_turns_at_the_same_time_get_different_numbers_in_one_thread(shelves: Shelves, opened_before: int) -> None:
    for _ in range(opened_before):
        state = await shelves.threads.open(shelves.caller, "busy")
        await shelves.journal.record(shelves.caller, trace(str(uuid.uuid4())), turn(state.thread_id, "busy"))

    async def ask() -> None:
        state = await shelves.threads.open(shelves.caller, "busy")
        await shelves.journal.record(shelves.caller, trace(str(uuid.uuid4())), turn(state.thread_id, "busy"))

    await asyncio.gather(*(ask() for _ in range(12)))
    state = await shelves.threads.open(shelves.caller, "busy")
    assert [each.number for each in state.turns] == list(range(1, 13 + opened_before))


async def test_the_traces_of_turns_that_begin_a_session_together_are_all_in_its_thread(shelves: Shelves) -> None:
    begun = [await shelves.threads.open(shelves.caller, "both") for _ in range(2)]
    records = [
        replace(trace(str(uuid.uuid4())), thread_id=state.thread_id, detail={"thread_id": state.thread_id})
        for state in begun
    ]
    for state, record in zip(begun, records, strict=True):
        await shelves.journal.record(shelves.caller, record, turn(state.thread_id, "both"))
    thread_id = (await shelves.threads.open(shelves.caller, "both")).thread_id
    kept = [await shelves.journal.get(shelves.caller, record.id) for record in records]
    assert [(each.thread_id, each.detail["thread_id"]) for each in kept] == [(thread_id, thread_id)] * 2


async def test_anonymous_turns_are_threads_of_their_own(shelves: Shelves) -> None:
    for _ in range(2):
        state = await shelves.threads.open(shelves.caller, None)
        assert state.last == 0
        await shelves.journal.record(shelves.caller, trace(str(uuid.uuid4())), turn(state.thread_id, None))


async def test_users_and_projects_have_their_own_sessions(shelves: Shelves) -> None:
    other = (await shelves.projects.create(Caller(1), "other")).id
    callers = [shelves.caller, shelves.as_user("ann"), Caller(other), Caller(other, user="ann")]
    for caller in callers:
        state = await shelves.threads.open(caller, "same name")
        assert state.turns == ()
        await shelves.journal.record(caller, trace(str(uuid.uuid4())), turn(state.thread_id, "same name"))


async def test_traces_come_newest_first_and_page_by_page(shelves: Shelves) -> None:
    ids = [str(uuid.uuid4()) for _ in range(5)]
    for at, trace_id in enumerate(ids):
        await shelves.journal.record(shelves.caller, trace(trace_id, float(at)), None)
    page = await shelves.journal.all(shelves.caller, 2)
    rest = await shelves.journal.all(shelves.caller, 9, before=page[-1].id)
    assert [each.id for each in (*page, *rest)] == ids[::-1]
    assert await shelves.journal.get(shelves.caller, ids[0]) == trace(ids[0], 0.0)


async def test_a_trace_that_cannot_be_kept_keeps_its_turn_back_too(shelves: Shelves) -> None:
    impossible = replace(trace(str(uuid.uuid4())), model=None)  # type: ignore[arg-type]
    state = await shelves.threads.open(shelves.caller, "chat")
    with pytest.raises(Exception, match=r"(?i)not.null"):
        await shelves.journal.record(shelves.caller, impossible, turn(state.thread_id, "chat"))
    assert (await shelves.threads.open(shelves.caller, "chat")).turns == ()


async def test_an_error_does_not_repeat_what_was_to_be_kept(database: Database) -> None:
    impossible = text("SELECT :said FROM nowhere")
    with pytest.raises((SQLAlchemyError, UnavailableError)) as failed:
        await database.read(lambda connection: connection.execute(impossible, {"said": "between us"}))
    said = "".join(traceback.format_exception(failed.value))
    assert "nowhere" in said
    assert "between us" not in said.replace('{"said": "between us"}', "")


async def test_texts_with_characters_that_a_database_may_dislike_are_kept(shelves: Shelves) -> None:
    odd = "NUL \x00, quote ', emoji 🧪, right-to-left \u202e, backslash \\u0000"
    record = trace(str(uuid.uuid4()), question=odd)
    state = await shelves.threads.open(shelves.caller, odd[:50])
    await shelves.journal.record(shelves.caller, record, turn(state.thread_id, odd[:50], odd))
    kept = await shelves.journal.get(shelves.caller, record.id)
    assert kept.question.replace("\ufffd", "\x00") == odd
    again = await shelves.threads.open(shelves.caller, odd[:50])
    assert [each.question.replace("\ufffd", "\x00") for each in again.turns] == [odd]


async def test_an_unknown_trace_is_not_found(shelves: Shelves) -> None:
    with pytest.raises(NotFoundError):
        await shelves.journal.get(shelves.caller, str(uuid.uuid4()))


async def test_numbers_come_back_as_they_went_in(shelves: Shelves) -> None:
    """PostgreSQL keeps 1e40 as a whole number, which no answer could be written with."""
    metadata = {"large": 1e40, "small": 1e-40, "whole": 2**53, "negative": -1.5}
    record = replace(trace(str(uuid.uuid4())), detail={"metadata": metadata})
    await shelves.journal.record(shelves.caller, record, None)
    kept = (await shelves.journal.get(shelves.caller, record.id)).detail["metadata"]
    assert {name: (type(value), value) for name, value in kept.items()} == {
        name: (type(value), value) for name, value in metadata.items()
    }
