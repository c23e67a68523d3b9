"""Todos: what the documents do not answer yet (content gaps), and whatever else somebody wants done about them."""

from __future__ import annotations

import enum
from dataclasses import dataclass

MAX_TITLE_CHARS = 2_000
MAX_TAGS = 50
MAX_TAG_CHARS = 100


class GapCause(enum.StrEnum):
    """Why a question became a todo."""

    REFUSED = "refused"  # no chunk was above the threshold
    UNSUPPORTED = "unsupported"  # an answer was given, and no source that exists is cited in it


class TodoOrder(enum.StrEnum):
    """How todos are listed."""

    OLDEST = "oldest"
    MOST_ASKED = "most_asked"


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A passage that came near a question, and was not near enough."""

    document_id: int
    document_name: str
    score: float  # 0..1
    content: str  # its beginning


@dataclass(frozen=True, slots=True)
class Gap:
    """What a todo knows that was made from a question."""

    cause: GapCause
    question: str  # as it was asked first
    asked: int  # how often, similar questions included
    last_asked_at: float  # Unix seconds; reopening counts as asking
    repository_ids: tuple[int, ...]  # where it was looked for, ascending
    similarity_threshold: float
    near_misses: tuple[NearMiss, ...]  # best first


@dataclass(frozen=True, slots=True)
class Todo:
    """A todo; `gap` is None for one that somebody wrote."""

    id: int
    title: str
    completed: bool
    created_at: float  # Unix seconds, like all times here
    completed_at: float | None
    due_date: float | None
    weight: int
    parent_id: int | None
    children: tuple[int, ...]  # ids, ascending
    tags: tuple[str, ...]
    gap: Gap | None
    answered_by: int | None  # the document whose text completed it


@dataclass(frozen=True, slots=True)
class NewTodo:
    """A todo that somebody writes."""

    title: str
    due_date: float | None = None
    weight: int = 1
    parent_id: int | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewGap:
    """A question that nothing answers, as it is noted."""

    title: str
    cause: GapCause
    question: str
    asked_at: float  # before the near misses were looked for: what is published later may answer it
    repository_ids: tuple[int, ...]
    similarity_threshold: float
    near_misses: tuple[NearMiss, ...]
    vector: bytes  # of the question: unit length, float32


@dataclass(frozen=True, slots=True)
class OpenGap:
    """An open gap as it is checked against newly published text."""

    todo_id: int
    project_id: int
    question: str
    repository_ids: tuple[int, ...]
    similarity_threshold: float
    vector: bytes
