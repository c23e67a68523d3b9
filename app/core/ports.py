"""What the pipeline needs from the outside, as protocols written by the side that uses them.

Every method that touches rows takes `caller` first and sees only that caller's project. None holds a
transaction after it returns. "Not there" and "not yours" raise the same NotFoundError.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.core.library import ModelCard, ModelList
from app.core.types import Caller, Completion, Delta, Hit, Json, Prompt, Usage


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
    release: Callable[[], Coroutine[Any, Any, None]] | None = None  # frees what was opened for one request alone

    @property
    def id(self) -> str:
        return f"{self.provider}/{self.name}"


class Models(Protocol):
    """The catalogue of models."""

    async def prepare(self, model: str) -> None:
        """Loads what `resolve` will need, off the event loop."""
        ...

    def resolve(self, model: str, provider_key: str | None = None) -> ModelChoice:
        """The model, called with the caller's own key if there is one.

        Raises ModelNotFoundError, and InvalidRequestError for a key that the model has no use for.
        """
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
    max_choices: int
    cache_seconds: float  # an older answer is not given again


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
    turns: tuple[Turn, ...]  # those the next one follows, oldest first
    last: int = 0  # number of the newest turn, on whichever branch
    title: str = ""  # empty before the first turn


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
    async def open(
        self, caller: Caller, session: str | None, thread_id: str | None = None, after_turn: int | None = None
    ) -> ThreadState:
        """The thread the caller's user knows by `session`, or an earlier one by its id; a new one for neither.

        The turns are those up to `after_turn`, its newest for None. Raises NotFoundError for an unknown thread or turn.
        """
        ...


class Templates(Protocol):
    async def contents(self, caller: Caller, template_ids: Sequence[str]) -> dict[str, str]:
        """Template texts by id; raises NotFoundError."""
        ...


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """What is kept of one completion, whatever became of it; or a log that the caller wrote."""

    id: str
    created_at: float
    outcome: str  # a FinishReason, or refused, error, cancelled
    model: str
    question: str
    duration_ms: float
    detail: Mapping[str, Json]
    kind: str = "completion"  # or log
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None  # US dollars
    name: str | None = None
    parent_id: str | None = None
    root_id: str | None = None  # None: itself
    user: str = ""
    thread_id: str | None = None
    workspace_id: str | None = None
    experiment_id: str | None = None
    cache_key: str | None = None
    scores: tuple[Mapping[str, Json], ...] = ()


@dataclass(frozen=True, slots=True)
class NewTurn:
    """A question and its answer, to be remembered in a thread."""

    thread_id: str
    session: str | None
    question: str
    answer: str
    trace_id: str
    number: int  # what its caller was told; the next free one where another process took it
    follows: int | None = None  # the turn it was asked after


class Journal(Protocol):
    async def record(self, caller: Caller, trace: TraceRecord | None, turn: NewTurn | None) -> None:
        """Keeps both in one transaction; a trace takes the place of an earlier one with its id."""
        ...

    async def cached(self, caller: Caller, cache_key: str, since: float) -> TraceRecord | None:
        """The newest good completion of this key that is not older than `since` (Unix seconds)."""
        ...


class Prices(Protocol):
    def cost(self, model: str, usage: Usage) -> float | None:
        """US dollars for a completion of `provider/model`; None when no price is known."""
        ...


class Cards(Protocol):
    """The catalogue of models, to look at."""

    @property
    def embedding(self) -> str:
        """The id of the embedding model."""
        ...

    async def cards(self, default: str) -> ModelList:
        """Every model that can be called here; `default` is the one that a project calls when none is named."""
        ...

    async def known(self, models: Collection[str]) -> dict[str, ModelCard]:
        """What is known of these models by their id, whether or not they can still be called."""
        ...


@dataclass(frozen=True, slots=True)
class Allowance:
    """What somebody may still do."""

    limit: int  # in a window
    remaining: int
    reset_at: float  # Unix seconds; when the next window begins
    granted: bool  # was there something left


class RateLimiter(Protocol):
    """One rate, counted apart for everybody; None while there is nobody who could count."""

    async def hit(self, who: str) -> Allowance | None:
        """Counts one."""
        ...

    async def look(self, who: str) -> Allowance | None:
        """The same without counting."""
        ...


class Follower(Protocol):
    def __call__(self, completion: Completion) -> Coroutine[Any, Any, None]:
        """Looks at a completion after its answer is out; must not raise."""
        ...
