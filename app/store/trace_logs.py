"""Logs that callers write: merged into the row that is there, or a new one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from app.core.errors import NotFoundError
from app.core.ports import TraceRecord
from app.core.trace_logs import LogPart, merged
from app.core.types import Caller
from app.store.clock import now
from app.store.engine import Database
from app.store.journal import put_trace, to_trace
from app.store.projects import check_project
from app.store.tables import projects, traces


class TraceLogStore:
    """Rows of `traces`, as their callers write them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, caller: Caller, parts: Sequence[LogPart]) -> None:
        """Merges each part into its log in one transaction, making those that are not there.

        Raises InvalidRequestError for a part that would change what a completion did; then nothing is written.
        """

        def work(connection: Connection) -> None:
            check_project(connection, caller)
            if any(_locked(connection, caller, part.id) is None for part in parts):
                # Whoever makes a log holds the project's row, so that two at once of one id become one.
                connection.execute(
                    select(projects.c.id).where(projects.c.id == caller.project_id).with_for_update(key_share=True)
                )
            for part in parts:
                put_trace(connection, caller, merged(_locked(connection, caller, part.id), part, now()))

        await self._database.write(work)

    async def change(self, caller: Caller, part: LogPart) -> None:
        """Merges a part into a log that is there; raises NotFoundError, InvalidRequestError."""

        def work(connection: Connection) -> None:
            old = _locked(connection, caller, part.id)
            if old is None:
                raise NotFoundError(f"There is no trace {part.id} in this project.", field="trace_id")
            put_trace(connection, caller, merged(old, part, now()))

        await self._database.write(work)

    async def drop_tree(self, caller: Caller, root_id: str) -> int:
        """Deletes what is kept of a tree of traces; returns how many rows."""
        mine = (traces.c.project_id == caller.project_id) & (traces.c.root_id == root_id)
        return await self._database.write(lambda connection: connection.execute(delete(traces).where(mine)).rowcount)


def _locked(connection: Connection, caller: Caller, trace_id: str) -> TraceRecord | None:
    mine = (traces.c.id == trace_id) & (traces.c.project_id == caller.project_id)
    row = connection.execute(select(traces).where(mine).with_for_update()).first()
    return None if row is None else to_trace(row)
