"""Repositories, documents and traces in GraphQL, to be read."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from app.api.graphql.context import moment
from app.core.library import Document, Repository
from app.core.ports import TraceRecord


@strawberry.type(name="Repository", description="A named set of documents that are searched together.")
class RepositoryType:
    id: int
    name: str
    organization: str
    description: str | None
    document_count: int
    chunk_count: int
    created_at: datetime

    @classmethod
    def of(cls, repository: Repository) -> RepositoryType:
        return cls(
            id=repository.id,
            name=repository.name,
            organization=repository.organization,
            description=repository.description,
            document_count=repository.document_count,
            chunk_count=repository.chunk_count,
            created_at=moment(repository.created_at),
        )


@strawberry.type(name="Document", description="A document with its newest version.")
class DocumentType:
    id: int
    repository_id: int
    name: str
    attributes: JSON
    version_number: int
    sha256: str = strawberry.field(description="Of the uploaded bytes.")
    size: float = strawberry.field(description="In bytes; a Float because an Int ends at 2 GiB.")
    media_type: str
    text_sha256: str | None = strawberry.field(description="Of the canonical text; null until it is published.")
    chunk_count: int
    warnings: list[str]
    state: str = strawberry.field(description="Of the newest job: queued, running, completed, failed or cancelled.")
    error: str | None
    created_at: datetime

    @classmethod
    def of(cls, document: Document) -> DocumentType:
        return cls(
            id=document.id,
            repository_id=document.repository_id,
            name=document.name,
            attributes=JSON(dict(document.attributes)),
            version_number=document.version_number,
            sha256=document.sha256,
            size=document.size,
            media_type=document.media_type,
            text_sha256=document.text_sha256,
            chunk_count=document.chunk_count,
            warnings=list(document.warnings),
            state=str(document.job.state),
            error=document.job.error,
            created_at=moment(document.created_at),
        )


@strawberry.type(name="Trace", description="What became of one completion.")
class TraceType:
    id: strawberry.ID
    created_at: datetime
    outcome: str
    model: str
    question: str
    duration_ms: float
    detail: JSON = strawberry.field(description="Request, sources, answer, citations, usage, timings, error.")

    @classmethod
    def of(cls, trace: TraceRecord) -> TraceType:
        return cls(
            id=strawberry.ID(trace.id),
            created_at=moment(trace.created_at),
            outcome=trace.outcome,
            model=trace.model,
            question=trace.question,
            duration_ms=trace.duration_ms,
            detail=JSON(dict(trace.detail)),
        )
