"""Feedback: what people said of a trace, as often as they said it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from app.core.errors import NotFoundError
from app.core.feedback import Feedback, NewFeedback, keepable
from app.core.types import Caller
from app.store.clock import now
from app.store.engine import Database
from app.store.tables import feedback, traces


class FeedbackStore:
    """Rows of `feedback`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, caller: Caller, new: NewFeedback) -> Feedback:
        """Keeps it, without what its trace was told not to keep; raises NotFoundError for an unknown trace."""

        def work(connection: Connection) -> Feedback:
            detail = _check_trace(connection, caller, new.trace_id)
            kept = keepable(new, detail.get("omitted", ()))
            values = {
                "project_id": caller.project_id,
                "trace_id": kept.trace_id,
                "positive": kept.positive,
                "score": kept.score,
                "name": kept.name,
                "target": kept.target,
                "comment": kept.comment,
                "messages": [dict(message) for message in kept.messages],
                "user": caller.user,
                "created_at": now(),
            }
            return _feedback(connection.execute(insert(feedback).values(values).returning(feedback)).one())

        return await self._database.write(work)

    async def withdraw(self, caller: Caller, trace_id: str) -> None:
        """Takes back every thumb on a trace; raises NotFoundError for an unknown trace."""

        def work(connection: Connection) -> None:
            _check_trace(connection, caller, trace_id)
            mine = (feedback.c.project_id == caller.project_id) & (feedback.c.trace_id == trace_id)
            connection.execute(delete(feedback).where(mine, feedback.c.positive.is_not(None)))

        await self._database.write(work)

    async def thumbs(self, caller: Caller, trace_ids: Collection[str]) -> dict[str, Feedback]:
        """The newest thumb on each of these traces; traces without one are left out."""
        mine = (feedback.c.project_id == caller.project_id) & feedback.c.trace_id.in_(trace_ids)
        query = select(feedback).where(mine, feedback.c.positive.is_not(None)).order_by(feedback.c.id)
        return await self._database.read(
            lambda connection: {row.trace_id: _feedback(row) for row in connection.execute(query)}
        )

    async def of(self, caller: Caller, trace_id: str) -> list[Feedback]:
        """All feedback on a trace, oldest first; none where there is no such trace."""
        mine = (feedback.c.project_id == caller.project_id) & (feedback.c.trace_id == trace_id)
        query = select(feedback).where(mine).order_by(feedback.c.id)
        return await self._database.read(lambda connection: [_feedback(row) for row in connection.execute(query)])


def _check_trace(connection: Connection, caller: Caller, trace_id: str) -> dict[str, Any]:
    """Its detail, the row locked; raises NotFoundError."""
    mine = (traces.c.id == trace_id) & (traces.c.project_id == caller.project_id)
    row = connection.execute(select(traces.c.detail).where(mine).with_for_update(key_share=True)).first()
    if row is None:
        raise NotFoundError(f"There is no trace {trace_id} in this project.", field="trace_id")
    detail: dict[str, Any] = row.detail
    return detail


def _feedback(row: Row[Any]) -> Feedback:
    return Feedback(
        id=row.id,
        given=NewFeedback(
            trace_id=row.trace_id,
            positive=row.positive,
            score=row.score,
            name=row.name,
            target=row.target,
            comment=row.comment,
            messages=tuple(row.messages),
        ),
        user=row.user,
        created_at=row.created_at,
    )
