"""Reads whole conversations from the rows of `threads` and `turns`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from app.core.conversations import ThreadView, TurnView
from app.core.keeping import title_of
from app.core.types import Caller
from app.store.tables import threads, turns


def threads_of(caller: Caller) -> Select[Any]:
    """The caller's user's threads, each with the time of its newest turn (`last_at`) and their count."""
    spoken = (
        select(turns.c.thread_id, func.max(turns.c.created_at).label("last_at"), func.count().label("turn_count"))
        .where(turns.c.project_id == caller.project_id)
        .group_by(turns.c.thread_id)
        .subquery()
    )
    return (
        select(threads, spoken.c.last_at, spoken.c.turn_count)
        .join(spoken, spoken.c.thread_id == threads.c.id)
        .where(threads.c.project_id == caller.project_id, threads.c.user == caller.user)
    )


def views(connection: Connection, caller: Caller, rows: Sequence[Row[Any]], newest: int) -> tuple[ThreadView, ...]:
    """Rows of `threads_of`, each with its `newest` turns."""
    ids = [row.id for row in rows]
    mine = (turns.c.project_id == caller.project_id) & turns.c.thread_id.in_(ids)
    place = func.row_number().over(partition_by=turns.c.thread_id, order_by=turns.c.number.desc()).label("place")
    ranked = select(turns, place).where(mine).subquery()
    spoken: dict[str, list[TurnView]] = {each: [] for each in ids}
    for row in connection.execute(select(ranked).where(ranked.c.place <= newest).order_by(ranked.c.number)):
        spoken[row.thread_id].append(turn_view(row))
    first = select(turns.c.thread_id, turns.c.question).where(mine, turns.c.number == 1)
    titles = {row.thread_id: title_of(row.question) for row in connection.execute(first)}
    return tuple(
        ThreadView(
            row.id,
            row.user,
            row.session,
            titles[row.id],
            row.created_at,
            row.last_at,
            row.turn_count,
            tuple(spoken[row.id]),
        )
        for row in rows
    )


def turn_view(row: Row[Any]) -> TurnView:
    """A row of `turns`."""
    return TurnView(row.number, row.follows, row.question, row.answer, row.trace_id, row.created_at)
