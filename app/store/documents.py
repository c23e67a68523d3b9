"""Documents, their versions and jobs: an upload becomes rows in one transaction, and is never half there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from app.core.errors import ConflictError, NotFoundError
from app.core.library import Added, ChunkRow, Document, DocumentText, Job, JobState, Upload
from app.core.types import Caller, Json
from app.store.clock import now
from app.store.engine import Database
from app.store.jobs import cancel_jobs, insert_job, job_columns, to_job
from app.store.repositories import lock_repository, missing, unused_blobs
from app.store.tables import chunks, document_versions, documents, jobs, repositories, texts


class DocumentStore:
    """Rows of `documents`, `document_versions` and `texts`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, caller: Caller, repository_id: int, upload: Upload, attributes: Mapping[str, Json] | None
    ) -> Added:
        """Makes document, version and job, or finds that these very bytes are already there.

        The same name with other bytes becomes a new version of that document; the old one answers until the
        new one is published. Bytes whose last job failed or was cancelled get another attempt.
        """

        def work(connection: Connection) -> Added:
            lock_repository(connection, caller, repository_id)  # the same upload twice at once: the second finds it
            same = _find_bytes(connection, caller, repository_id, upload.sha256)
            if same is None:
                version_id, document_id = _insert_version(connection, caller, repository_id, upload)
                insert_job(connection, caller, repository_id, document_id, version_id, 1)
            else:
                document_id = same.document_id
                if same.state in (JobState.FAILED, JobState.CANCELLED):
                    insert_job(connection, caller, repository_id, document_id, same.version_id, same.attempt + 1)
            if attributes is not None:
                connection.execute(
                    update(documents).where(documents.c.id == document_id).values(attributes=dict(attributes))
                )
            unchanged = same is not None and same.state not in (JobState.FAILED, JobState.CANCELLED)
            return Added(_one(connection, caller, document_id), unchanged)

        return await self._database.write(work)

    async def all(self, caller: Caller, repository_id: int, limit: int, after: int = 0) -> list[Document]:
        """By id, from the one after `after`."""

        def work(connection: Connection) -> list[Document]:
            _check_repository(connection, caller, repository_id)
            query = (
                _query(caller)
                .where(documents.c.repository_id == repository_id, documents.c.id > after)
                .order_by(documents.c.id)
                .limit(limit)
            )
            return [_document(row) for row in connection.execute(query)]

        return await self._database.read(work)

    async def get(self, caller: Caller, document_id: int) -> Document:
        return await self._database.read(lambda connection: _one(connection, caller, document_id))

    async def text(self, caller: Caller, document_id: int) -> DocumentText:
        """The canonical text of the published version; raises ConflictError while there is none."""

        def work(connection: Connection) -> DocumentText:
            document = _one(connection, caller, document_id)
            query = (
                select(texts.c.text, document_versions.c.text_sha256, document_versions.c.extractor)
                .join(document_versions, document_versions.c.id == texts.c.version_id)
                .where(texts.c.version_id == document.version_id, texts.c.project_id == caller.project_id)
            )
            row = connection.execute(query).first()
            if row is None or document.version_id is None:
                raise ConflictError(
                    f"Document {document_id} has no text yet: its ingest job {document.job.id} is {document.job.state}."
                )
            return DocumentText(document_id, document.version_id, row.text, row.text_sha256, row.extractor)

        return await self._database.read(work)

    async def chunks(self, caller: Caller, document_id: int, limit: int, after: int = -1) -> list[ChunkRow]:
        """The published version's chunks in order, from the one after ordinal `after`."""

        def work(connection: Connection) -> list[ChunkRow]:
            document = _one(connection, caller, document_id)
            query = (
                select(chunks)
                .where(chunks.c.version_id == document.version_id, chunks.c.project_id == caller.project_id)
                .where(chunks.c.ordinal > after)
                .order_by(chunks.c.ordinal)
                .limit(limit)
            )
            return [_chunk(row) for row in connection.execute(query)]

        return await self._database.read(work)

    async def delete(self, caller: Caller, document_id: int) -> tuple[list[int], list[str]]:
        """Removes it from sight at once; returns the chunk ids and blob hashes that are now nobody's."""

        def work(connection: Connection) -> tuple[list[int], list[str]]:
            lock_repository(connection, caller, _one(connection, caller, document_id).repository_id)
            document = _one(connection, caller, document_id)
            cancel_jobs(connection, jobs.c.document_id == document_id, "The document was deleted.")
            chunk_ids = list(
                connection.execute(select(chunks.c.id).where(chunks.c.document_id == document_id)).scalars()
            )
            hashes = set(
                connection.execute(
                    select(document_versions.c.sha256).where(document_versions.c.document_id == document_id)
                ).scalars()
            )
            connection.execute(delete(documents).where(documents.c.id == document_id))
            connection.execute(
                update(repositories)
                .where(repositories.c.id == document.repository_id)
                .values(generation=repositories.c.generation + 1)
            )
            return chunk_ids, unused_blobs(connection, caller, hashes)

        return await self._database.write(work)

    async def texts_by_hash(self, caller: Caller, hashes: Sequence[str]) -> dict[str, str]:
        """Canonical texts of the project by their sha256; unknown hashes are left out."""

        def work(connection: Connection) -> dict[str, str]:
            query = (
                select(document_versions.c.text_sha256, texts.c.text)
                .join(texts, texts.c.version_id == document_versions.c.id)
                .where(document_versions.c.project_id == caller.project_id, document_versions.c.text_sha256.in_(hashes))
            )
            return {row.text_sha256: row.text for row in connection.execute(query)}

        return await self._database.read(work)


