"""What can be read."""

from __future__ import annotations

import strawberry

from app.api.graphql.context import Asked
from app.api.graphql.conversations import ThreadType
from app.api.graphql.library import DocumentType, RepositoryType, TraceType
from app.api.graphql.todos import TodoType
from app.core.todos import TodoOrder
from app.dialects.ids import storable

TURNS_IN_LIST = 20  # of each thread; `thread(id:)` has more


@strawberry.type
class Query:
    @strawberry.field(description="A word from the service.")
    def hello(self) -> str:
        return "Hello from Footnote"

    @strawberry.field(description="Todos: open or completed ones, or all; by age, or those asked most first.")
    async def todos(
        self,
        info: Asked,
        completed: bool | None = None,
        order: TodoOrder = TodoOrder.OLDEST,
        first: int = 100,
        skip: int = 0,
    ) -> list[TodoType]:
        context = info.context
        limit = context.page(first, skip)
        return [
            TodoType.of(each)
            for each in await context.parts.todos.all(context.caller, completed, order, limit, storable(skip))
        ]

    @strawberry.field(description="A todo by its number.")
    async def todo(self, info: Asked, id: int) -> TodoType:
        return TodoType.of(await info.context.parts.todos.get(info.context.caller, id))

    @strawberry.field(description="All repositories of the project.")
    async def repositories(self, info: Asked) -> list[RepositoryType]:
        return [RepositoryType.of(each) for each in await info.context.parts.repositories.all(info.context.caller)]

    @strawberry.field(description="A repository by its number.")
    async def repository(self, info: Asked, id: int) -> RepositoryType:
        return RepositoryType.of(await info.context.parts.repositories.get(info.context.caller, id))

    @strawberry.field(description="Documents of a repository by number, from the one after `after`.")
    async def documents(self, info: Asked, repository_id: int, first: int = 100, after: int = 0) -> list[DocumentType]:
        context = info.context
        found = await context.parts.documents.all(context.caller, repository_id, context.page(first), after)
        return [DocumentType.of(each) for each in found]

    @strawberry.field(description="A document by its number.")
    async def document(self, info: Asked, id: int) -> DocumentType:
        return DocumentType.of(await info.context.parts.documents.get(info.context.caller, id))

    @strawberry.field(description="Threads of one of your users, the one talked in last first.")
    async def threads(self, info: Asked, user: str = "", first: int = 50, skip: int = 0) -> list[ThreadType]:
        context = info.context
        limit = context.page(first, skip)
        page = await context.parts.threads.all(context.as_user(user), storable(skip), limit, TURNS_IN_LIST)
        return [ThreadType.of(each) for each in page.threads]

    @strawberry.field(description="A thread of one of your users by its id, with its newest turns.")
    async def thread(self, info: Asked, id: strawberry.ID, user: str = "") -> ThreadType:
        context = info.context
        return ThreadType.of(await context.parts.threads.get(context.as_user(user), id, context.most_items))

    @strawberry.field(description="Traces, newest first; `before` is the id of the last one of the page before.")
    async def traces(self, info: Asked, limit: int = 50, before: strawberry.ID | None = None) -> list[TraceType]:
        context = info.context
        return [
            TraceType.of(each) for each in await context.parts.traces.all(context.caller, context.page(limit), before)
        ]

    @strawberry.field(description="A trace by its id.")
    async def trace(self, info: Asked, id: strawberry.ID) -> TraceType:
        return TraceType.of(await info.context.parts.traces.get(info.context.caller, id))
