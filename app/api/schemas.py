"""The shapes of Footnote's own routes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.library import Added
from app.dialects.ids import Id


class Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ErrorBody(BaseModel):
    """Every error, in a form that Prem's, OpenAI's and FastAPI's clients read."""

    error: dict[str, Any] = Field(
        examples=[{"message": "…", "type": "invalid_request_error", "param": None, "code": "not_found"}]
    )
    message: str
    code: str = Field(examples=["NotFoundError"])
    statusCode: int = Field(examples=[404])  # noqa: N815  (Gist's spelling)
    detail: str
    trace_id: str | None = None


class RepositoryCreate(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "Handbook", "description": "Rules and fees"}}
    )

    name: str = Field(min_length=1, max_length=200)
    description: str | None = Field(None, max_length=10_000)
    organization: str = Field("", max_length=200)


class RepositoryChange(BaseModel):
    model_config = ConfigDict(
        extra="forbid"
    )  # our own bodies: nobody's SDK sends fields of its own, but people mistype

    name: str | None = Field(None, min_length=1, max_length=200)
    description: str | None = Field(None, max_length=10_000)
    organization: str | None = Field(None, max_length=200)


class RepositoryShape(Shape):
    id: int
    name: str
    organization: str
    description: str | None
    document_count: int
    chunk_count: int
    generation: int = Field(description="Grows whenever what a search may return changes.")
    fingerprint: str | None = Field(description="Of the index: model, tokenizer, chunker.")
    created_at: float = Field(description="Unix seconds.")


class JobShape(Shape):
    id: int
    repository_id: int
    document_id: int
    document_name: str | None
    attempt: int
    state: str = Field(description="queued, running, completed, failed or cancelled.", examples=["running"])
    stage: str = Field(description="queued, parse, embed, publish or done.", examples=["embed"])
    done: int = Field(description="Chunks embedded and indexed.")
    total: int | None = Field(description="Chunks of the document; null until it is parsed.")
    error: str | None = Field(description="What went wrong and what to do about it.")
    created_at: float
    updated_at: float


class DocumentShape(Shape):
    id: int
    repository_id: int
    name: str
    attributes: dict[str, Any]
    version_number: int
    sha256: str = Field(description="Of the uploaded bytes.")
    size: int
    media_type: str
    text_sha256: str | None = Field(description="Of the canonical text; null until the document is published.")
    extractor: str | None
    warnings: list[str]
    chunk_count: int
    created_at: float
    job: JobShape


class AddedShape(DocumentShape):
    unchanged: bool = Field(description="The repository already had these very bytes; nothing was done.")

    @classmethod
    def of(cls, added: Added) -> AddedShape:
        return cls(**DocumentShape.model_validate(added.document).model_dump(), unchanged=added.unchanged)


class RefusedFile(BaseModel):
    """A file of an upload that was not taken; the others were."""

    name: str
    status: int
    error: str


class UploadResult(BaseModel):
    documents: list[AddedShape]
    refused: list[RefusedFile] = Field(default_factory=list)


class DocumentPage(BaseModel):
    documents: list[DocumentShape]
    next_after: int | None = Field(description="Pass as `after` for the next page; null on the last.")


class ChunkShape(Shape):
    id: int
    ordinal: int
    start: int
    end: int
    token_count: int
    page: int | None
    heading_path: list[str]
    content: str


class ChunkPage(BaseModel):
    chunks: list[ChunkShape]
    next_after: int | None


class ProjectShape(Shape):
    id: int
    name: str
    model: str | None
    system_prompt: str | None
    repository_ids: list[int]
    retrieval_limit: int | None
    similarity_threshold: float | None
    created_at: float


class ProjectChange(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"model": "footnote/extractive", "repository_ids": [1], "retrieval_limit": 3}},
    )

    name: str | None = Field(None, min_length=1, max_length=200)
    model: str | None = Field(None, max_length=200)
    system_prompt: str | None = Field(None, max_length=100_000)
    repository_ids: list[Id] | None = Field(None, max_length=1000)
    retrieval_limit: int | None = Field(None, ge=1, le=500)
    similarity_threshold: float | None = Field(None, ge=0, le=1)


class TemplateCreate(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "greeting", "content": "Greet ${name} warmly."}}
    )

    name: str = Field(min_length=1, max_length=200)
    content: str = Field(min_length=1, max_length=100_000, description="Placeholders are `${name}`.")


class TemplateShape(BaseModel):
    id: str
    name: str
    content: str


class TraceSummary(Shape):
    id: str
    created_at: float
    outcome: str = Field(description="stop, length, tool_calls, content_filter, refused, error or cancelled.")
    model: str
    question: str
    duration_ms: float


class TraceShape(TraceSummary):
    detail: dict[str, Any]
    scores: list[dict[str, Any]] = Field(description="By metrics and callers; null where one does not apply.")


class TracePage(BaseModel):
    traces: list[TraceSummary]
    next_before: str | None = Field(description="Pass as `before` for the next page; null on the last.")


class CheckedShape(Shape):
    what: str = Field(examples=["citation"])
    marker: int | None
    valid: bool
    reason: str


class VerifyResult(BaseModel):
    valid: bool = Field(description="Every citation and every chunk holds.")
    results: list[CheckedShape]


class PartStatus(BaseModel):
    status: str = Field(examples=["operational"])
    detail: str | None = None
    error: str | None = None


class Health(BaseModel):
    status: str = Field(examples=["healthy"])
    version: str
    timestamp: int
    uptime: float
    services: dict[str, PartStatus]
