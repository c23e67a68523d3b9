"""Threads and their turns: the memory of a conversation."""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, func, insert, select

from app.core.ports import NewTurn, ThreadState, Turn
from app.core.types import Caller
from app.store.clock import now
from app.store.engine import Database
from app.store.tables import projects, threads, turns

REMEMBERED = 20  # newest turns that are brought back; a prompt has no room for more


class ThreadStore:
    """Rows of `threads` and `turns`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, caller: Caller, session: str | None) -> ThreadState:
        """The thread the caller's user knows by `session`, made at its first turn; a new anonymous one for None.

        Nothing is written here: a request that fails leaves no empty thread behind.
        """
        if session is None:
            return ThreadState(str(uuid.uuid4()), ())

        def work(connection: Connection) -> ThreadState:
            thread_id = connection.execute(
                select(threads.c.id).where(
                    threads.c.project_id == caller.project_id,
                    threads.c.user == caller.user,
                    threads.c.session == session,
                )
            ).scalar()
            if thread_id is None:
                return ThreadState(str(uuid.uuid4()), ())
            newest = (
                select(turns.c.number, turns.c.question, turns.c.answer)
                .where(turns.c.thread_id == thread_id, turns.c.project_id == caller.project_id)
                .order_by(turns.c.number.desc())
                .limit(REMEMBERED)
            )
            rows = list(connection.execute(newest))
            return ThreadState(thread_id, tuple(Turn(row.number, row.question, row.answer) for row in reversed(rows)))

        return await self._database.look_up(work)


def add_turn(connection: Connection, caller: Caller, turn: NewTurn, trace_id: str) -> None:
    """Appends a turn within a transaction, making the thread if it is new."""
    thread_id = _thread_of(connection, caller, turn)
    last = connection.execute(select(func.max(turns.c.number)).where(turns.c.thread_id == thread_id)).scalar()
    connection.execute(
        insert(turns).values(
            project_id=caller.project_id,
            thread_id=thread_id,
            number=(last or 0) + 1,
            question=turn.question,
            answer=turn.answer,
            trace_id=trace_id,
            created_at=now(),
        )
    )


def _thread_of(connection: Connection, caller: Caller, turn: NewTurn) -> str:
    """The thread's id, its row locked; of two first turns of one session at once, the second joins the first's."""
    mine = threads.c.project_id == caller.project_id
    known = select(threads.c.id).where(mine, threads.c.id == turn.thread_id).with_for_update(key_share=True)
    if connection.execute(known).first() is not None:
        return turn.thread_id
    if turn.session is not None:
        # Whoever makes a session's thread holds the project's row: the next one waits, and finds it. Inserts refer
        # to that row under a weaker lock, which `key_share` lets them keep.
        connection.execute(
            select(projects.c.id).where(projects.c.id == caller.project_id).with_for_update(key_share=True)
        )
        same = (threads.c.user == caller.user) & (threads.c.session == turn.session)
        found: str | None = connection.execute(
            select(threads.c.id).where(mine, same).with_for_update(key_share=True)
        ).scalar()
        if found is not None:
            return found
    values = {
        "id": turn.thread_id,
        "project_id": caller.project_id,
        "user": caller.user,
        "session": turn.session,
        "created_at": now(),
    }
    connection.execute(insert(threads).values(values))
    return turn.thread_id
