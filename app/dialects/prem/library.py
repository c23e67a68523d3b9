"""Prem's repositories and documents, in both generations of its clients, which parse every word of them strictly."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.library import Document, JobState, Repository
from app.core.types import Json
from app.dialects.support import Fields, honoured

FIELDS: Fields = {
    "repository.name": honoured("At most 200 characters; not unique."),
    "repository.organization": honoured("Kept and shown; who may do what is a matter of keys and projects."),
    "repository.description": honoured("Kept and shown."),
    "document.file": honoured("One file in a form; its type is told by its content."),
    "document.name": honoured("Of a text sent as JSON; the same name with another text is its next version."),
    "document.content": honoured("The text itself."),
    "document.document_type": honoured("`text` or `txt`; other files come in a form."),
}
REPOSITORY: dict[str, Json] = {"name": "Handbook", "organization": "Library", "description": "Rules and fees"}
DOCUMENT: dict[str, Json] = {"name": "hours.txt", "content": "We open at nine.", "document_type": "text"}


class PremRepositoryCreate(BaseModel):
    """A repository to make."""

    model_config = ConfigDict(strict=True, json_schema_extra={"example": REPOSITORY})

    name: str = Field(min_length=1, max_length=200)
    organization: str = Field("", max_length=200)
    description: str | None = Field(None, max_length=10_000)


class PremRepository(BaseModel):
    """A repository in Prem's format."""

    id: int
    name: str
    organization: str
    description: str | None

    @classmethod
    def of(cls, repository: Repository) -> PremRepository:
        return cls(
            id=repository.id,
            name=repository.name,
            organization=repository.organization,
            description=repository.description,
        )


class PremTextCreate(BaseModel):
    """A document as the first generation of clients sends it: its text as JSON."""

    model_config = ConfigDict(json_schema_extra={"example": DOCUMENT})

    name: str = Field(min_length=1, strict=True)
    content: str = Field(min_length=1, strict=True)
    document_type: Literal["text", "txt"] = Field("text", description="The answer repeats the word, as clients expect.")


class PremDocument(BaseModel):
    """A document in Prem's format. Every client knows these four states, and no client knows more types."""

    repository_id: int
    document_id: int
    name: str
    document_type: Literal["txt", "pdf", "docx", "text"]
    status: Literal["UPLOADED", "COMPLETED", "FAILED"]
    error: str | None = Field(description="What went wrong and what to do about it.")
    chunk_count: int = Field(description="0 until it can be searched.")

    @classmethod
    def of(cls, document: Document, told: Literal["text", "txt"] | None = None) -> PremDocument:
        """`told` is the type in the words of the client that sent it: the oldest knows only `text`."""
        state = document.job.state
        completed = state is JobState.COMPLETED
        return cls(
            repository_id=document.repository_id,
            document_id=document.id,
            name=document.name,
            document_type=told or document_type(document),
            status="COMPLETED" if completed else "FAILED" if state.final else "UPLOADED",
            error=document.job.error,
            chunk_count=document.chunk_count if completed else 0,
        )


def document_type(document: Document) -> Literal["txt", "pdf", "docx"]:
    """By how it was read, else by its name; Markdown, HTML, tables and source code are texts."""
    read_as = (document.extractor or "").partition("/")[0]  # "pdf/1 pypdfium2 5.15.2"
    match read_as or PurePosixPath(document.name.lower()).suffix:
        case "pdf" | ".pdf":
            return "pdf"
        case "docx" | ".docx":
            return "docx"
    return "txt"
