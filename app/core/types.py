"""The words of the house: frozen data named by the stage it belongs to.

Ask → Started → Retrieved → Delta* → Finished        (one completion, as a stream of events)
Answer = Started + Retrieved + the Deltas' text + Finished   (the same, collected)
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = Any  # a value that json.dumps accepts
Role = Literal["system", "user", "assistant", "tool"]


# ── who asks ─────────────────────────────────────────────────────────────────────────────────────────


class Scope(enum.StrEnum):
    """What a key may do."""

    ADMIN = "admin"  # every project; keys and projects themselves
    WRITE = "write"  # upload, delete
    READ = "read"  # ask, retrieve, look


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, and the one project everything they touch must belong to."""

    project_id: int
    key_id: int | None = None  # None: the admin key, which is not a row
    user: str = ""  # the caller's own end user, where the dialect names one
    scopes: frozenset[Scope] = frozenset({Scope.READ, Scope.WRITE})


# ── what is asked ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A whole tool call; `arguments` is the model's JSON text, unparsed."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation: text, or a template to be filled in."""

    role: Role
    content: str | None = None
    template_id: str | None = None
    params: Mapping[str, Json] = field(default_factory=dict)
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Where to look, how much to bring, and how similar it must be."""

    repository_ids: tuple[int, ...]
    limit: int
    similarity_threshold: float  # 0..1, compared with Hit.score


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the model should choose its words; None leaves the provider's default."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None


@dataclass(frozen=True, slots=True)
class Logging:
    """What the caller wants kept of a completion, and where in their own tree of traces it belongs."""

    trace_id: str | None = None  # the caller's own; None makes one
    parent_id: str | None = None
    root_id: str | None = None  # None: the parent, or the trace itself
    name: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Json] = field(default_factory=dict)
    target: str | None = None  # what should be answered
    workspace_id: str | None = None
    experiment_id: str | None = None
    omit_inputs: bool = False  # keep nothing of what is asked
    omit_outputs: bool = False  # keep nothing of what is said
    sample_rate: float = 1.0  # share of traces to keep, decided once for a whole tree


@dataclass(frozen=True, slots=True)
class Ask:
    """One completion to make; what a dialect makes of a request.

    A None means "as the project says": model, system prompt, and the repositories, limit and threshold
    of retrieval. `repository_ids=()` asks for no retrieval.
    """

    caller: Caller
    messages: tuple[Message, ...]
    model: str | None = None
    system_prompt: str | None = None
    repository_ids: tuple[int, ...] | None = None
    limit: int | None = None
    similarity_threshold: float | None = None
    sampling: Sampling = Sampling()
    tools: tuple[Mapping[str, Json], ...] = ()
    tool_choice: Json = None
    response_format: Mapping[str, Json] | None = None
    passed_on: Mapping[str, Json] = field(default_factory=dict)  # fields that only the provider understands
    choices: int = 1  # answers to make of one prompt
    fallback: tuple[str, ...] = ()  # models to try in order while none has said a word
    provider_key: str | None = field(default=None, repr=False)  # for this request alone; kept nowhere
    session: str | None = None  # the caller's own name for the conversation
    thread_id: str | None = None  # a conversation by our name for it
    after_turn: int | None = None  # the turn of it that this one follows; None: its last
    remember: bool = False  # keep the turn of a conversation that nobody named, so that it can be gone on with
    inputs: Mapping[str, Json] = field(default_factory=dict)  # what the messages' placeholders were filled with
    prompt_id: str | None = None  # the saved prompt the messages come from, and its version
    prompt_version: int | None = None
    metrics: tuple[int, ...] = ()  # to score the answer by; see app.core.metrics
    cache: bool = False  # may an earlier answer to exactly the same be given again
    log: Logging = Logging()
    dialect: str = "footnote"


# ── what is found ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk above the threshold: a slice of a document version's canonical text, and why it is here."""

    chunk_id: int
    document_id: int
    repository_id: int
    document_name: str
    content: str  # == canonical_text[start:end]
    start: int
    end: int
    text_sha256: str
    score: float  # 0..1, what thresholds are compared with
    page: int | None = None
    heading_path: tuple[str, ...] = ()
    raw_scores: Mapping[str, float] = field(default_factory=dict)  # by leg, e.g. {"dense": 0.61}
    attributes: Mapping[str, Json] = field(default_factory=dict)  # of the document, as its owner gave them


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many candidates each stage of a retrieval saw and dropped."""

    considered: int = 0  # chunks compared with the question
    below_threshold: int = 0
    over_limit: int = 0
    best_score: float | None = None  # of all considered, also when nothing was above the threshold


# ── what is said ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Source:
    """A hit as the prompt numbers it; marker n is the n-th of `document_chunks`."""

    marker: int
    hit: Hit


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that a generator gets."""

    model: str  # without its provider
    messages: tuple[Message, ...]  # system first, sources inside
    question: str
    sources: tuple[Source, ...] = ()
    sampling: Sampling = Sampling()
    tools: tuple[Mapping[str, Json], ...] = ()
    tool_choice: Json = None
    response_format: Mapping[str, Json] | None = None
    passed_on: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one completion."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.prompt_tokens + other.prompt_tokens, self.completion_tokens + other.completion_tokens)


