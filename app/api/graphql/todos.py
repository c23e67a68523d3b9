"""Todos in GraphQL: the chatbot's shapes, and what a content gap knows beside them."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry.types.unset import UnsetType

from app.api.graphql.context import moment, moment_or_none, seconds_or_none
from app.core.errors import InvalidRequestError
from app.core.todos import MAX_TAG_CHARS, MAX_TAGS, MAX_TITLE_CHARS, GapCause, NearMiss, NewTodo, Todo, TodoOrder
from app.core.types import Json

strawberry.enum(GapCause, description="Why a question became a todo.")
strawberry.enum(TodoOrder, description="How todos are listed.")


@strawberry.type(name="NearMiss", description="A passage that came near a question, and was not near enough.")
class NearMissType:
    document_id: int
    document_name: str
    score: float
    content: str

    @classmethod
    def of(cls, miss: NearMiss) -> NearMissType:
        return cls(
            document_id=miss.document_id, document_name=miss.document_name, score=miss.score, content=miss.content
        )


@strawberry.type(name="Todo", description="What is to be done; with a `cause`, a question that no document answers.")
class TodoType:
    id: int
    title: str
    completed: bool
    created_at: datetime
    completed_at: datetime | None
    due_date: datetime | None
    weight: int
    parent_id: int | None
    children: list[int]
    tags: list[str]
    cause: GapCause | None = strawberry.field(description="Null for a todo that somebody wrote.")
    question: str | None = strawberry.field(description="As it was asked first.")
    asked: int = strawberry.field(description="How often, similar questions included.")
    last_asked_at: datetime | None
    repository_ids: list[int] = strawberry.field(description="Where an answer was looked for.")
    similarity_threshold: float | None
    near_misses: list[NearMissType] = strawberry.field(description="The passages that came nearest, best first.")
    answered_by: int | None = strawberry.field(description="The document whose text completed it.")

    @classmethod
    def of(cls, todo: Todo) -> TodoType:
        gap = todo.gap
        return cls(
            id=todo.id,
            title=todo.title,
            completed=todo.completed,
            created_at=moment(todo.created_at),
            completed_at=moment_or_none(todo.completed_at),
            due_date=moment_or_none(todo.due_date),
            weight=todo.weight,
            parent_id=todo.parent_id,
            children=list(todo.children),
            tags=list(todo.tags),
            cause=gap.cause if gap else None,
            question=gap.question if gap else None,
            asked=gap.asked if gap else 0,
            last_asked_at=moment(gap.last_asked_at) if gap else None,
            repository_ids=list(gap.repository_ids) if gap else [],
            similarity_threshold=gap.similarity_threshold if gap else None,
            near_misses=[NearMissType.of(miss) for miss in gap.near_misses] if gap else [],
            answered_by=todo.answered_by,
        )


@strawberry.input(description="A todo to be written.")
class CreateTodoInput:
    title: str
    due_date: datetime | None = None
    weight: int = 1
    parent_id: int | None = None
    tags: list[str] = strawberry.field(default_factory=list)

    def new(self) -> NewTodo:
        """Raises InvalidRequestError naming the field."""
        return NewTodo(
            title=_title(self.title),
            due_date=seconds_or_none(self.due_date, "dueDate"),
            weight=self.weight,
            parent_id=self.parent_id,
            tags=_tags(self.tags),
        )


@strawberry.input(description="What to change of a todo. What is left out stays; `dueDate` and `parentId` may be null.")
class UpdateTodoInput:
    id: int
    title: str | UnsetType | None = strawberry.UNSET
    completed: bool | UnsetType | None = strawberry.UNSET
    due_date: datetime | UnsetType | None = strawberry.UNSET
    weight: int | UnsetType | None = strawberry.UNSET
    parent_id: int | UnsetType | None = strawberry.UNSET
    tags: list[str] | UnsetType | None = strawberry.UNSET

    def values(self) -> dict[str, Json]:
        """The columns to set; raises InvalidRequestError naming the field."""
        values: dict[str, Json] = {}
        for name in ("title", "completed", "weight", "tags"):
            if getattr(self, name) is None:
                raise InvalidRequestError(f"`{name}` cannot be null: leave it out to keep it.", field=name)
        if not isinstance(self.title, UnsetType) and self.title is not None:
            values["title"] = _title(self.title)
        if not isinstance(self.completed, UnsetType):
            values["completed"] = self.completed
        if not isinstance(self.due_date, UnsetType):
            values["due_date"] = seconds_or_none(self.due_date, "dueDate")
        if not isinstance(self.weight, UnsetType):
            values["weight"] = self.weight
        if not isinstance(self.parent_id, UnsetType):
            values["parent_id"] = self.parent_id
        if not isinstance(self.tags, UnsetType) and self.tags is not None:
            values["tags"] = list(_tags(self.tags))
        return values


def title_alone(title: str) -> NewTodo:
    """A todo of which only the title is said; raises InvalidRequestError."""
    return NewTodo(_title(title))


def _title(title: str) -> str:
    if not title.strip():
        raise InvalidRequestError("A todo needs a title.", field="title")
    if len(title) > MAX_TITLE_CHARS:
        raise InvalidRequestError(f"A title has at most {MAX_TITLE_CHARS} characters.", field="title")
    return title


def _tags(tags: list[str]) -> tuple[str, ...]:
    if len(tags) > MAX_TAGS or any(not tag.strip() or len(tag) > MAX_TAG_CHARS for tag in tags):
        raise InvalidRequestError(
            f"At most {MAX_TAGS} tags, each with 1 to {MAX_TAG_CHARS} characters, are kept.", field="tags"
        )
    return tuple(dict.fromkeys(tags))
