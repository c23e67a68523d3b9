"""Threads and their turns: the memory of a conversation."""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, func, insert, select

from app.core.errors import NotFoundError
from app.core.keeping import title_of
from app.core.ports import NewTurn, ThreadState, Turn
from app.core.types import Caller
from app.store.clock import now
from app.store.engine import Database
from app.store.tables import projects, threads, turns

REMEMBERED = 20  # newest turns that are brought back; a prompt has no room for more
WINDOW = 500  # newest turns among which a follow-up looks for those before it


class ThreadStore:
    """Rows of `threads` and `turns`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(
        self, caller: Caller, session: str | None, thread_id: str | None = None, after_turn: int | None = None
    ) -> ThreadState:
        """The thread the caller's user knows by `session`, or an earlier one by its id; a new one for neither.

        The turns are those up to `after_turn`, its newest for None. Raises NotFoundError for an unknown thread or turn.
        Nothing is written here: a request that fails leaves no empty thread behind.
        """
        if session is None and thread_id is None:
            return ThreadState(str(uuid.uuid4()), ())

        def work(connection: Connection) -> ThreadState:
            known = _known(connection, caller, session, thread_id)
            if known is None:
                return ThreadState(str(uuid.uuid4()), ())
            mine = (turns.c.thread_id == known) & (turns.c.project_id == caller.project_id)
            first = connection.execute(select(turns.c.question).where(mine).order_by(turns.c.number).limit(1)).scalar()
            newest = select(turns.c.number, turns.c.follows).where(mine).order_by(turns.c.number.desc()).limit(WINDOW)
            links = {row.number: row.follows for row in connection.execute(newest)}
            last = max(links, default=0)
            all_turns = list(links)[:REMEMBERED]
            wanted = all_turns if after_turn is None else _chain(connection, known, after_turn, links)
            query = select(turns).where(mine, turns.c.number.in_(wanted)).order_by(turns.c.number)
            spoken = tuple(Turn(row.number, row.question, row.answer) for row in connection.execute(query))
            return ThreadState(known, spoken, last, title_of(first or ""))

        return await self._database.look_up(work)


def _chain(connection: Connection, thread_id: str, turn: int, links: dict[int, int | None]) -> list[int]:
    """A turn, the one it followed, and so on: a follow-up may continue any turn, not only the newest."""
    if turn not in links:
        older = select(turns.c.number).where(turns.c.thread_id == thread_id, turns.c.number == turn)
        if connection.execute(older).first() is None:
            raise NotFoundError(f"The thread {thread_id} has no turn {turn}.", field="turn_id")
    chain: list[int] = []
    at: int | None = turn
    while at is not None and len(chain) < REMEMBERED:
        chain.append(at)
        at = links.get(at)
    return chain


def _known(connection: Connection, caller: Caller, session: str | None, thread_id: str | None) -> str | None:
    """The thread's id; None for a session that has none yet."""
    mine = (threads.c.project_id == caller.project_id) & (threads.c.user == caller.user)
    if thread_id is None:
        by_session = select(threads.c.id).where(mine, threads.c.session == session)
        found: str | None = connection.execute(by_session).scalar()
        return found
    if connection.execute(select(threads.c.id).where(mine, threads.c.id == thread_id)).first() is None:
        raise NotFoundError(f"There is no thread {thread_id} for this user.", field="thread_id")
    return thread_id


def add_turn(connection: Connection, caller: Caller, turn: NewTurn) -> None:
    """Appends a turn within a transaction, making the thread if it is new."""
    thread_id = _thread_of(connection, caller, turn)
    last = connection.execute(select(func.max(turns.c.number)).where(turns.c.thread_id == thread_id)).scalar()
    connection.execute(
        insert(turns).values(
            project_id=caller.project_id,
            thread_id=thread_id,
            number=(last or 0) + 1,
            follows=turn.follows,
            question=turn.question,
            answer=turn.answer,
            trace_id=turn.trace_id,
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
