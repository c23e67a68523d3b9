"""The steps of an ingest, at the rows: twice is once, and what ended stays ended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core.errors import NotFoundError
from app.core.ingesting import JobGoneError, Publication
from app.core.library import JobState
from app.core.types import Caller
from ingest.types import IngestError, LexicalMatches, Passage, Scope
from tests.store.shelves import FINGERPRINT, Shelves, canonical, upload, word_chunks


async def visible(shelves: Shelves, repository: int) -> tuple[int, list[str]]:
    """The generation, and the texts that a search may return."""
    generation, ids = await shelves.chunks.visible_ids(shelves.caller, repository)
    found = {each.chunk_id: each.content for each in await shelves.chunks.passages(shelves.caller, ids)}
    return generation, [found[chunk_id] for chunk_id in ids]


async def test_a_job_makes_its_version_visible(shelves: Shelves) -> None:
    repository = await shelves.repository()
    added = await shelves.add(repository, "a.txt", "one two")
    job_id = added.document.job.id
    assert await visible(shelves, repository) == (0, [])

    task = shelves.corpus.start(job_id)
    assert (await shelves.jobs.get(shelves.caller, job_id)).state is JobState.RUNNING
    shelves.corpus.save_text(task, canonical("one two"), word_chunks("one two"), FINGERPRINT)
    assert await visible(shelves, repository) == (0, [])
    assert [passage.content for passage in shelves.corpus.batch(task, 0, 64)] == ["one", "two"]
    assert [passage.content for passage in shelves.corpus.batch(task, 1, 64)] == ["two"]
    shelves.corpus.progress(task, 1)
    assert (await shelves.jobs.get(shelves.caller, job_id)).done == 1
    change = shelves.publish(task)

    assert change is not None
    assert (change.base, change.generation, change.removed, change.blobs) == (0, 1, (), ())
    assert await visible(shelves, repository) == (1, ["one", "two"])
    job = await shelves.jobs.get(shelves.caller, job_id)
    assert (job.state, job.stage, job.done, job.total, job.error) == (JobState.COMPLETED, "done", 2, 2, None)
    document = await shelves.documents.get(shelves.caller, added.document.id)
    assert (document.extractor, document.warnings, document.chunk_count) == ("text 1", ("a warning",), 2)


async def test_save_text_twice_is_once(shelves: Shelves) -> None:
    repository = await shelves.repository()
    task = shelves.corpus.start((await shelves.add(repository, "a.txt", "one two")).document.job.id)
    for _ in range(2):
        shelves.corpus.save_text(task, canonical("one two"), word_chunks("one two"), FINGERPRINT)
    assert len(shelves.corpus.batch(task, 0, 64)) == 2
    shelves.publish(task)
    assert await visible(shelves, repository) == (1, ["one", "two"])


async def test_publish_twice_is_once(shelves: Shelves) -> None:
    repository = await shelves.repository()
    added = await shelves.published(repository, "a.txt", "one two")
    assert shelves.publish(shelves.corpus.task(added.document.job.id)) is None
    assert await visible(shelves, repository) == (1, ["one", "two"])
    assert (await shelves.jobs.get(shelves.caller, added.document.job.id)).state is JobState.COMPLETED


async def test_a_step_of_a_finished_job_changes_nothing(shelves: Shelves) -> None:
    repository = await shelves.repository()
    added = await shelves.add(repository, "a.txt", "one two")
    task = shelves.corpus.start(added.document.job.id)
    shelves.ingest(task.job_id, "one two")
    with pytest.raises(JobGoneError):
        shelves.corpus.start(task.job_id)
    with pytest.raises(JobGoneError):
        shelves.corpus.save_text(task, canonical("other"), word_chunks("other"), FINGERPRINT)
    assert shelves.corpus.fail(task.job_id, "too late", cancelled=True) == []
    assert await visible(shelves, repository) == (1, ["one", "two"])
    assert (await shelves.jobs.get(shelves.caller, task.job_id)).state is JobState.COMPLETED


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_job_that_ended_badly_is_never_published(shelves: Shelves, cancelled: bool) -> None:
    repository = await shelves.repository()
    task = shelves.corpus.start((await shelves.add(repository, "a.txt", "one two")).document.job.id)
    shelves.corpus.save_text(task, canonical("one two"), word_chunks("one two"), FINGERPRINT)
    ids = [passage.chunk_id for passage in shelves.corpus.batch(task, 0, 64)]
    assert shelves.corpus.fail(task.job_id, "no luck", cancelled=cancelled) == ids
    assert shelves.corpus.fail(task.job_id, "no luck", cancelled=cancelled) == []
    for step in (shelves.corpus.start, shelves.corpus.task):
        with pytest.raises(JobGoneError):
            step(task.job_id)
    with pytest.raises(JobGoneError):
        shelves.publish(task)
    assert await visible(shelves, repository) == (0, [])
    job = await shelves.jobs.get(shelves.caller, task.job_id)
    assert (job.state, job.error) == (JobState.CANCELLED if cancelled else JobState.FAILED, "no luck")


async def test_a_newer_version_replaces_the_older_and_says_what_must_go(shelves: Shelves) -> None:
    repository = await shelves.repository()
    await shelves.published(repository, "a.txt", "one two")
    _, old_ids = await shelves.chunks.visible_ids(shelves.caller, repository)
    new = await shelves.add(repository, "a.txt", "three four five")
    change = shelves.ingest(new.document.job.id, "three four five")
    assert change is not None
    assert (change.base, change.generation, change.removed) == (1, 2, old_ids)
    assert change.blobs == (upload("", "one two").sha256,)
    assert await visible(shelves, repository) == (2, ["three", "four", "five"])


async def test_bytes_of_a_replaced_version_that_another_document_has_are_not_given_up(shelves: Shelves) -> None:
    await shelves.published(await shelves.repository("other"), "b.txt", "one two")
    repository = await shelves.repository()
    await shelves.published(repository, "a.txt", "one two")
    change = shelves.ingest((await shelves.add(repository, "a.txt", "new")).document.job.id, "new")
    assert change is not None
    assert change.blobs == ()


async def test_an_older_version_that_comes_in_after_a_newer_one_is_cancelled(shelves: Shelves) -> None:
    repository = await shelves.repository()
    old = shelves.corpus.start((await shelves.add(repository, "a.txt", "old text")).document.job.id)
    shelves.corpus.save_text(old, canonical("old text"), word_chunks("old text"), FINGERPRINT)
    unseen = tuple(passage.chunk_id for passage in shelves.corpus.batch(old, 0, 64))
    change = shelves.ingest((await shelves.add(repository, "a.txt", "new")).document.job.id, "new")
    assert change is not None
    assert change.removed == unseen
    with pytest.raises(JobGoneError) as gone:
        shelves.publish(old)
    assert shelves.corpus.fail(old.job_id, str(gone.value), cancelled=False) == []
    assert await visible(shelves, repository) == (1, ["new"])
    job = await shelves.jobs.get(shelves.caller, old.job_id)
    assert job.state is JobState.CANCELLED
    assert "newer version" in (job.error or "")


async def test_a_document_deleted_during_its_ingest_stays_deleted(shelves: Shelves) -> None:
    repository = await shelves.repository()
    added = await shelves.add(repository, "a.txt", "one two")
    task = shelves.corpus.start(added.document.job.id)
    shelves.corpus.save_text(task, canonical("one two"), word_chunks("one two"), FINGERPRINT)
    await shelves.documents.delete(shelves.caller, added.document.id)
    for _ in range(2):
        with pytest.raises(JobGoneError):
            shelves.corpus.save_text(task, canonical("one two"), word_chunks("one two"), FINGERPRINT)
        with pytest.raises(JobGoneError):
            shelves.publish(task)
    assert shelves.corpus.fail(task.job_id, "gone", cancelled=False) == []
    assert await visible(shelves, repository) == (1, [])


async def test_a_cancel_request_stops_the_next_step(shelves: Shelves) -> None:
    repository = await shelves.repository()
    task = shelves.corpus.start((await shelves.add(repository, "a.txt", "one two")).document.job.id)
    await shelves.jobs.request_cancel(shelves.caller, task.job_id)
    with pytest.raises(JobGoneError, match="Cancelled on request"):
        shelves.corpus.save_text(task, canonical("one two"), word_chunks("one two"), FINGERPRINT)
    shelves.corpus.fail(task.job_id, "Cancelled on request.", cancelled=False)
    assert (await shelves.jobs.get(shelves.caller, task.job_id)).state is JobState.CANCELLED


async def test_a_cancel_request_for_a_finished_job_changes_nothing(shelves: Shelves) -> None:
    added = await shelves.published(await shelves.repository(), "a.txt", "one")
    before = await shelves.jobs.get(shelves.caller, added.document.job.id)
    assert await shelves.jobs.request_cancel(shelves.caller, before.id) == before


async def test_a_publication_whose_staging_fails_changes_nothing(shelves: Shelves) -> None:
    repository = await shelves.repository()
    task = shelves.corpus.start((await shelves.add(repository, "a.txt", "one")).document.job.id)
    shelves.corpus.save_text(task, canonical("one"), word_chunks("one"), FINGERPRINT)

    def broken(change: Publication) -> None:
        raise LookupError("the vector store is gone")

    with pytest.raises(LookupError):
        shelves.corpus.publish(task, FINGERPRINT, broken)
    assert await visible(shelves, repository) == (0, [])
    assert (await shelves.jobs.get(shelves.caller, task.job_id)).state is JobState.RUNNING
    assert shelves.publish(task) is not None


async def test_vectors_of_two_models_never_meet_in_a_repository(shelves: Shelves) -> None:
    repository = await shelves.repository()
    await shelves.published(repository, "a.txt", "one")
    task = shelves.corpus.start((await shelves.add(repository, "b.txt", "two")).document.job.id)
    shelves.corpus.save_text(task, canonical("two"), word_chunks("two"), "model-2")
    with pytest.raises(IngestError, match=r"model-1.*model-2"):
        shelves.publish(task, "model-2")
    assert await visible(shelves, repository) == (1, ["one"])


async def test_every_change_of_what_can_be_found_has_a_generation(shelves: Shelves) -> None:
    repository = await shelves.repository()
    first = await shelves.published(repository, "a.txt", "one")
    await shelves.published(repository, "b.txt", "two")
    await shelves.documents.delete(shelves.caller, first.document.id)
    await shelves.published(repository, "b.txt", "three")
    assert await visible(shelves, repository) == (4, ["three"])
    assert shelves.repositories.scopes_now(shelves.caller, [repository, repository]) == (Scope(repository, 4),)


async def test_publications_at_the_same_time_each_see_the_one_before(shelves: Shelves) -> None:
    repository = await shelves.repository()
    tasks = []
    for name in "abcdefgh":
        task = shelves.corpus.start((await shelves.add(repository, name, f"text {name}")).document.job.id)
        shelves.corpus.save_text(task, canonical(f"text {name}"), word_chunks(f"text {name}"), FINGERPRINT)
        tasks.append(task)
    with ThreadPoolExecutor(len(tasks)) as threads:
        changes = [change for change in threads.map(shelves.publish, tasks) if change is not None]
    assert sorted((change.base, change.generation) for change in changes) == [(n, n + 1) for n in range(8)]
    generation, texts = await visible(shelves, repository)
    assert generation == 8
    assert len(texts) == 16


async def test_hits_are_of_published_versions_only_best_first(shelves: Shelves) -> None:
    repository = await shelves.repository()
    added = await shelves.published(repository, "a.txt", "zero one two")
    _, ids = await shelves.chunks.visible_ids(shelves.caller, repository)
    task = shelves.corpus.start((await shelves.add(repository, "b.txt", "unseen")).document.job.id)
    shelves.corpus.save_text(task, canonical("unseen"), word_chunks("unseen"), FINGERPRINT)
    unseen = shelves.corpus.batch(task, 0, 1)[0].chunk_id

    scores = {ids[0]: 0.5, ids[1]: 0.9, ids[2]: 0.5, unseen: 1.0, 10**9: 1.0}
    hits = shelves.chunks.hits_now(shelves.caller, scores)

    assert [(hit.chunk_id, hit.score) for hit in hits] == [(ids[1], 0.9), (ids[0], 0.5), (ids[2], 0.5)]
    text = await shelves.documents.text(shelves.caller, added.document.id)
    assert all(text.text[hit.start : hit.end] == hit.content for hit in hits)
    assert {(hit.document_name, hit.text_sha256, hit.heading_path) for hit in hits} == {
        ("a.txt", text.sha256, ("Heading",))
    }


async def test_an_unknown_repository_has_nothing_visible(shelves: Shelves) -> None:
    with pytest.raises(NotFoundError):
        await shelves.chunks.visible_ids(shelves.caller, 10**6)


async def test_unfinished_jobs_are_found_after_a_crash_oldest_first(shelves: Shelves) -> None:
    repository = await shelves.repository()
    queued = (await shelves.add(repository, "a.txt", "one")).document.job
    running = (await shelves.add(repository, "b.txt", "two")).document.job
    shelves.corpus.start(running.id)
    await shelves.published(repository, "c.txt", "three")
    assert shelves.jobs.unfinished(shelves.caller) == [(queued.id, 1), (running.id, 1)]
    assert set(shelves.jobs.unfinished(shelves.caller)) <= set(shelves.jobs.unfinished())


async def test_an_empty_word_index_is_filled_from_the_rows(shelves: Shelves) -> None:
    class Words:
        """A word index that keeps what it is given."""

        def __init__(self) -> None:
            self.kept: dict[int, tuple[int, str]] = {}

        def upsert(self, repository_id: int, chunk_ids: Sequence[int], texts: Sequence[str]) -> None:
            self.kept |= {each: (repository_id, text) for each, text in zip(chunk_ids, texts, strict=True)}

        def search(self, repository_ids: Sequence[int], query: str, limit: int) -> LexicalMatches:
            return LexicalMatches((), 0.0)

        def delete(self, chunk_ids: Sequence[int]) -> None:
            for each in chunk_ids:
                del self.kept[each]

        def count(self) -> int:
            return len(self.kept)

    def bare(passages: Sequence[Passage]) -> list[str]:
        return [passage.content for passage in passages]

    first, second = await shelves.repository("a"), await shelves.repository("b")
    await shelves.published(first, "a.txt", " ".join(f"word{n}" for n in range(1500)))
    await shelves.published(second, "b.txt", "other words")
    words = Words()
    assert shelves.corpus.refill(words, bare) == len(words.kept) >= 1502
    assert {text for repository, text in words.kept.values() if repository == second} == {"other", "words"}
    assert shelves.corpus.refill(words, bare) == 0


def test_eight_threads_write_at_once_and_none_is_turned_away(shelves: Shelves) -> None:
    repository = asyncio.run(shelves.repository())

    def work(number: int) -> None:
        for round_ in range(4):
            content = f"text {number} {round_}"
            added = asyncio.run(shelves.add(repository, f"{number}.txt", content))
            shelves.ingest(added.document.job.id, content)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    generation, ids = asyncio.run(shelves.chunks.visible_ids(Caller(shelves.caller.project_id), repository))
    assert (generation, len(ids)) == (32, 24)


async def test_openings_are_the_first_chunks_of_the_first_documents_of_each_repository(shelves: Shelves) -> None:
    first, second = await shelves.repository("one"), await shelves.repository("two")
    for number in range(4):
        await shelves.published(first, f"{number}.txt", f"a{number} b{number} c{number}")
    await shelves.published(second, "only.txt", "x y z")
    await shelves.add(second, "unread.txt", "not yet")
    hits = shelves.chunks.openings_now(shelves.caller, [first, second], 4, 2)
    assert [hit.content for hit in hits] == ["a0", "b0", "a1", "b1", "x", "y"]
    assert shelves.chunks.openings_now(shelves.caller, [], 4, 2) == []
    assert [hit.content for hit in shelves.chunks.openings_now(shelves.caller, [first, second], 1, 1)] == ["a0"]
