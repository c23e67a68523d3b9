"""The error body that Gist's clients know: the status in words, what happened, and the status."""

from __future__ import annotations

from http.client import responses

from pydantic import BaseModel, Field

from app.core.errors import AppError
from app.core.types import Json
from app.dialects.base import Refusal


class GistError(BaseModel):
    """An error as Gist's clients read it."""

    error: str = Field(examples=["Not Found"], description="The status in words.")
    message: str = Field(description="What happened, and what to do.")
    statusCode: int = Field(examples=[404])  # noqa: N815  (Gist's spelling)
    code: str = Field(examples=["not_found"])
    field: str | None = Field(None, description="The request's field at fault.")
    trace_id: str | None = None


def gist_refusal(error: AppError) -> Refusal:
    """Gist's body, under the error's own status."""
    return Refusal(error.status, gist_error(error))


def gist_error(error: AppError) -> dict[str, Json]:
    """Gist's three fields; then our code, the field at fault and the trace, where there are any."""
    body: dict[str, Json] = {
        "error": responses.get(error.status, "Error"),
        "message": error.message,
        "statusCode": error.status,
        "code": error.code,
    }
    if error.field is not None:
        body["field"] = error.field
    if error.trace_id is not None:
        body["trace_id"] = error.trace_id
    return body
