"""What the library holds, as its callers see it: repositories, documents, versions, jobs."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.core.types import Json, Role


class JobState(enum.StrEnum):
    """The life of an ingest job; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self in (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Project:
    id: int
    name: str
    model: str | None
    system_prompt: str | None
    repository_ids: tuple[int, ...]
    retrieval_limit: int | None
    similarity_threshold: float | None
    created_at: float


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as it is listed; the key itself is shown once, when it is made."""

    id: int
    project_id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: float
    revoked_at: float | None


@dataclass(frozen=True, slots=True)
class Repository:
    id: int
    project_id: int
    name: str
    organization: str
    description: str | None
    generation: int
    fingerprint: str | None
    created_at: float
    document_count: int
    chunk_count: int


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt to make one document version searchable, and how far it is."""

    id: int
    repository_id: int
    document_id: int
    version_id: int
    document_name: str
    attempt: int
    state: JobState
    stage: str
    done: int
    total: int | None
    error: str | None
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class Document:
    """A document with its newest version; `version_id` is the published one, None before the first."""

    id: int
    repository_id: int
    name: str
    attributes: Mapping[str, Json]
    version_id: int | None
    version_number: int
    sha256: str
    size: int
    media_type: str
    text_sha256: str | None  # of the published version
    extractor: str | None
    warnings: tuple[str, ...]
    chunk_count: int
    created_at: float
    job: Job  # the newest one


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes already on disk, waiting to become a document."""

    name: str
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Added:
    """What an upload became; `unchanged` when the repository already had these very bytes."""

    document: Document
    unchanged: bool


@dataclass(frozen=True, slots=True)
class DocumentText:
    """The canonical text of a published version."""

    document_id: int
    version_id: int
    text: str
    sha256: str
    extractor: str


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk as it is listed."""

    id: int
    ordinal: int
    start: int
    end: int
    token_count: int
    page: int | None
    heading_path: tuple[str, ...]
    content: str


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """A message with placeholders."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class NewPromptVersion:
    """A version of a saved prompt, before it has a number; None leaves a choice to the request or the project."""

    messages: tuple[PromptMessage, ...]
    model: str | None = None
    params: Mapping[str, Json] = field(default_factory=dict)  # names of app.core.types.Sampling, and response_format
    functions: tuple[Mapping[str, Json], ...] = ()
    function_call: Json = None
    tag: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class PromptVersion:
    """A version of a saved prompt."""

    prompt_id: str  # UUID
    name: str
    number: int  # from 1
    messages: tuple[PromptMessage, ...]
    model: str | None
    params: Mapping[str, Json]
    functions: tuple[Mapping[str, Json], ...]
    function_call: Json
    tag: str | None
    note: str | None
    created_by: str
    created_at: float


@dataclass(frozen=True, slots=True)
class SavedPrompt:
    """A prompt as it is listed."""

    id: str
    name: str
    versions: int
    created_at: float


class ModelKind(enum.StrEnum):
    """What a model makes of text, in Prem's words."""

    TEXT = "text2text"
    VECTOR = "text2vector"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model does; None where nobody says."""

    text_input: bool | None = None
    text_output: bool | None = None
    embeddings: bool | None = None
    streaming: bool | None = None
    tools: bool | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model that can be called here, as the catalogue shows it; None where nobody says."""

    id: str  # provider/model
    number: int  # the same, for clients that know models by number: 1 to 2**31 - 1
    provider: str
    kind: ModelKind
    capabilities: Capabilities
    context_length: int | None = None  # tokens
    dimensions: int | None = None  # of its vectors
    input_price: float | None = None  # US dollars per million tokens
    output_price: float | None = None
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class ModelList:
    """Every model that can be called here, ours first; `default` is None where that one cannot."""

    cards: tuple[ModelCard, ...]
    default: ModelCard | None
