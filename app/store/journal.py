"""Traces: what was asked, found, said, and how long it took; written in one transaction with the turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from app.core.errors import NotFoundError
from app.core.ports import NewTurn, TraceRecord
from app.core.types import Caller
from app.store.engine import Database
from app.store.projects import check_project
from app.store.tables import traces
from app.store.threads import add_turn


class JournalStore:
    """Rows of `traces`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, caller: Caller, trace: TraceRecord, turn: NewTurn | None) -> None:
        """Keeps both in one transaction; raises NotFoundError for a project that is not there."""
        values = {
            "id": trace.id,
            "project_id": caller.project_id,
            "created_at": trace.created_at,
            "outcome": trace.outcome,
            "model": trace.model,
            "question": trace.question,
            "duration_ms": trace.duration_ms,
            "detail": dict(trace.detail),
        }

        def work(connection: Connection) -> None:
            check_project(connection, caller)
            connection.execute(insert(traces).values(values))
            if turn is not None:
                add_turn(connection, caller, turn, trace.id)

        await self._database.write(work)

    async def all(self, caller: Caller, limit: int, before: str | None = None) -> Sequence[TraceRecord]:
        """The newest first; `before` is the id of the last one of the page before; raises NotFoundError for it."""
        query = select(traces).where(traces.c.project_id == caller.project_id)
        if before is not None:
            last = await self.get(caller, before)
            older = traces.c.created_at < last.created_at
            query = query.where(older | ((traces.c.created_at == last.created_at) & (traces.c.id > last.id)))
        query = query.order_by(traces.c.created_at.desc(), traces.c.id).limit(limit)
        return await self._database.read(lambda connection: [_trace(row) for row in connection.execute(query)])

    async def get(self, caller: Caller, trace_id: str) -> TraceRecord:
        """Raises NotFoundError."""

        def work(connection: Connection) -> TraceRecord:
            mine = (traces.c.id == trace_id) & (traces.c.project_id == caller.project_id)
            row = connection.execute(select(traces).where(mine)).first()
            if row is None:
                raise NotFoundError(f"There is no trace {trace_id} in this project.")
            return _trace(row)

        return await self._database.read(work)


def _trace(row: Row[Any]) -> TraceRecord:
    return TraceRecord(row.id, row.created_at, row.outcome, row.model, row.question, row.duration_ms, row.detail)
