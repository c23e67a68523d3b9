"""Todos that are content gaps: noted, folded and counted, completed by what is published later."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, insert, select, update

from app.core.gaps import GapRules, KnownGap, Standing, find_same, gives_way
from app.core.todos import NewGap, OpenGap
from app.core.types import Caller
from app.store.clock import now
from app.store.engine import Database
from app.store.tables import document_versions, documents, todos
from app.store.todos import lock_project

GAP = todos.c.cause.is_not(None)
OPEN = GAP & todos.c.completed.is_(False)


class GapStore:
    """Rows of `todos` that have a cause."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(
        self,
        caller: Caller,
        question: str,
        repository_ids: tuple[int, ...],
        vector: bytes,
        asked_at: float,
        rules: GapRules,
    ) -> bool:
        """Counts a question in the gap that asks the same; False when there is none. Raises NotFoundError.

        A gap that a document completed is open again: that text does not answer it after all. One that a person
        completed stays so, and counts.
        """

        def work(connection: Connection) -> bool:
            lock_project(connection, caller)
            return _count(connection, caller, question, repository_ids, vector, asked_at, rules)

        return await self._database.write(work)

    async def note(self, caller: Caller, gap: NewGap, rules: GapRules) -> bool:
        """Makes a todo of a gap, or counts it in one that was made meanwhile; raises NotFoundError.

        False when there are as many as may be and somebody has plans with all of them: then nothing is kept.
        """

        def work(connection: Connection) -> bool:
            lock_project(connection, caller)  # of two equal questions at once the second finds the first's todo
            if _count(connection, caller, gap.question, gap.repository_ids, gap.vector, gap.asked_at, rules):
                return True
            if not _make_room(connection, caller, rules.most):
                return False
            values = {
                "project_id": caller.project_id,
                "title": gap.title,
                "completed": False,
                "created_at": now(),
                "weight": 1,
                "tags": [],
                "cause": gap.cause,
                "question": gap.question,
                "asked": 1,
                "last_asked_at": gap.asked_at,
                "repository_ids": list(gap.repository_ids),
                "similarity_threshold": gap.similarity_threshold,
                "near_misses": [asdict(each) for each in gap.near_misses],
                "vector": gap.vector,
            }
            connection.execute(insert(todos).values(values))
            return True

        return await self._database.write(work)

    async def waiting(self, caller: Caller, repository_id: int) -> list[OpenGap]:
        """The open gaps of a repository, those asked most first."""
        query = select(todos).where(todos.c.project_id == caller.project_id, OPEN)
        query = query.order_by(todos.c.asked.desc(), todos.c.id)
        return await self._database.read(
            lambda connection: [
                _open_gap(row) for row in connection.execute(query) if repository_id in row.repository_ids
            ]
        )

    async def overdue(self, caller: Caller | None = None) -> list[OpenGap]:
        """Open gaps in whose project something was published after they were last asked; of all projects for None."""
        later = exists().where(
            document_versions.c.project_id == todos.c.project_id,
            document_versions.c.published_at > todos.c.last_asked_at,
        )
        query = select(todos).where(OPEN, later)
        if caller is not None:
            query = query.where(todos.c.project_id == caller.project_id)
        query = query.order_by(todos.c.asked.desc(), todos.c.id)
        return await self._database.read(lambda connection: [_open_gap(row) for row in connection.execute(query)])

    async def complete(
        self, caller: Caller, todo_id: int, document_ids: Sequence[int], just_published: Collection[int] = ()
    ) -> int | None:
        """Completes an open gap by the first of these documents that is newer than the question; returns which.

        Newer is what was just published, or was published after the question was last asked.
        """

        def work(connection: Connection) -> int | None:
            mine = (todos.c.id == todo_id) & (todos.c.project_id == caller.project_id)
            asked_at = connection.execute(select(todos.c.last_asked_at).where(mine, OPEN)).scalar()
            if asked_at is None:
                return None
            published = select(documents.c.id, document_versions.c.published_at).join(
                document_versions, document_versions.c.id == documents.c.version_id
            )
            rows = connection.execute(
                published.where(documents.c.project_id == caller.project_id, documents.c.id.in_(document_ids))
            )
            newer = {row.id for row in rows if row.id in just_published or row.published_at > asked_at}
            answering = next((each for each in document_ids if each in newer), None)
            if answering is None:
                return None
            values = {"completed": True, "completed_at": now(), "answered_by": answering}
            changed = connection.execute(update(todos).where(mine, OPEN).values(values))
            return answering if changed.rowcount else None

        return await self._database.write(work)


def _count(
    connection: Connection,
    caller: Caller,
    question: str,
    repository_ids: tuple[int, ...],
    vector: bytes,
    asked_at: float,
    rules: GapRules,
) -> bool:
    columns = (todos.c.id, todos.c.question, todos.c.repository_ids, todos.c.vector)
    rows = connection.execute(select(*columns).where(todos.c.project_id == caller.project_id, GAP).order_by(todos.c.id))
    known = [KnownGap(row.id, row.question, tuple(row.repository_ids), row.vector) for row in rows]
    same = find_same(known, question, repository_ids, vector, rules.similarity)
    if same is None:
        return False
    found = connection.execute(select(todos).where(todos.c.id == same)).one()
    values = {"asked": todos.c.asked + 1, "last_asked_at": max(asked_at, found.last_asked_at)}
    if found.answered_by is not None:
        values |= {"completed": False, "completed_at": None, "answered_by": None}
    connection.execute(update(todos).where(todos.c.id == same).values(values))
    return True


def _make_room(connection: Connection, caller: Caller, most: int) -> bool:
    """Forgets a gap where there are as many as may be; False when none may be forgotten."""
    mine = todos.c.project_id == caller.project_id
    rows = connection.execute(select(todos).where(mine, GAP)).all()
    if len(rows) < most:
        return True
    parents = set(connection.execute(select(todos.c.parent_id).where(mine, todos.c.parent_id.is_not(None))).scalars())
    untouched = [
        Standing(row.id, row.completed, row.asked, row.last_asked_at)
        for row in rows
        if row.due_date is None and row.parent_id is None and not row.tags and row.weight == 1 and row.id not in parents
    ]
    forgotten = gives_way(untouched)
    if forgotten is None:
        return False
    connection.execute(delete(todos).where(todos.c.id == forgotten))
    return True


def _open_gap(row: Row[Any]) -> OpenGap:
    return OpenGap(
        row.id, row.project_id, row.question, tuple(row.repository_ids), row.similarity_threshold, row.vector
    )
