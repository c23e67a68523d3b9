"""Threads looked back at: whose they are, in which order, how much of them, and what a deletion leaves."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

import pytest

from app.core.errors import NotFoundError
from app.core.types import Caller
from tests.store.shelves import Shelves, trace, turn


async def talk(shelves: Shelves, caller: Caller, questions: list[str], thread_id: str | None = None) -> str:
    """A thread of these questions, or a thread that goes on with them; returns its id."""
    for question in questions:
        state = await shelves.threads.open(caller, None, thread_id)
        thread_id = state.thread_id
        record = replace(trace(str(uuid.uuid4()), question=question), thread_id=thread_id)
        follows = state.turns[-1].number if state.turns else None
        said = replace(turn(thread_id, None, question), trace_id=record.id, follows=follows)
        await shelves.journal.record(caller, record, said)
    assert thread_id is not None
    return thread_id


async def test_threads_come_by_their_newest_turn_and_page_by_page(shelves: Shelves) -> None:
    first = await talk(shelves, shelves.caller, ["one"])
    second = await talk(shelves, shelves.caller, ["two"])
    third = await talk(shelves, shelves.caller, ["three"])
    await talk(shelves, shelves.caller, ["one more"], first)
    pages = [await shelves.threads.all(shelves.caller, start, 2, 9) for start in (0, 2, 4)]
    assert [[each.id for each in page.threads] for page in pages] == [[first, third], [second], []]
    assert {page.total for page in pages} == {3}


async def test_a_thread_has_its_first_question_as_title_and_its_newest_turns(shelves: Shelves) -> None:
    thread_id = await talk(shelves, shelves.caller, ["What  is\nit?", "And why?", "And who?"])
    whole = await shelves.threads.get(shelves.caller, thread_id, 9)
    assert (whole.title, whole.turn_count, whole.session) == ("What is it?", 3, None)
    assert [(each.number, each.follows, each.question, each.answer) for each in whole.turns] == [
        (1, None, "What  is\nit?", "That."),
        (2, 1, "And why?", "That."),
        (3, 2, "And who?", "That."),
    ]
    assert whole.created_at <= whole.turns[0].created_at <= whole.turns[-1].created_at == whole.last_at
    newest = await shelves.threads.get(shelves.caller, thread_id, 2)
    assert newest == replace(whole, turns=whole.turns[1:])
    assert (await shelves.threads.all(shelves.caller, 0, 9, 2)).threads == (newest,)
    assert await shelves.threads.turn(shelves.caller, thread_id, 2) == whole.turns[1]


async def test_a_thread_is_its_users_and_its_projects_alone(shelves: Shelves) -> None:
    ann = shelves.as_user("ann")
    other = (await shelves.projects.create(Caller(1), "other")).id
    thread_id = await talk(shelves, ann, ["mine"])
    for caller in (shelves.caller, shelves.as_user("bob"), Caller(other, user="ann")):
        assert (await shelves.threads.all(caller, 0, 9, 9)).total == 0
        for attempt in (
            shelves.threads.get(caller, thread_id, 9),
            shelves.threads.turn(caller, thread_id, 1),
            shelves.threads.delete(caller, thread_id),
            shelves.threads.open(caller, None, thread_id),
        ):
            with pytest.raises(NotFoundError):
                await attempt
    assert (await shelves.threads.all(ann, 0, 9, 9)).total == 1


@pytest.mark.parametrize("number", [0, 2, -1])
async def test_a_turn_that_is_not_there_is_not_found(shelves: Shelves, number: int) -> None:
    thread_id = await talk(shelves, shelves.caller, ["one"])
    with pytest.raises(NotFoundError):
        await shelves.threads.turn(shelves.caller, thread_id, number)


async def test_a_deleted_thread_leaves_no_turn_and_no_trace(shelves: Shelves) -> None:
    gone = await talk(shelves, shelves.caller, ["secret one", "secret two"])
    kept = await talk(shelves, shelves.caller, ["open"])
    unanswered = replace(trace(str(uuid.uuid4()), question="secret three"), thread_id=gone, outcome="error")
    await shelves.journal.record(shelves.caller, unanswered, None)
    await shelves.threads.delete(shelves.caller, gone)
    assert [each.id for each in (await shelves.threads.all(shelves.caller, 0, 9, 9)).threads] == [kept]
    assert [each.question for each in await shelves.journal.all(shelves.caller, 99)] == ["open"]
    with pytest.raises(NotFoundError):
        await shelves.threads.delete(shelves.caller, gone)


async def test_a_thread_deleted_while_its_next_turn_is_answered_stays_deleted(shelves: Shelves) -> None:
    gone = await talk(shelves, shelves.caller, ["secret"])
    late = replace(trace(str(uuid.uuid4()), question="late"), thread_id=gone)
    await shelves.threads.delete(shelves.caller, gone)
    await shelves.journal.record(shelves.caller, late, replace(turn(gone, None, "late"), follows=1))
    assert (await shelves.threads.all(shelves.caller, 0, 9, 9)).total == 0
    assert await shelves.journal.all(shelves.caller, 99) == []


async def test_deleting_and_talking_at_the_same_time_leave_whole_threads(shelves: Shelves) -> None:
    thread_id = await talk(shelves, shelves.caller, ["one"])
    new_turns = [replace(turn(thread_id, None, f"more {n}"), follows=1) for n in range(6)]
    await asyncio.gather(
        *(shelves.journal.record(shelves.caller, None, each) for each in new_turns),
        shelves.threads.delete(shelves.caller, thread_id),
    )
    assert (await shelves.threads.all(shelves.caller, 0, 9, 9)).total == 0


async def test_traces_are_found_together_by_their_ids(shelves: Shelves) -> None:
    ids = [str(uuid.uuid4()) for _ in range(3)]
    for each in ids:
        await shelves.journal.record(shelves.caller, trace(each), None)
    other = (await shelves.projects.create(Caller(1), "other")).id
    assert set(await shelves.journal.some(shelves.caller, [*ids[:2], "unknown"])) == set(ids[:2])
    assert await shelves.journal.some(Caller(other), ids) == {}
    assert await shelves.journal.some(shelves.caller, []) == {}
