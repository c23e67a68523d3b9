"""The rows an ingest job reads and writes; blocking, because its steps run in worker threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from app.core.ingesting import JobGoneError, Publication, Task
from app.core.library import JobState
from app.core.types import Caller
from app.store.chunks import to_passage
from app.store.clock import now
from app.store.engine import Database
from app.store.repositories import unused_blobs
from app.store.tables import chunks, document_versions, documents, jobs, repositories, texts
from ingest.types import CanonicalText, ChunkSpan, IngestError, LexicalIndex, Passage

ROWS_PER_INSERT = 1000
_UNDONE = (JobState.FAILED, JobState.CANCELLED)
_ENDED = (JobState.COMPLETED, *_UNDONE)


class CorpusStore:
    """Implements app.core.ingesting.Corpus."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, job_id: int) -> Task:
        """Marks the job running; raises JobGoneError."""

        def work(connection: Connection) -> Task:
            task = _task(connection, job_id, _ENDED, lock=True)
            _set(connection, job_id, state=JobState.RUNNING, stage="parse", done=0, error=None)
            return task

        return self._database.write_now(work)

    def task(self, job_id: int) -> Task:
        """Raises JobGoneError."""
        return self._database.read_now(lambda connection: _task(connection, job_id))

    def save_text(self, task: Task, text: CanonicalText, spans: Sequence[ChunkSpan], fingerprint: str) -> None:
        """Replaces the version's text and chunks in one transaction."""
        rows = [
            {
                "project_id": task.caller.project_id,
                "repository_id": task.repository_id,
                "document_id": task.document_id,
                "version_id": task.version_id,
                "ordinal": ordinal,
                "start": span.start,
                "end": span.end,
                "token_count": span.token_count,
                "page": span.page,
                "heading_path": list(span.heading_path),
                "content": text.text[span.start : span.end],
            }
            for ordinal, span in enumerate(spans)
        ]

        def work(connection: Connection) -> None:
            _task(connection, task.job_id, _ENDED, lock=True)
            connection.execute(delete(chunks).where(chunks.c.version_id == task.version_id))
            connection.execute(delete(texts).where(texts.c.version_id == task.version_id))
            connection.execute(
                insert(texts).values(
                    version_id=task.version_id,
                    project_id=task.caller.project_id,
                    text=text.text,
                    spans=[
                        [span.start, span.end, span.kind, span.page, list(span.heading_path)] for span in text.spans
                    ],
                )
            )
            for at in range(0, len(rows), ROWS_PER_INSERT):
                connection.execute(insert(chunks), rows[at : at + ROWS_PER_INSERT])
            connection.execute(
                update(document_versions)
                .where(document_versions.c.id == task.version_id)
                .values(
                    extractor=text.extractor,
                    text_sha256=text.sha256,
                    warnings=list(text.warnings),
                    chunk_count=len(rows),
                    fingerprint=fingerprint,
                )
            )
            _set(connection, task.job_id, stage="embed", total=len(rows))

        self._database.write_now(work)

    def batch(self, task: Task, first: int, count: int) -> list[Passage]:
        """The chunks with ordinals [first, first + count)."""
        query = (
            select(chunks.c.id, chunks.c.heading_path, chunks.c.content)
            .where(chunks.c.version_id == task.version_id, chunks.c.project_id == task.caller.project_id)
            .where(chunks.c.ordinal >= first, chunks.c.ordinal < first + count)
            .order_by(chunks.c.ordinal)
        )
        return self._database.read_now(lambda connection: [to_passage(row) for row in connection.execute(query)])

    def progress(self, task: Task, done: int) -> None:
        self._database.write_now(lambda connection: _set(connection, task.job_id, done=done))

    def publish(self, task: Task, fingerprint: str, stage: Callable[[Publication], None]) -> Publication | None:
        """Makes the version visible; `stage` runs just before the commit, and nothing changes if it raises."""

        def work(connection: Connection) -> Publication | None:
            repository = connection.execute(
                select(repositories.c.generation, repositories.c.fingerprint)
                .where(repositories.c.id == task.repository_id)
                .with_for_update(key_share=True)
            ).first()
            _task(connection, task.job_id, lock=True)
            if repository is None:
                raise JobGoneError("The repository was deleted.")
            if repository.fingerprint not in (None, fingerprint):
                raise IngestError(
                    f"This repository was indexed with another model or chunker ({repository.fingerprint}) than the "
                    f"service now runs ({fingerprint}); vectors of two models cannot be compared. Set "
                    "FOOTNOTE_EMBEDDER back, or make a new repository."
                )
            live = connection.execute(
                select(documents.c.version_id).where(documents.c.id == task.document_id)
            ).scalar_one()
            if live == task.version_id:  # committed just before a crash, which the engine did not see
                return None
            older = (document_versions.c.document_id == task.document_id) & (document_versions.c.id < task.version_id)
            replaced = set(connection.execute(select(document_versions.c.sha256).where(older)).scalars())
            change = Publication(
                repository_id=task.repository_id,
                base=repository.generation,
                generation=repository.generation + 1,
                added=_chunk_ids(connection, chunks.c.version_id == task.version_id),
                removed=_chunk_ids(
                    connection, (chunks.c.document_id == task.document_id) & (chunks.c.version_id < task.version_id)
                ),
            )
            connection.execute(delete(document_versions).where(older))
            connection.execute(
                update(document_versions).where(document_versions.c.id == task.version_id).values(published_at=now())
            )
            connection.execute(
                update(documents).where(documents.c.id == task.document_id).values(version_id=task.version_id)
            )
            connection.execute(
                update(repositories)
                .where(repositories.c.id == task.repository_id)
                .values(generation=change.generation, fingerprint=fingerprint)
            )
            _set(connection, task.job_id, state=JobState.COMPLETED, stage="done", done=len(change.added))
            stage(change)
            return replace(change, blobs=tuple(unused_blobs(connection, task.caller, replaced)))

        return self._database.write_now(work)

    def fail(self, job_id: int, message: str, *, cancelled: bool) -> list[int]:
        """Closes the job; returns the chunk ids of its version, deleted unless the version is the visible one."""

        def work(connection: Connection) -> list[int]:
            row = connection.execute(
                select(
                    jobs.c.version_id,
                    jobs.c.state,
                    jobs.c.cancel_requested,
                    documents.c.version_id.label("live"),
                    document_versions.c.id.label("version"),
                )
                .outerjoin(documents, documents.c.id == jobs.c.document_id)
                .outerjoin(document_versions, document_versions.c.id == jobs.c.version_id)
                .where(jobs.c.id == job_id)
                .with_for_update(of=jobs)
            ).first()
            if row is None or JobState(row.state).final:
                return []
            not_wanted = cancelled or row.cancel_requested or row.version is None
            state = JobState.CANCELLED if not_wanted else JobState.FAILED
            _set(connection, job_id, state=state, error=message)
            if row.live == row.version_id:
                return []
            mine = chunks.c.version_id == row.version_id
            unseen = list(_chunk_ids(connection, mine))
            connection.execute(delete(chunks).where(mine))
            connection.execute(delete(texts).where(texts.c.version_id == row.version_id))
            return unseen

        return self._database.write_now(work)

    def refill(self, words: LexicalIndex, texts_of: Callable[[Sequence[Passage]], list[str]]) -> int:
        """Writes the words of every chunk into an index that is empty; returns how many chunks that were."""
        if words.count():
            return 0
        query = select(chunks.c.id, chunks.c.repository_id, chunks.c.heading_path, chunks.c.content)
        query = query.order_by(chunks.c.id)
        filled, last = 0, 0
        while True:
            page = query.where(chunks.c.id > last).limit(ROWS_PER_INSERT)
            rows = self._database.read_now(lambda connection, page=page: connection.execute(page).all())  # type: ignore[misc]
            if not rows:
                return filled
            for repository_id in {row.repository_id for row in rows}:
                mine = [to_passage(row) for row in rows if row.repository_id == repository_id]
                words.upsert(repository_id, [passage.chunk_id for passage in mine], texts_of(mine))
            filled, last = filled + len(rows), rows[-1].id


