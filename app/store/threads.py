"""Threads and their turns: the memory of a conversation."""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, delete, func, insert, select

from app.core.conversations import ThreadPage, ThreadView, TurnView
from app.core.errors import NotFoundError
from app.core.keeping import title_of
from app.core.ports import NewTurn, ThreadState, Turn
from app.core.types import Caller
from app.store.clock import now
from app.store.engine import Database
from app.store.tables import projects, threads, traces, turns
from app.store.thread_views import threads_of, turn_view, views

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

    async def all(self, caller: Caller, start: int, limit: int, newest: int) -> ThreadPage:
        """The caller's user's threads from number `start` (of 0) on, each with its `newest` turns."""

        def work(connection: Connection) -> ThreadPage:
            mine = threads_of(caller)
            total = connection.execute(select(func.count()).select_from(mine.subquery())).scalar_one()
            page = mine.order_by(mine.selected_columns.last_at.desc(), threads.c.id).offset(start).limit(limit)
            return ThreadPage(views(connection, caller, connection.execute(page).all(), newest), total)

        return await self._database.read(work)

    async def get(self, caller: Caller, thread_id: str, newest: int) -> ThreadView:
        """A thread of the caller's user with its `newest` turns; raises NotFoundError."""

        def work(connection: Connection) -> ThreadView:
            _known(connection, caller, None, thread_id)
            rows = connection.execute(threads_of(caller).where(threads.c.id == thread_id)).all()
            return views(connection, caller, rows, newest)[0]

        return await self._database.read(work)

    async def turn(self, caller: Caller, thread_id: str, number: int) -> TurnView:
        """A turn of a thread of the caller's user; raises NotFoundError."""

        def work(connection: Connection) -> TurnView:
            _known(connection, caller, None, thread_id)
            mine = (turns.c.thread_id == thread_id) & (turns.c.project_id == caller.project_id)
            row = connection.execute(select(turns).where(mine, turns.c.number == number)).first()
            if row is None:
                raise NotFoundError(f"The thread {thread_id} has no turn {number}.", field="turn_id")
            return turn_view(row)

        return await self._database.look_up(work)

    async def delete(self, caller: Caller, thread_id: str) -> None:
        """Leaves nothing of a thread: its turns go, and their traces with what others said of them.

        Raises NotFoundError.
        """

        def work(connection: Connection) -> None:
            _known(connection, caller, None, thread_id)
            of_turns = select(turns.c.trace_id).where(
                turns.c.thread_id == thread_id, turns.c.project_id == caller.project_id
            )
            connection.execute(
                delete(traces).where(
                    traces.c.project_id == caller.project_id,
                    (traces.c.thread_id == thread_id) | traces.c.id.in_(of_turns),
                )
            )
            connection.execute(
                delete(threads).where(threads.c.id == thread_id, threads.c.project_id == caller.project_id)
            )

        await self._database.write(work)


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


def add_turn(connection: Connection, caller: Caller, turn: NewTurn) -> str | None:
    """Appends a turn within a transaction, making the thread if it is new; returns the id of the thread it is in.

    None, and nothing is written, when the thread was deleted while its next turn was being answered.
    """
    thread_id = _thread_of(connection, caller, turn)
    if thread_id is None:
        return None
    mine = turns.c.thread_id == thread_id
    last = connection.execute(select(func.max(turns.c.number)).where(mine)).scalar() or 0
    taken = (
        turn.number <= last
        and connection.execute(select(turns.c.id).where(mine, turns.c.number == turn.number)).first() is not None
    )
    connection.execute(
        insert(turns).values(
            project_id=caller.project_id,
            thread_id=thread_id,
            number=last + 1 if taken else turn.number,
            follows=turn.follows,
            question=turn.question,
            answer=turn.answer,
            trace_id=turn.trace_id,
            created_at=now(),
        )
    )
    return thread_id


def _thread_of(connection: Connection, caller: Caller, turn: NewTurn) -> str | None:
    """The thread's id, its row locked; of two first turns of one session at once, the second joins the first's.

    None for a follow-up whose thread is gone.
    """
    mine = threads.c.project_id == caller.project_id
    known = select(threads.c.id).where(mine, threads.c.id == turn.thread_id).with_for_update(key_share=True)
    if connection.execute(known).first() is not None:
        return turn.thread_id
    if turn.follows is not None:
        return None
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