def _check_repository(connection: Connection, caller: Caller, repository_id: int) -> None:
    mine = (repositories.c.id == repository_id) & (repositories.c.project_id == caller.project_id)
    if connection.execute(select(repositories.c.id).where(mine)).first() is None:
        raise missing(repository_id)


def _newest_jobs() -> Select[Any]:
    return select(func.max(jobs.c.id)).where(jobs.c.document_id == documents.c.id).correlate(documents)


def _find_bytes(connection: Connection, caller: Caller, repository_id: int, sha256: str) -> Any:
    """The newest job of the version that has these bytes, if that version is its document's newest."""
    newest_version = (
        select(func.max(document_versions.c.id))
        .where(document_versions.c.document_id == documents.c.id)
        .correlate(documents)
    )
    query = (
        select(jobs.c.document_id, jobs.c.version_id, jobs.c.state, jobs.c.attempt)
        .join(document_versions, document_versions.c.id == jobs.c.version_id)
        .join(documents, documents.c.id == document_versions.c.document_id)
        .where(
            document_versions.c.repository_id == repository_id,
            document_versions.c.project_id == caller.project_id,
            document_versions.c.sha256 == sha256,
            document_versions.c.id == newest_version.scalar_subquery(),
        )
        .order_by(jobs.c.id.desc())
    )
    return connection.execute(query).first()


def _insert_version(connection: Connection, caller: Caller, repository_id: int, upload: Upload) -> tuple[int, int]:
    named = (documents.c.repository_id == repository_id) & (documents.c.name == upload.name)
    document_id = connection.execute(select(documents.c.id).where(named)).scalar()
    if document_id is None:
        values: dict[str, Json] = {
            "project_id": caller.project_id,
            "repository_id": repository_id,
            "name": upload.name,
            "attributes": {},
            "created_at": now(),
        }
        document_id = connection.execute(insert(documents).values(values).returning(documents.c.id)).scalar_one()
    last = connection.execute(
        select(func.max(document_versions.c.number)).where(document_versions.c.document_id == document_id)
    ).scalar()
    values = {
        "project_id": caller.project_id,
        "repository_id": repository_id,
        "document_id": document_id,
        "number": (last or 0) + 1,
        "sha256": upload.sha256,
        "size": upload.size,
        "media_type": upload.media_type,
        "warnings": [],
        "chunk_count": 0,
        "created_at": now(),
    }
    statement = insert(document_versions).values(values).returning(document_versions.c.id)
    return connection.execute(statement).scalar_one(), document_id


def _query(caller: Caller) -> Select[Any]:
    newest = document_versions.alias("newest")
    published = document_versions.alias("published")
    return (
        select(
            documents,
            newest.c.number.label("version_number"),
            newest.c.sha256,
            newest.c.size,
            newest.c.media_type,
            newest.c.warnings,
            published.c.text_sha256,
            published.c.extractor,
            func.coalesce(published.c.chunk_count, 0).label("chunk_count"),
            *job_columns(),
        )
        .join(jobs, jobs.c.id == _newest_jobs().scalar_subquery())
        .join(newest, newest.c.id == jobs.c.version_id)
        .outerjoin(published, published.c.id == documents.c.version_id)
        .where(documents.c.project_id == caller.project_id)
    )


def _one(connection: Connection, caller: Caller, document_id: int) -> Document:
    row = connection.execute(_query(caller).where(documents.c.id == document_id)).first()
    if row is None:
        raise NotFoundError(f"There is no document {document_id} in this project.")
    return _document(row)


def _document(row: Row[Any]) -> Document:
    job: Job = to_job(row)
    return Document(
        id=row.id,
        repository_id=row.repository_id,
        name=row.name,
        attributes=row.attributes,
        version_id=row.version_id,
        version_number=row.version_number,
        sha256=row.sha256,
        size=row.size,
        media_type=row.media_type,
        text_sha256=row.text_sha256,
        extractor=row.extractor,
        warnings=tuple(row.warnings),
        chunk_count=row.chunk_count,
        created_at=row.created_at,
        job=job,
    )


def _chunk(row: Row[Any]) -> ChunkRow:
    return ChunkRow(
        id=row.id,
        ordinal=row.ordinal,
        start=row.start,
        end=row.end,
        token_count=row.token_count,
        page=row.page,
        heading_path=tuple(row.heading_path),
        content=row.content,
    )
