"""An upload becomes a document once, and a deleted one is gone from every table."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from app.core.errors import ConflictError, NotFoundError
from app.core.ingesting import JobGoneError
from app.core.library import Added, JobState
from app.store.tables import chunks, document_versions, documents, jobs, texts
from tests.store.shelves import Shelves, upload


def rows_of(shelves: Shelves, document_id: int) -> dict[str, int]:
    """How many rows of each table belong to the document."""
    versions = select(document_versions.c.id).where(document_versions.c.document_id == document_id)
    wheres = {
        documents: documents.c.id == document_id,
        document_versions: document_versions.c.document_id == document_id,
        texts: texts.c.version_id.in_(versions),
        chunks: chunks.c.document_id == document_id,
    }
    with shelves.database.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table).where(where)).scalar_one()
            for table, where in wheres.items()
        }


async def test_the_same_bytes_are_taken_once(shelves: Shelves) -> None:
    repository = await shelves.repository()
    first = await shelves.add(repository, "a.txt", "one two")
    second = await shelves.add(repository, "a.txt", "one two")
    assert (first.unchanged, second.unchanged) == (False, True)
    assert second.document == first.document


async def test_the_same_bytes_under_another_name_are_the_document_that_has_them(shelves: Shelves) -> None:
    repository = await shelves.repository()
    first = await shelves.published(repository, "a.txt", "one two")
    again = await shelves.add(repository, "b.txt", "one two")
    assert again.unchanged
    assert (again.document.id, again.document.name) == (first.document.id, "a.txt")


async def test_the_same_bytes_in_another_repository_are_another_document(shelves: Shelves) -> None:
    first = await shelves.add(await shelves.repository("a"), "a.txt", "one two")
    second = await shelves.add(await shelves.repository("b"), "a.txt", "one two")
    assert not second.unchanged
    assert second.document.id != first.document.id


async def test_uploads_of_one_file_at_the_same_time_make_one_document(shelves: Shelves) -> None:
    repository = await shelves.repository()
    added = await asyncio.gather(*(shelves.add(repository, "a.txt", "one two") for _ in range(8)))
    assert sorted(each.unchanged for each in added) == [False] + [True] * 7
    assert len({each.document.job.id for each in added}) == 1


async def test_uploads_of_one_name_at_the_same_time_are_versions_in_some_order(shelves: Shelves) -> None:
    repository = await shelves.repository()
    added: list[Added] = await asyncio.gather(*(shelves.add(repository, "a.txt", f"text {n}") for n in range(8)))
    assert len({each.document.id for each in added}) == 1
    assert sorted(each.document.version_number for each in added) == list(range(1, 9))


async def test_new_bytes_under_a_name_are_a_version_that_the_old_one_stands_in_for(shelves: Shelves) -> None:
    repository = await shelves.repository()
    old = await shelves.published(repository, "a.txt", "old words")
    new = await shelves.add(repository, "a.txt", "new words")
    assert new.document.id == old.document.id
    assert new.document.version_number == 2
    assert (await shelves.documents.text(shelves.caller, old.document.id)).text == "old words"
    shelves.ingest(new.document.job.id, "new words")
    assert (await shelves.documents.text(shelves.caller, old.document.id)).text == "new words"


@pytest.mark.parametrize("cancelled", [False, True])
async def test_bytes_whose_job_did_not_succeed_get_another_attempt(shelves: Shelves, cancelled: bool) -> None:
    repository = await shelves.repository()
    first = (await shelves.add(repository, "a.txt", "one two")).document
    shelves.corpus.fail(first.job.id, "no luck", cancelled=cancelled)
    again = await shelves.add(repository, "a.txt", "one two")
    assert not again.unchanged
    assert (again.document.id, again.document.version_number) == (first.id, 1)
    assert again.document.job.attempt == 2
    assert again.document.job.id > first.job.id
    shelves.ingest(again.document.job.id, "one two")
    assert (await shelves.add(repository, "a.txt", "one two")).unchanged


async def test_a_file_that_went_back_to_its_old_bytes_is_a_new_version(shelves: Shelves) -> None:
    repository = await shelves.repository()
    for number, content in enumerate(["first", "second", "first"], 1):
        added = await shelves.published(repository, "a.txt", content)
        assert (added.unchanged, added.document.version_number) == (False, number)


async def test_attributes_are_kept_until_others_are_given(shelves: Shelves) -> None:
    repository = await shelves.repository()
    given = {"author": "Ann", "year": 2024, "tags": ["x"]}
    await shelves.documents.add(shelves.caller, repository, upload("a.txt", "one"), given)
    assert (await shelves.add(repository, "a.txt", "two")).document.attributes == given
    changed = await shelves.documents.add(shelves.caller, repository, upload("a.txt", "two"), {})
    assert changed.document.attributes == {}


async def test_a_document_without_a_published_version_has_no_text_and_no_chunks(shelves: Shelves) -> None:
    added = await shelves.add(await shelves.repository(), "a.txt", "one two")
    with pytest.raises(ConflictError, match=f"job {added.document.job.id} is queued"):
        await shelves.documents.text(shelves.caller, added.document.id)
    assert await shelves.documents.chunks(shelves.caller, added.document.id, 10) == []
    assert added.document.version_id is None


async def test_chunks_come_in_order_and_page_by_page(shelves: Shelves) -> None:
    content = "zero one two three four"
    added = await shelves.published(await shelves.repository(), "a.txt", content)
    first = await shelves.documents.chunks(shelves.caller, added.document.id, 2)
    rest = await shelves.documents.chunks(shelves.caller, added.document.id, 10, after=first[-1].ordinal)
    assert [chunk.content for chunk in (*first, *rest)] == content.split()
    assert [chunk.ordinal for chunk in (*first, *rest)] == [0, 1, 2, 3, 4]
    assert all(content[chunk.start : chunk.end] == chunk.content for chunk in (*first, *rest))


async def test_documents_come_by_id_and_page_by_page(shelves: Shelves) -> None:
    repository = await shelves.repository()
    names = [(await shelves.add(repository, f"{n}.txt", f"text {n}")).document.name for n in range(5)]
    first = await shelves.documents.all(shelves.caller, repository, 2)
    rest = await shelves.documents.all(shelves.caller, repository, 9, after=first[-1].id)
    assert [document.name for document in (*first, *rest)] == names


async def test_texts_are_found_by_their_hash(shelves: Shelves) -> None:
    document = (await shelves.published(await shelves.repository(), "a.txt", "one two")).document
    text = await shelves.documents.text(shelves.caller, document.id)
    assert await shelves.documents.texts_by_hash(shelves.caller, [text.sha256, "0" * 64]) == {text.sha256: "one two"}


async def test_a_deleted_document_leaves_no_row_and_says_what_else_must_go(shelves: Shelves) -> None:
    repository = await shelves.repository()
    document = (await shelves.published(repository, "a.txt", "one two three")).document
    coming = await shelves.add(repository, "a.txt", "four five")
    task = shelves.corpus.start(coming.document.job.id)
    before = (await shelves.repositories.get(shelves.caller, repository)).generation
    ids = [chunk.id for chunk in await shelves.documents.chunks(shelves.caller, document.id, 10)]

    chunk_ids, hashes = await shelves.documents.delete(shelves.caller, document.id)

    assert chunk_ids == ids
    assert set(hashes) == {upload("a", "one two three").sha256, upload("a", "four five").sha256}
    assert set(rows_of(shelves, document.id).values()) == {0}
    assert (await shelves.repositories.get(shelves.caller, repository)).generation == before + 1
    assert (await shelves.jobs.get(shelves.caller, task.job_id)).state is JobState.CANCELLED
    with pytest.raises(JobGoneError):
        shelves.corpus.task(task.job_id)
    with pytest.raises(NotFoundError):
        await shelves.documents.get(shelves.caller, document.id)


async def test_bytes_that_another_document_still_needs_stay(shelves: Shelves) -> None:
    first = await shelves.published(await shelves.repository("a"), "a.txt", "shared")
    second = await shelves.published(await shelves.repository("b"), "a.txt", "shared")
    assert (await shelves.documents.delete(shelves.caller, first.document.id))[1] == []
    assert (await shelves.documents.delete(shelves.caller, second.document.id))[1] == [upload("", "shared").sha256]


async def test_a_deleted_repository_takes_all_with_it(shelves: Shelves) -> None:
    repository, other = await shelves.repository("gone"), await shelves.repository("stays")
    await shelves.projects.change(shelves.caller, {"repository_ids": [other, repository]})
    published = await shelves.published(repository, "a.txt", "one two")
    queued = await shelves.add(repository, "b.txt", "three")

    chunk_ids, hashes = await shelves.repositories.delete(shelves.caller, repository)

    assert len(chunk_ids) == 2
    assert set(hashes) == {upload("", "one two").sha256, upload("", "three").sha256}
    assert set(rows_of(shelves, published.document.id).values()) == {0}
    assert (await shelves.jobs.get(shelves.caller, queued.document.job.id)).state is JobState.CANCELLED
    assert shelves.jobs.unfinished(shelves.caller) == []
    assert (await shelves.projects.defaults(shelves.caller)).repository_ids == (other,)
    with pytest.raises(NotFoundError):
        await shelves.repositories.get(shelves.caller, repository)


async def test_ids_are_never_used_twice(shelves: Shelves) -> None:
    repository = await shelves.repository()
    first = (await shelves.published(repository, "a.txt", "one two")).document
    chunk_ids, _ = await shelves.documents.delete(shelves.caller, first.id)
    second = (await shelves.published(repository, "a.txt", "one two")).document
    newer = [chunk.id for chunk in await shelves.documents.chunks(shelves.caller, second.id, 10)]
    assert second.id > first.id
    assert min(newer) > max(chunk_ids)


async def test_counts_are_of_what_can_be_found(shelves: Shelves) -> None:
    repository = await shelves.repository()
    await shelves.published(repository, "a.txt", "one two three")
    await shelves.add(repository, "b.txt", "not yet")
    counted = await shelves.repositories.get(shelves.caller, repository)
    assert (counted.document_count, counted.chunk_count) == (2, 3)


def test_a_job_row_outlives_its_document(shelves: Shelves) -> None:
    repository = asyncio.run(shelves.repository())
    document = asyncio.run(shelves.add(repository, "a.txt", "one")).document
    asyncio.run(shelves.documents.delete(shelves.caller, document.id))
    with shelves.database.reading() as connection:
        kept = connection.execute(select(jobs.c.id).where(jobs.c.id == document.job.id)).first()
    assert kept is not None
    assert asyncio.run(shelves.jobs.get(shelves.caller, document.job.id)).document_name == ""
