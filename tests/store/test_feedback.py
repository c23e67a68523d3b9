"""Feedback is kept with its trace, in order, and never repeats what the trace was told to forget."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from app.core.errors import NotFoundError
from app.core.feedback import NewFeedback
from app.core.types import Caller
from tests.store.shelves import Shelves, trace


async def kept_trace(shelves: Shelves, *omitted: str) -> str:
    """A trace that was told to keep nothing of `omitted`."""
    trace_id = str(uuid.uuid4())
    record = replace(trace(trace_id), detail={"omitted": list(omitted)})
    await shelves.journal.record(shelves.caller, record, None)
    return trace_id


async def test_all_that_was_said_of_a_trace_comes_back_in_order(shelves: Shelves) -> None:
    trace_id = await kept_trace(shelves)
    thumb = NewFeedback(trace_id, positive=True, messages=({"role": "user", "content": "Better?"},))
    score = NewFeedback(trace_id, score=0.25, name="tone", target="Yes.", comment="too short")
    first = await shelves.feedback.add(shelves.as_user("ann"), thumb)
    second = await shelves.feedback.add(shelves.caller, score)
    assert await shelves.feedback.of(shelves.caller, trace_id) == [first, second]
    assert (first.given, first.user) == (thumb, "ann")
    assert (second.given, second.user) == (score, "")


@pytest.mark.parametrize(
    ("omitted", "target", "messages"),
    [(("inputs",), False, False), (("outputs",), True, False), (("inputs", "outputs"), False, False), ((), True, True)],
)
async def test_it_does_not_repeat_what_its_trace_may_not_keep(
    shelves: Shelves, omitted: tuple[str, ...], target: bool, messages: bool
) -> None:
    trace_id = await kept_trace(shelves, *omitted)
    said = NewFeedback(trace_id, score=1.0, target="secret", messages=({"role": "user", "content": "secret"},))
    given = (await shelves.feedback.add(shelves.caller, said)).given
    assert given.score == 1.0
    assert (given.target is not None, given.messages != ()) == (target, messages)


async def test_a_trace_that_is_not_there_or_anothers_takes_none(shelves: Shelves) -> None:
    trace_id = await kept_trace(shelves)
    other = Caller((await shelves.projects.create(Caller(1), "other")).id)
    for caller, named in ((other, trace_id), (shelves.caller, str(uuid.uuid4()))):
        with pytest.raises(NotFoundError):
            await shelves.feedback.add(caller, NewFeedback(named, score=1.0))
    await shelves.feedback.add(shelves.caller, NewFeedback(trace_id, score=1.0))
    assert await shelves.feedback.of(other, trace_id) == []


async def test_the_newest_thumb_on_each_trace(shelves: Shelves) -> None:
    judged, scored, silent = [await kept_trace(shelves) for _ in range(3)]
    await shelves.feedback.add(shelves.caller, NewFeedback(judged, positive=False))
    newest = await shelves.feedback.add(shelves.caller, NewFeedback(judged, positive=True))
    await shelves.feedback.add(shelves.caller, NewFeedback(judged, score=0.5))
    await shelves.feedback.add(shelves.caller, NewFeedback(scored, score=0.5))
    other = Caller((await shelves.projects.create(Caller(1), "other")).id)
    assert await shelves.feedback.thumbs(shelves.caller, [judged, scored, silent]) == {judged: newest}
    assert await shelves.feedback.thumbs(shelves.caller, []) == {}
    assert await shelves.feedback.thumbs(other, [judged]) == {}


async def test_thumbs_are_taken_back_and_scores_stay(shelves: Shelves) -> None:
    trace_id = await kept_trace(shelves)
    for new in (NewFeedback(trace_id, positive=True), NewFeedback(trace_id, positive=False)):
        await shelves.feedback.add(shelves.caller, new)
    score = await shelves.feedback.add(shelves.caller, NewFeedback(trace_id, score=1.0))
    other = Caller((await shelves.projects.create(Caller(1), "other")).id)
    for caller, named in ((other, trace_id), (shelves.caller, str(uuid.uuid4()))):
        with pytest.raises(NotFoundError):
            await shelves.feedback.withdraw(caller, named)
    assert len(await shelves.feedback.of(shelves.caller, trace_id)) == 3
    await shelves.feedback.withdraw(shelves.caller, trace_id)
    assert await shelves.feedback.of(shelves.caller, trace_id) == [score]