class FinishReason(enum.StrEnum):
    """Why a model stopped."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call; `arguments` is a piece of its JSON text."""

    index: int  # from 0 in each answer
    id: str | None = None
    name: str | None = None
    arguments: str = ""


class Verdict(enum.StrEnum):
    """How a citation's quote relates to the text it cites."""

    VERBATIM = "verbatim"  # the answer says exactly what the source says
    NORMALISED = "normalised"  # equal but for case, white space and hyphenation
    UNVERIFIED = "unverified"  # bound to its chunk; what the answer says is not found there word for word
    FABRICATED = "fabricated"  # the marker names no source of this answer


@dataclass(frozen=True, slots=True)
class Quote:
    """A verbatim quotation by a generator that knows its offsets."""

    marker: int
    start: int  # in the document's canonical text
    end: int
    answer_start: int  # in the answer, of the quoted words without the marker
    answer_end: int


@dataclass(frozen=True, slots=True)
class Citation:
    """A range of the answer bound to a range of a document; anyone can re-check it by hash."""

    marker: int
    verdict: Verdict
    answer_start: int
    answer_end: int
    document_id: int | None = None  # None only when fabricated, like the fields below
    document_name: str | None = None
    start: int | None = None
    end: int | None = None
    quote: str | None = None
    quote_sha256: str | None = None
    text_sha256: str | None = None
    page: int | None = None


# ── the events of one completion ─────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Started:
    """The ask is accepted: everything it names exists and belongs to the caller."""

    trace_id: str  # UUID
    thread_id: str  # UUID
    turn_number: int  # from 1 in the thread
    model: str  # provider/model
    provider: str
    created: int  # Unix seconds
    title: str = ""  # of the thread: its first question, shortened


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The sources, in the order of their markers. `asked` is False when no repository was searched."""

    hits: tuple[Hit, ...]
    funnel: Funnel
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer as a generator yields it; the last one carries reason and usage."""

    text: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    quotes: tuple[Quote, ...] = ()
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    choice: int = 0  # which of several answers this is a piece of
    refusal: bool = False  # the text says why there is no answer


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several answers to one prompt."""

    text: str
    tool_calls: tuple[ToolCall, ...]
    citations: tuple[Citation, ...]
    finish_reason: FinishReason
    refusal: bool = False  # the text says why there is no answer


@dataclass(frozen=True, slots=True)
class Attempt:
    """A model that was asked and said nothing, before another answered."""

    model: str  # provider/model
    error: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of the answer, checked and saved."""

    text: str
    tool_calls: tuple[ToolCall, ...]
    citations: tuple[Citation, ...]
    usage: Usage  # of all choices
    finish_reason: FinishReason
    refused: bool = False  # nothing above the threshold: the model was not called
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    others: tuple[Choice, ...] = ()  # where more than one answer was asked for
    model: str = ""  # provider/model that answered; another than Started's after a fallback
    cost: float | None = None  # US dollars; None where no price is known
    attempts: tuple[Attempt, ...] = ()
    cached: bool = False  # an earlier answer to exactly the same
    refusal: bool = False  # the text says why there is no answer: the model's reason, or ours where JSON was asked for

    @property
    def choices(self) -> tuple[Choice, ...]:
        """All answers, in order."""
        return (Choice(self.text, self.tool_calls, self.citations, self.finish_reason, self.refusal), *self.others)

    @property
    def provider(self) -> str:
        return self.model.partition("/")[0]


Event = Started | Retrieved | Delta | Finished


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole completion: its events, collected."""

    started: Started
    retrieved: Retrieved
    finished: Finished


@dataclass(frozen=True, slots=True)
class Completion:
    """A completion that ended well, for whoever looks at it afterwards."""

    ask: Ask
    question: str
    retrieval: Retrieval | None  # with nothing left open; None when no repository was searched
    answer: Answer
    duration_ms: float
