"""Traces by what they say, page by page, and the trees they stand in."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select
from sqlalchemy.sql.elements import ColumnElement

from app.core.errors import NotFoundError
from app.core.ports import TraceRecord
from app.core.trace_query import TracePage, TraceQuery, TraceTree, grow
from app.core.types import Caller
from app.store.engine import Database
from app.store.journal import to_trace
from app.store.tables import traces
from app.store.trace_filters import condition

FAILED = ("error", "cancelled")
COMPLETION = "completion"


class TraceSearchStore:
    """Reads `traces`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(self, caller: Caller, query: TraceQuery) -> TracePage:
        """What the query finds, newest first unless it says otherwise."""
        wanted = self._conditions(caller, query)
        created = traces.c.created_at.asc() if query.oldest_first else traces.c.created_at.desc()
        rows = select(traces).where(*wanted).order_by(created, traces.c.id)

        def work(connection: Connection) -> TracePage:
            total = connection.execute(select(func.count()).select_from(traces).where(*wanted)).scalar_one()
            found = connection.execute(rows.limit(query.limit).offset(query.skip))
            return TracePage(tuple(to_trace(row) for row in found), total)

        return await self._database.read(work)

    async def tree(self, caller: Caller, trace_id: str, most: int) -> TraceTree:
        """A trace with those that are parts of it, the `most` that began first; raises NotFoundError."""

        def work(connection: Connection) -> TraceTree:
            mine = traces.c.project_id == caller.project_id
            row = connection.execute(select(traces).where(mine, traces.c.id == trace_id)).first()
            if row is None:
                raise NotFoundError(f"There is no trace {trace_id} in this project.", field="trace_id")
            return _trees(connection, caller, [to_trace(row)], most)[0]

        return await self._database.read(work)

    async def trees(self, caller: Caller, tops: Sequence[TraceRecord], most: int) -> list[TraceTree]:
        """Each of these traces with those that are parts of it, the `most` that began first over all."""
        if not tops:
            return []
        return await self._database.read(lambda connection: _trees(connection, caller, tops, most))

    def _conditions(self, caller: Caller, query: TraceQuery) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = [traces.c.project_id == caller.project_id]
        if query.workspace_id is not None:
            wanted.append(traces.c.workspace_id == query.workspace_id)
        if query.experiment_id is not None:
            wanted.append(traces.c.experiment_id == query.experiment_id)
        if query.since is not None:
            wanted.append(traces.c.created_at >= query.since)
        if query.until is not None:
            wanted.append(traces.c.created_at < query.until)
        if query.kind is not None:
            wanted.append(traces.c.kind == query.kind)
        if query.by_admin:
            wanted.append((traces.c.kind == COMPLETION) & traces.c.detail["key_id"].as_string().is_(None))
        if query.failed is not None:
            wanted.append(traces.c.outcome.in_(FAILED) if query.failed else traces.c.outcome.not_in(FAILED))
        if query.roots_only:  # one whose parent was never written is the top of what there is
            above = traces.alias()
            has_parent = (above.c.project_id == traces.c.project_id) & (above.c.id == traces.c.parent_id)
            wanted.append(traces.c.parent_id.is_(None) | ~select(1).select_from(above).where(has_parent).exists())
        if query.filter is not None:
            wanted.append(condition(self._database, query.filter))
        return wanted


def _trees(connection: Connection, caller: Caller, tops: Sequence[TraceRecord], most: int) -> list[TraceTree]:
    roots = {top.root_id or top.id for top in tops} | {top.id for top in tops}
    # Of the same trees in both: a part that names no root has its parent for one.
    query = (
        select(traces)
        .where(traces.c.project_id == caller.project_id, traces.c.root_id.in_(roots))
        .order_by(traces.c.created_at, traces.c.id)
        .limit(most)
    )
    rows = [to_trace(row) for row in connection.execute(query)]
    return [grow(top, rows) for top in tops]
