"""What can be changed: todos."""

from __future__ import annotations

import strawberry

from app.api.graphql.context import Asked
from app.api.graphql.todos import CreateTodoInput, TodoType, UpdateTodoInput, title_alone
from app.core.errors import InvalidRequestError


@strawberry.type
class Mutation:
    @strawberry.mutation(description="Writes a todo: by its `title` alone, or with all there is to say in `data`.")
    async def create_todo(self, info: Asked, title: str | None = None, data: CreateTodoInput | None = None) -> TodoType:
        caller = info.context.writer()
        if (title is None) == (data is None):
            raise InvalidRequestError("Send either `title` or `data`.", field="title")
        new = data.new() if data is not None else title_alone(title or "")
        return TodoType.of(await info.context.parts.todos.create(caller, new))

    @strawberry.mutation(description="Completes an open todo, reopens a completed one.")
    async def toggle_todo(self, info: Asked, id: int) -> TodoType:
        return TodoType.of(await info.context.parts.todos.toggle(info.context.writer(), id))

    @strawberry.mutation(description="Changes what `data` names of a todo.")
    async def update_todo(self, info: Asked, data: UpdateTodoInput) -> TodoType:
        caller = info.context.writer()
        return TodoType.of(await info.context.parts.todos.change(caller, data.id, data.values()))

    @strawberry.mutation(description="Deletes a todo and all below it; true when it is gone.")
    async def delete_todo(self, info: Asked, id: int) -> bool:
        await info.context.parts.todos.delete(info.context.writer(), id)
        return True
