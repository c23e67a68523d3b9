"""Traces: what was asked, found, said, and how long it took; written in one transaction with the turn."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.core.errors import NotFoundError
from app.core.ports import NewTurn, TraceRecord
from app.core.types import Caller, Json
from app.store.engine import Database
from app.store.projects import check_project
from app.store.tables import traces
from app.store.threads import add_turn

_FIELDS = tuple(field.name for field in fields(TraceRecord))


class JournalStore:
    """Rows of `traces`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, caller: Caller, trace: TraceRecord | None, turn: NewTurn | None) -> None:
        """Keeps both in one transaction; a trace takes the place of an earlier one with its id.

        Neither is kept of a turn whose thread was deleted meanwhile. Raises NotFoundError for a project that is not
        there.
        """

        def work(connection: Connection) -> None:
            check_project(connection, caller)
            thread_id = None if turn is None else add_turn(connection, caller, turn)
            if turn is not None and thread_id is None:
                return
            if trace is not None:
                put_trace(connection, caller, trace if thread_id is None else _in_thread(trace, thread_id))

        await self._database.write(work)

    async def cached(self, caller: Caller, cache_key: str, since: float) -> TraceRecord | None:
        """The newest good completion of this key that is not older than `since` (Unix seconds)."""
        query = (
            select(traces)
            .where(
                traces.c.project_id == caller.project_id,
                traces.c.cache_key == cache_key,
                traces.c.created_at >= since,
            )
            .order_by(traces.c.created_at.desc())
            .limit(1)
        )

        def work(connection: Connection) -> TraceRecord | None:
            row = connection.execute(query).first()
            return None if row is None else to_trace(row)

        return await self._database.look_up(work)

    async def score(self, caller: Caller, trace_id: str, scores: Sequence[Mapping[str, Json]]) -> None:
        """Adds scores to a trace, each in the place of an earlier one of its name; nothing where there is no trace."""

        def work(connection: Connection) -> None:
            mine = (traces.c.id == trace_id) & (traces.c.project_id == caller.project_id)
            held = connection.execute(select(traces.c.scores).where(mine).with_for_update()).scalar()
            if held is None:
                return
            by_name = {score["name"]: dict(score) for score in (*held, *scores)}
            connection.execute(update(traces).where(mine).values(scores=list(by_name.values())))

        await self._database.write(work)

    async def all(self, caller: Caller, limit: int, before: str | None = None) -> Sequence[TraceRecord]:
        """The newest first; `before` is the id of the last one of the page before; raises NotFoundError for it."""
        query = select(traces).where(traces.c.project_id == caller.project_id)
        if before is not None:
            last = await self.get(caller, before)
            older = traces.c.created_at < last.created_at
            query = query.where(older | ((traces.c.created_at == last.created_at) & (traces.c.id > last.id)))
        query = query.order_by(traces.c.created_at.desc(), traces.c.id).limit(limit)
        return await self._database.read(lambda connection: [to_trace(row) for row in connection.execute(query)])

    async def some(self, caller: Caller, trace_ids: Collection[str]) -> dict[str, TraceRecord]:
        """Traces by their id; unknown ones are left out."""
        query = select(traces).where(traces.c.project_id == caller.project_id, traces.c.id.in_(trace_ids))
        return await self._database.read(
            lambda connection: {row.id: to_trace(row) for row in connection.execute(query)}
        )

    async def get(self, caller: Caller, trace_id: str) -> TraceRecord:
        """Raises NotFoundError."""

        def work(connection: Connection) -> TraceRecord:
            mine = (traces.c.id == trace_id) & (traces.c.project_id == caller.project_id)
            row = connection.execute(select(traces).where(mine)).first()
            if row is None:
                raise NotFoundError(f"There is no trace {trace_id} in this project.")
            return to_trace(row)

        return await self._database.read(work)


def _in_thread(trace: TraceRecord, thread_id: str) -> TraceRecord:
    """The trace in the thread of its turn: another than was told where two began one session at the same time."""
    return replace(trace, thread_id=thread_id, detail={**trace.detail, "thread_id": thread_id})


def put_trace(connection: Connection, caller: Caller, trace: TraceRecord) -> None:
    """Writes a trace within a transaction, in the place of an earlier one with its id."""
    values = {name: getattr(trace, name) for name in _FIELDS} | {
        "project_id": caller.project_id,
        "root_id": trace.root_id or trace.id,
        "scores": [dict(score) for score in trace.scores],
        "detail": dict(trace.detail),
    }
    connection.execute(_put(connection.dialect.name), values)


@functools.cache
def _put(dialect: str) -> Any:
    """The statement, built once: building it takes SQLAlchemy longer than the database takes to run it."""
    into = (sqlite if dialect == "sqlite" else postgresql).insert(traces)
    changed = {column.name: into.excluded[column.name] for column in traces.c if not column.primary_key}
    return into.on_conflict_do_update(index_elements=["project_id", "id"], set_=changed)


def to_trace(row: Row[Any]) -> TraceRecord:
    """A row of `traces` as the core knows it."""
    return TraceRecord(**{name: getattr(row, name) for name in _FIELDS} | {"scores": tuple(row.scores)})
