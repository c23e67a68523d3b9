"""Gaps are noted behind the answer and closed behind the ingest, over real parts; neither ever fails either."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.gap_closing import GapCloser
from app.core.gap_list import GapList
from app.core.gaps import GapRules
from app.core.retrieval import Retriever
from app.core.snapshots import SnapshotLoader
from app.core.todos import GapCause, Todo, TodoOrder
from app.core.types import (
    Answer,
    Ask,
    Caller,
    Completion,
    Finished,
    FinishReason,
    Funnel,
    Logging,
    Message,
    Retrieval,
    Retrieved,
    Started,
    Usage,
)
from ingest.indexes.snapshot_files import SnapshotFiles
from tests.doubles.core_service import CoreService, core_service

RULES = GapRules(similarity=0.85, most=100, checks=2)
THRESHOLD = 0.5
PATIENCE_S = 20.0


@pytest.fixture
def service(tmp_path: Path) -> Iterator[CoreService]:
    with core_service(tmp_path) as opened:
        yield opened


def noting(service: CoreService) -> GapList:
    shelves = service.shelves
    return GapList(shelves.gaps, shelves.repositories, service.retriever, service.embedder, service.executor, RULES)


def closing(service: CoreService, folder: Path) -> GapCloser:
    shelves = service.shelves
    files = SnapshotFiles(folder / "closing")
    loader = SnapshotLoader(
        shelves.chunks, service.snapshots, service.vectors, files, service.embedder, service.executor
    )
    retriever = Retriever(
        shelves.repositories,
        shelves.chunks,
        loader,
        service.snapshots,
        service.words,
        service.embedder,
        service.executor,
    )
    return GapCloser(shelves.gaps, shelves.projects, retriever, service.vectors, RULES, 5)


async def todos(service: CoreService, completed: bool | None = None) -> list[Todo]:
    return await service.shelves.todos.all(service.caller, completed, TodoOrder.OLDEST, 99)


async def completed(service: CoreService) -> list[Todo]:
    """The completed todos, once there are some."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := await todos(service, True)):
        assert time.monotonic() < deadline, "nothing was completed"
        await asyncio.sleep(0.02)
    return found


async def test_equal_questions_at_once_are_one_gap(service: CoreService) -> None:
    repository = (await service.ingest("a.txt", "Cats sleep all day.")).document.repository_id
    gaps, where = noting(service), Retrieval((repository,), 3, THRESHOLD)
    questions = ["What is a zeppelin?"] * 8 + ["WHAT is a  zeppelin?"] * 4
    await asyncio.gather(*(gaps.note(service.caller, each, where, GapCause.REFUSED) for each in questions))
    [todo] = await todos(service)
    assert todo.gap is not None
    assert todo.gap.asked == 12
    assert [miss.content for miss in todo.gap.near_misses] == ["Cats sleep all day."]
    assert todo.title == "Nothing in *papers* answers: What is a zeppelin?"


@pytest.mark.parametrize("omit", [False, True])
async def test_a_completion_is_noted_unless_its_inputs_are_to_be_kept_nowhere(service: CoreService, omit: bool) -> None:
    repository = (await service.ingest("a.txt", "Cats sleep all day.")).document.repository_id
    ask = Ask(service.caller, (Message("user", "What is a zeppelin?"),), log=Logging(omit_inputs=omit))
    answer = Answer(
        Started("t", "t", 1, "test/model", "test", 1),
        Retrieved((), Funnel()),
        Finished("No.", (), (), Usage(), FinishReason.STOP, refused=True),
    )
    where = Retrieval((repository,), 3, THRESHOLD)
    await noting(service).follow(Completion(ask, "What is a zeppelin?", where, answer, 1.0))
    assert [todo.gap.cause for todo in await todos(service) if todo.gap] == ([] if omit else [GapCause.REFUSED])


async def test_what_was_answered_meanwhile_is_no_gap(service: CoreService) -> None:
    added = await service.ingest("a.txt", "A zeppelin is an airship.")
    where = Retrieval((added.document.repository_id,), 3, 0.1)
    await noting(service).note(service.caller, "A zeppelin is an airship?", where, GapCause.REFUSED)
    assert await todos(service) == []
    await noting(service).note(service.caller, "A zeppelin is an airship?", where, GapCause.UNSUPPORTED)
    assert len(await todos(service)) == 1


async def test_a_note_that_fails_is_logged_and_raises_nothing(
    service: CoreService, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await noting(service).note(Caller(10**6), "Why?", Retrieval((1,), 3, THRESHOLD), GapCause.REFUSED)
        await noting(service).note(service.caller, "Why?", Retrieval((10**6,), 3, THRESHOLD), GapCause.REFUSED)
    assert caplog.text.count("could not be noted") == 2
    assert await todos(service) == []


async def test_what_was_published_before_a_crash_is_found_at_the_next_start(
    service: CoreService, tmp_path: Path
) -> None:
    repository = (await service.ingest("a.txt", "Cats sleep all day.")).document.repository_id
    where = Retrieval((repository,), 3, THRESHOLD)
    await noting(service).note(service.caller, "What is a zeppelin?", where, GapCause.REFUSED)
    answering = await service.ingest("b.txt", "What is a zeppelin: an airship.")  # nobody was listening
    assert [todo.completed for todo in await todos(service)] == [False]
    closer = closing(service, tmp_path)
    closer.start()
    try:
        [todo] = await completed(service)
    finally:
        await asyncio.to_thread(closer.stop)
    assert todo.answered_by == answering.document.id


async def test_with_more_gaps_than_are_looked_at_those_near_the_new_text_come_first(
    service: CoreService, tmp_path: Path
) -> None:
    repository = (await service.ingest("a.txt", "Cats sleep all day.")).document.repository_id
    where = Retrieval((repository,), 3, THRESHOLD)
    wanted = "Who repairs zeppelins?"
    others = ["Where do rowing boats lie?", "How deep can submarines dive?", "Why are parachutes round?"]
    for question in (*others * 3, wanted):  # asked least: last in the order of asking
        await noting(service).note(service.caller, question, where, GapCause.REFUSED)
    assert len(await todos(service)) == 4
    closer = closing(service, tmp_path)
    added = await service.save("b.txt", "Who repairs zeppelins: the harbour master repairs zeppelins.")
    closer.start()
    try:
        task = await asyncio.to_thread(service.shelves.corpus.start, added.document.job.id)
        await asyncio.to_thread(service.run_job, added.document.job.id)
        _, ids = await service.shelves.chunks.visible_ids(service.caller, repository)
        closer.published(task, ids[-1:])
        [todo] = await completed(service)
    finally:
        await asyncio.to_thread(closer.stop)
    assert todo.gap is not None
    assert todo.gap.question == wanted


async def test_a_deleted_repository_leaves_its_gaps_open(service: CoreService, tmp_path: Path) -> None:
    added = await service.ingest("a.txt", "Cats sleep all day.")
    where = Retrieval((added.document.repository_id,), 3, THRESHOLD)
    await noting(service).note(service.caller, "What is a zeppelin?", where, GapCause.REFUSED)
    closer = closing(service, tmp_path)
    task = await asyncio.to_thread(lambda: service.shelves.corpus.task(added.document.job.id))
    await service.shelves.repositories.delete(service.caller, added.document.repository_id)
    closer.published(task, ())
    closer.start()
    await asyncio.to_thread(closer.stop)
    assert [todo.completed for todo in await todos(service)] == [False]


def test_a_closer_that_was_never_started_stops(service: CoreService, tmp_path: Path) -> None:
    closing(service, tmp_path).stop()
