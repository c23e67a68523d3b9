"""What the pipeline needs from the outside, as protocols written by the side that uses them.

Every method that touches rows takes `caller` first and sees only that caller's project. None holds a
transaction after it returns. "Not there" and "not yours" raise the same NotFoundError.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.core.types import Caller, Delta, Hit, Json, Prompt


class Generator(Protocol):
    """Writes an answer, piece by piece."""

    def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Yields at least one Delta; the last has finish_reason and usage. Raises ProviderError before the first.

        Closing the generator stops the work and frees its connection.
        """
        ...


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model that can be called."""

    provider: str
    name: str  # without the provider
    generator: Generator
    cites_by_quoting: bool = False  # extractive: knows its offsets, needs no prompt

    @property
    def id(self) -> str:
        return f"{self.provider}/{self.name}"


class Models(Protocol):
    """The catalogue of models."""

    async def prepare(self, model: str) -> None:
        """Loads what `resolve` will need, off the event loop."""
        ...

    def resolve(self, model: str) -> ModelChoice:
        """Raises ModelNotFoundError."""
        ...


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where neither the request nor the project says anything."""

    model: str
    limit: int
    max_limit: int
    similarity_threshold: float
    refusal_text: str
    max_question_chars: int


@dataclass(frozen=True, slots=True)
class ProjectDefaults:
    """What a project says where a request is silent."""

    model: str | None = None
    system_prompt: str | None = None
    repository_ids: tuple[int, ...] = ()
    limit: int | None = None
    similarity_threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer."""

    number: int
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class ThreadState:
    """A conversation as the next turn finds it."""

    thread_id: str
    turns: tuple[Turn, ...]  # oldest first

    @property
    def next_turn(self) -> int:
        return self.turns[-1].number + 1 if self.turns else 1


class Projects(Protocol):
    async def defaults(self, caller: Caller) -> ProjectDefaults: ...

    async def every_repository(self, caller: Caller) -> tuple[int, ...]:
        """The ids of all repositories of the project."""
        ...


class Chunks(Protocol):
    def hits_now(self, caller: Caller, scores: Mapping[int, float]) -> list[Hit]:
        """The chunks by id, best score first; ids that are no longer visible are left out. Blocking."""
        ...


class Threads(Protocol):
    async def open(self, caller: Caller, session: str | None) -> ThreadState:
        """The thread the caller knows by `session`, made if new; a new anonymous one for None."""
        ...


class Templates(Protocol):
    async def contents(self, caller: Caller, template_ids: Sequence[str]) -> dict[str, str]:
        """Template texts by id; raises NotFoundError."""
        ...


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """What is kept of one completion, whatever became of it."""

    id: str
    created_at: float
    outcome: str  # a FinishReason, or refused, error, cancelled
    model: str
    question: str
    duration_ms: float
    detail: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class NewTurn:
    """A question and its answer, to be remembered in a thread."""

    thread_id: str
    session: str | None
    question: str
    answer: str


class Journal(Protocol):
    async def record(self, caller: Caller, trace: TraceRecord, turn: NewTurn | None) -> None:
        """Keeps both in one transaction."""
        ...
