"""Todos as people write, read and order them; app.store.gaps writes those that are content gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from app.core.errors import InvalidRequestError, NotFoundError
from app.core.todos import Gap, GapCause, NearMiss, NewTodo, Todo, TodoOrder
from app.core.types import Caller, Json
from app.store.clock import now
from app.store.engine import Database
from app.store.tables import projects, todos


class TodoStore:
    """Rows of `todos`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, caller: Caller, new: NewTodo) -> Todo:
        """Raises NotFoundError for a parent that is not there."""

        def work(connection: Connection) -> Todo:
            lock_project(connection, caller)
            if new.parent_id is not None:
                _check_parent(connection, caller, new.parent_id)
            values = {
                "project_id": caller.project_id,
                "title": new.title,
                "completed": False,
                "created_at": now(),
                "due_date": new.due_date,
                "weight": new.weight,
                "parent_id": new.parent_id,
                "tags": list(new.tags),
                "asked": 0,
                "repository_ids": [],
                "near_misses": [],
            }
            made = connection.execute(insert(todos).values(values).returning(todos.c.id)).scalar_one()
            return one(connection, caller, made)

        return await self._database.write(work)

    async def all(
        self, caller: Caller, completed: bool | None, order: TodoOrder, limit: int, skip: int = 0
    ) -> list[Todo]:
        """All of them, or those that are completed or not; each with its children."""
        query = select(todos).where(todos.c.project_id == caller.project_id)
        if completed is not None:
            query = query.where(todos.c.completed == completed)
        asked = [todos.c.asked.desc()] if order is TodoOrder.MOST_ASKED else []
        query = query.order_by(*asked, todos.c.id).limit(limit).offset(skip)
        return await self._database.read(
            lambda connection: _with_children(connection, caller, list(connection.execute(query)))
        )

    async def get(self, caller: Caller, todo_id: int) -> Todo:
        """Raises NotFoundError."""
        return await self._database.read(lambda connection: one(connection, caller, todo_id))

    async def toggle(self, caller: Caller, todo_id: int) -> Todo:
        """Completes an open one, reopens a completed one; raises NotFoundError."""

        def work(connection: Connection) -> Todo:
            lock_project(connection, caller)
            completed = not one(connection, caller, todo_id).completed
            _set(connection, caller, todo_id, completion(completed))
            return one(connection, caller, todo_id)

        return await self._database.write(work)

    async def change(self, caller: Caller, todo_id: int, values: Mapping[str, Json]) -> Todo:
        """Sets some of title, completed, due_date, weight, parent_id, tags; raises NotFoundError.

        Raises InvalidRequestError for a parent that is the todo itself or below it.
        """

        def work(connection: Connection) -> Todo:
            lock_project(connection, caller)
            before = one(connection, caller, todo_id)
            columns = dict(values)
            if columns.get("parent_id") is not None:
                _check_parent(connection, caller, columns["parent_id"], of=todo_id)
            completed = columns.pop("completed", before.completed)
            if completed != before.completed:
                columns |= completion(completed)
            if columns:
                _set(connection, caller, todo_id, columns)
            return one(connection, caller, todo_id)

        return await self._database.write(work)

    async def delete(self, caller: Caller, todo_id: int) -> None:
        """Deletes it with all below it; raises NotFoundError."""

        def work(connection: Connection) -> None:
            mine = (todos.c.id == todo_id) & (todos.c.project_id == caller.project_id)
            if connection.execute(delete(todos).where(mine)).rowcount == 0:
                raise missing(todo_id)

        await self._database.write(work)


def missing(todo_id: int) -> NotFoundError:
    """The same answer for "not yours" and "not there"."""
    return NotFoundError(f"There is no todo {todo_id} in this project.", field="id")


def lock_project(connection: Connection, caller: Caller) -> None:
    """Makes other changes of this project's todos wait; raises NotFoundError when the project is not there."""
    mine = select(projects.c.id).where(projects.c.id == caller.project_id).with_for_update(key_share=True)
    if connection.execute(mine).first() is None:
        raise NotFoundError(f"There is no project {caller.project_id}.", field="project_id")


def completion(completed: bool) -> dict[str, Any]:
    """The columns that change when a person completes or reopens a todo.

    Reopening says that the question still stands: only what is published later can answer it.
    """
    if completed:
        return {"completed": True, "completed_at": now()}
    return {"completed": False, "completed_at": None, "answered_by": None, "last_asked_at": now()}


def one(connection: Connection, caller: Caller, todo_id: int) -> Todo:
    """A todo within a transaction; raises NotFoundError."""
    mine = (todos.c.id == todo_id) & (todos.c.project_id == caller.project_id)
    row = connection.execute(select(todos).where(mine)).first()
    if row is None:
        raise missing(todo_id)
    return _with_children(connection, caller, [row])[0]


def _set(connection: Connection, caller: Caller, todo_id: int, values: Mapping[str, Any]) -> None:
    mine = (todos.c.id == todo_id) & (todos.c.project_id == caller.project_id)
    connection.execute(update(todos).where(mine).values(values))


def _check_parent(connection: Connection, caller: Caller, parent_id: int, of: int | None = None) -> None:
    """Walks up from a parent: it must be there, and must not come to the todo that is to be put below it."""
    above: int | None = parent_id
    while above is not None:
        if above == of:
            raise InvalidRequestError(
                f"Todo {of} cannot be put below {parent_id}, which is the same or below it.", field="parentId"
            )
        mine = (todos.c.id == above) & (todos.c.project_id == caller.project_id)
        row = connection.execute(select(todos.c.parent_id).where(mine)).first()
        if row is None:
            raise NotFoundError(f"There is no todo {above} in this project to put it below.", field="parentId")
        above = row.parent_id


def _with_children(connection: Connection, caller: Caller, rows: Sequence[Row[Any]]) -> list[Todo]:
    """The todos of these rows; all their children are read at once."""
    children: dict[int, list[int]] = {row.id: [] for row in rows}
    if rows:
        query = select(todos.c.id, todos.c.parent_id).where(
            todos.c.project_id == caller.project_id, todos.c.parent_id.in_(list(children))
        )
        for child in connection.execute(query.order_by(todos.c.id)):
            children[child.parent_id].append(child.id)
    return [_todo(row, tuple(children[row.id])) for row in rows]


def _todo(row: Row[Any], children: tuple[int, ...]) -> Todo:
    return Todo(
        id=row.id,
        title=row.title,
        completed=row.completed,
        created_at=row.created_at,
        completed_at=row.completed_at,
        due_date=row.due_date,
        weight=row.weight,
        parent_id=row.parent_id,
        children=children,
        tags=tuple(row.tags),
        gap=_gap(row),
        answered_by=row.answered_by,
    )


def _gap(row: Row[Any]) -> Gap | None:
    if row.cause is None:
        return None
    return Gap(
        cause=GapCause(row.cause),
        question=row.question,
        asked=row.asked,
        last_asked_at=row.last_asked_at,
        repository_ids=tuple(row.repository_ids),
        similarity_threshold=row.similarity_threshold,
        near_misses=tuple(NearMiss(**each) for each in row.near_misses),
    )
