"""What the pipeline needs from the outside, as protocols written by the side that uses them.

Every method that touches rows takes `caller` first and sees only that caller's project. None holds a
transaction after it returns. "Not there" and "not yours" raise the same NotFoundError.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.core.types import Caller, Delta, Hit, Json, Message, Prompt
from ingest.types import Scope


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

    def resolve(self, model: str) -> ModelChoice:
        """Raises ModelNotFoundError."""
        ...


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


class Chunks(Protocol):
    async def scopes(self, caller: Caller, repository_ids: Sequence[int]) -> tuple[Scope, ...]:
        """The repositories' present generations; raises NotFoundError naming the first that is not there."""
        ...

    async def visible_ids(self, caller: Caller, repository_id: int) -> tuple[int, tuple[int, ...]]:
        """The generation and the ids of all chunks a search of this repository may return, ascending."""
        ...

    async def hits(self, caller: Caller, scores: Mapping[int, float]) -> list[Hit]:
        """The chunks by id, best score first; ids that are no longer visible are left out."""
        ...


class Threads(Protocol):
    async def open(self, caller: Caller, session: str | None) -> ThreadState:
        """The thread the caller knows by `session`, made if new; a new anonymous one for None."""
        ...

    async def add_turn(self, caller: Caller, thread_id: str, question: str, answer: str, trace_id: str) -> int: ...


class Templates(Protocol):
    async def contents(self, caller: Caller, template_ids: Sequence[str]) -> dict[str, str]:
        """Template texts by id; raises NotFoundError."""
        ...


class Traces(Protocol):
    async def save(self, caller: Caller, trace: Mapping[str, Json]) -> None: ...


__all__ = [
    "Chunks",
    "Generator",
    "Message",
    "ModelChoice",
    "Models",
    "ProjectDefaults",
    "Projects",
    "Templates",
    "ThreadState",
    "Threads",
    "Traces",
    "Turn",
]