def _task(connection: Connection, job_id: int, ended: tuple[JobState, ...] = _UNDONE, *, lock: bool = False) -> Task:
    """What the job is about; raises JobGoneError in the states `ended`. `lock` keeps others from ending it."""
    query = (
        select(
            jobs.c.project_id,
            jobs.c.repository_id,
            jobs.c.document_id,
            jobs.c.version_id,
            jobs.c.state,
            jobs.c.cancel_requested,
            documents.c.name,
            document_versions.c.sha256,
        )
        .join(documents, documents.c.id == jobs.c.document_id)
        .join(document_versions, document_versions.c.id == jobs.c.version_id)
        .where(jobs.c.id == job_id)
    )
    row = connection.execute(query.with_for_update(of=jobs) if lock else query).first()
    if row is None:
        raise JobGoneError("The document was deleted, or a newer version of it is already there.")
    if JobState(row.state) in ended:
        raise JobGoneError(f"The job has ended: it is {row.state}.")
    if row.cancel_requested:  # the engine that was told may be in another process than the one at work
        raise JobGoneError("Cancelled on request.")
    return Task(
        job_id=job_id,
        caller=Caller(row.project_id),
        repository_id=row.repository_id,
        document_id=row.document_id,
        version_id=row.version_id,
        document_name=row.name,
        blob_sha256=row.sha256,
    )


def _chunk_ids(connection: Connection, where: Any) -> tuple[int, ...]:
    return tuple(connection.execute(select(chunks.c.id).where(where).order_by(chunks.c.id)).scalars())


def _set(connection: Connection, job_id: int, **values: Any) -> None:
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(**values, updated_at=now()))
