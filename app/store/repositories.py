"""Repositories: named sets of documents that are searched together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select, update

from app.core.errors import NotFoundError
from app.core.library import Repository
from app.core.types import Caller, Json
from app.store.clock import now
from app.store.engine import Database
from app.store.jobs import cancel_jobs
from app.store.projects import check_project
from app.store.tables import chunks, document_versions, documents, jobs, projects, repositories
from ingest.types import Scope

GENERATIONS = select(repositories.c.id, repositories.c.generation).where(
    repositories.c.project_id == bindparam("project_id"), repositories.c.id.in_(bindparam("ids", expanding=True))
)


def missing(repository_id: int) -> NotFoundError:
    """The same answer for "not yours" and "not there"."""
    return NotFoundError(
        f"There is no repository {repository_id} in this project. `GET /v1/repositories` lists those there are.",
        field="repositories.ids",
    )


class RepositoryStore:
    """Rows of `repositories`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, caller: Caller, name: str, description: str | None = None, organization: str = ""
    ) -> Repository:
        def work(connection: Connection) -> Repository:
            check_project(connection, caller)
            values = {
                "project_id": caller.project_id,
                "name": name,
                "organization": organization,
                "description": description,
                "generation": 0,
                "created_at": now(),
            }
            made = connection.execute(insert(repositories).values(values).returning(repositories.c.id)).scalar_one()
            return _one(connection, caller, made)

        return await self._database.write(work)

    async def all(self, caller: Caller) -> list[Repository]:
        query = _query(caller).order_by(repositories.c.id)
        return await self._database.read(lambda connection: [_repository(row) for row in connection.execute(query)])

    async def get(self, caller: Caller, repository_id: int) -> Repository:
        return await self._database.read(lambda connection: _one(connection, caller, repository_id))

    async def change(self, caller: Caller, repository_id: int, values: dict[str, Json]) -> Repository:
        """Sets name, description or organization."""

        def work(connection: Connection) -> Repository:
            mine = (repositories.c.id == repository_id) & (repositories.c.project_id == caller.project_id)
            if values:
                connection.execute(update(repositories).where(mine).values(values))
            return _one(connection, caller, repository_id)

        return await self._database.write(work)

    async def delete(self, caller: Caller, repository_id: int) -> tuple[list[int], list[str]]:
        """Removes it with all its documents; returns the chunk ids and blob hashes that are now nobody's."""

        def work(connection: Connection) -> tuple[list[int], list[str]]:
            lock_repository(connection, caller, repository_id)
            cancel_jobs(connection, jobs.c.repository_id == repository_id, "The repository was deleted.")
            inside = chunks.c.repository_id == repository_id
            chunk_ids = list(connection.execute(select(chunks.c.id).where(inside)).scalars())
            versions = select(document_versions.c.sha256).where(document_versions.c.repository_id == repository_id)
            hashes = set(connection.execute(versions).scalars())
            connection.execute(delete(documents).where(documents.c.repository_id == repository_id))
            connection.execute(delete(repositories).where(repositories.c.id == repository_id))
            _forget_default(connection, caller, repository_id)
            return chunk_ids, unused_blobs(connection, caller, hashes)

        return await self._database.write(work)

    def scopes_now(self, caller: Caller, repository_ids: Sequence[int]) -> tuple[Scope, ...]:
        """Their present generations, in the order asked for; raises NotFoundError naming the first missing.

        Blocking: retrieval runs in a thread of its own.
        """

        def work(connection: Connection) -> tuple[Scope, ...]:
            rows = connection.execute(GENERATIONS, {"project_id": caller.project_id, "ids": list(repository_ids)})
            found = {row.id: row.generation for row in rows}
            for repository_id in repository_ids:
                if repository_id not in found:
                    raise missing(repository_id)
            return tuple(Scope(each, found[each]) for each in dict.fromkeys(repository_ids))

        return self._database.read_now(work)


def lock_repository(connection: Connection, caller: Caller, repository_id: int) -> None:
    """Makes other uploads, publications and deletions of this repository wait; raises NotFoundError.

    Whoever needs more locks takes them in one order (repository, jobs, documents), or two would wait for each other.
    """
    mine = (repositories.c.id == repository_id) & (repositories.c.project_id == caller.project_id)
    query = select(repositories.c.id).where(mine).with_for_update(key_share=True)
    if connection.execute(query).first() is None:
        raise missing(repository_id)


def unused_blobs(connection: Connection, caller: Caller, hashes: set[str]) -> list[str]:
    """Of these blobs, the ones that no document version of the project needs any more."""
    query = select(document_versions.c.sha256).where(
        document_versions.c.project_id == caller.project_id, document_versions.c.sha256.in_(hashes)
    )
    return sorted(hashes - set(connection.execute(query).scalars()))


def _forget_default(connection: Connection, caller: Caller, repository_id: int) -> None:
    """A project that searched this repository by default would answer nothing but "not found"."""
    mine = projects.c.id == caller.project_id
    before = connection.execute(select(projects.c.repository_ids).where(mine).with_for_update(key_share=True)).scalar()
    after = [each for each in before or [] if each != repository_id]
    if after != before:
        connection.execute(update(projects).where(mine).values(repository_ids=after))


def _query(caller: Caller) -> Select[Any]:
    counts = (
        select(
            documents.c.repository_id,
            func.count().label("document_count"),
            func.coalesce(func.sum(document_versions.c.chunk_count), 0).label("chunk_count"),
        )
        .outerjoin(document_versions, document_versions.c.id == documents.c.version_id)
        .where(documents.c.project_id == caller.project_id)
        .group_by(documents.c.repository_id)
        .subquery()
    )
    return (
        select(
            repositories,
            func.coalesce(counts.c.document_count, 0).label("document_count"),
            func.coalesce(counts.c.chunk_count, 0).label("chunk_count"),
        )
        .outerjoin(counts, counts.c.repository_id == repositories.c.id)
        .where(repositories.c.project_id == caller.project_id)
    )


def _one(connection: Connection, caller: Caller, repository_id: int) -> Repository:
    row = connection.execute(_query(caller).where(repositories.c.id == repository_id)).first()
    if row is None:
        raise missing(repository_id)
    return _repository(row)


def _repository(row: Row[Any]) -> Repository:
    return Repository(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        organization=row.organization,
        description=row.description,
        generation=row.generation,
        fingerprint=row.fingerprint,
        created_at=row.created_at,
        document_count=row.document_count,
        chunk_count=row.chunk_count,
    )
