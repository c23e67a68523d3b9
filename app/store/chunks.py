"""Chunks as retrieval reads them: only those of published versions, only the caller's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from app.core.types import Caller, Hit
from app.store.engine import Database
from app.store.repositories import missing
from app.store.tables import chunks, document_versions, documents, repositories
from ingest.types import Passage

IDS_PER_QUERY = 5_000  # SQLite takes 32,766 variables

# By the document's own key: by version alone every hit would scan all documents.
PUBLISHED = (documents.c.id == chunks.c.document_id) & (documents.c.version_id == chunks.c.version_id)

# Built once: putting the statement together takes longer than answering it.
HITS = (
    select(
        chunks.c.id,
        chunks.c.document_id,
        chunks.c.repository_id,
        chunks.c.start,
        chunks.c.end,
        chunks.c.page,
        chunks.c.heading_path,
        chunks.c.content,
        documents.c.name,
        documents.c.attributes,
        document_versions.c.text_sha256,
    )
    .join(documents, PUBLISHED)
    .join(document_versions, document_versions.c.id == chunks.c.version_id)
    .where(chunks.c.project_id == bindparam("project_id"), chunks.c.id.in_(bindparam("ids", expanding=True)))
)


class ChunkStore:
    """Rows of `chunks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def visible_ids(self, caller: Caller, repository_id: int) -> tuple[int, tuple[int, ...]]:
        """The generation and all searchable chunk ids of a repository, read in one transaction."""
        return await self._database.read(lambda connection: visible(connection, caller, repository_id))

    def hits_now(self, caller: Caller, scores: Mapping[int, float]) -> list[Hit]:
        """The chunks by id, best score first, equal scores by id; ids no longer visible are left out.

        Blocking: retrieval runs in a thread of its own.
        """
        if not scores:
            return []

        def work(connection: Connection) -> list[Hit]:
            rows = connection.execute(HITS, {"project_id": caller.project_id, "ids": list(scores)})
            return sorted((_hit(row, scores[row.id]) for row in rows), key=lambda hit: (-hit.score, hit.chunk_id))

        return self._database.read_now(work)

    def openings_now(self, caller: Caller, repository_ids: Sequence[int], documents: int, chunks: int) -> list[Hit]:
        """The first chunks of the first documents of each repository, `documents` in all; with score 0. Blocking."""

        def work(connection: Connection) -> list[int]:
            each = max(1, documents // max(1, len(repository_ids)))
            found: list[int] = []
            for repository_id in repository_ids[:documents]:
                found.extend(connection.execute(_openings(caller, repository_id, each, chunks)).scalars())
            return found

        ids = self._database.read_now(work)
        order = {chunk_id: place for place, chunk_id in enumerate(ids)}
        return sorted(self.hits_now(caller, dict.fromkeys(ids, 0.0)), key=lambda hit: order[hit.chunk_id])

    async def passages(self, caller: Caller, chunk_ids: Sequence[int]) -> list[Passage]:
        """The chunks as indexes take them in; for an index that must be made again."""

        def work(connection: Connection) -> list[Passage]:
            found: list[Passage] = []
            for at in range(0, len(chunk_ids), IDS_PER_QUERY):
                query = select(chunks.c.id, chunks.c.heading_path, chunks.c.content).where(
                    chunks.c.project_id == caller.project_id, chunks.c.id.in_(chunk_ids[at : at + IDS_PER_QUERY])
                )
                found.extend(to_passage(row) for row in connection.execute(query))
            return found

        return await self._database.read(work)


def _openings(caller: Caller, repository_id: int, most: int, each: int) -> Select[Any]:
    """Ids of the first chunks of the first documents of a repository."""
    first = (
        select(documents.c.version_id)
        .where(
            documents.c.repository_id == repository_id,
            documents.c.project_id == caller.project_id,
            documents.c.version_id.is_not(None),
        )
        .order_by(documents.c.id)
        .limit(most)
    )
    return (
        select(chunks.c.id)
        .where(
            chunks.c.project_id == caller.project_id,
            chunks.c.repository_id == repository_id,
            chunks.c.version_id.in_(first),
            chunks.c.ordinal < each,
        )
        .order_by(chunks.c.document_id, chunks.c.ordinal)
    )


def visible(connection: Connection, caller: Caller, repository_id: int) -> tuple[int, tuple[int, ...]]:
    """See ChunkStore.visible_ids; for those who already hold a transaction."""
    mine = (repositories.c.id == repository_id) & (repositories.c.project_id == caller.project_id)
    generation = connection.execute(select(repositories.c.generation).where(mine)).scalar()
    if generation is None:
        raise missing(repository_id)
    query = (
        select(chunks.c.id)
        .join(documents, PUBLISHED)
        .where(chunks.c.repository_id == repository_id, chunks.c.project_id == caller.project_id)
        .order_by(chunks.c.id)
    )
    return generation, tuple(connection.execute(query).scalars())


def to_passage(row: Any) -> Passage:
    """A row with id, heading_path and content."""
    return Passage(row.id, tuple(row.heading_path), row.content)


def _hit(row: Any, score: float) -> Hit:
    return Hit(
        chunk_id=row.id,
        document_id=row.document_id,
        repository_id=row.repository_id,
        document_name=row.name,
        content=row.content,
        start=row.start,
        end=row.end,
        text_sha256=row.text_sha256,
        score=score,
        page=row.page,
        heading_path=tuple(row.heading_path),
        attributes=row.attributes,
    )
