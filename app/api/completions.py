"""POST /v1/chat/completions: each dialect claims its requests; one pipeline answers them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from app.api.answering import answer_in
from app.api.bodies import json_object
from app.api.caller import PartsNow
from app.core.errors import InvalidRequestError
from app.dialects import openai, prem
from app.dialects.base import Body, Dialect
from app.dialects.openai import OpenAIDialect
from app.dialects.prem import PremDialect

router = APIRouter(tags=["completions"])
SCHEMAS: dict[str, type[BaseModel]] = {
    "PremRequest": prem.PremRequest,
    "OpenAIRequest": openai.OpenAIRequest,
}  # shown in OpenAPI


REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in SCHEMAS]},
                "examples": {
                    "prem": {"summary": "Prem 0.3", "value": prem.EXAMPLE},
                    "openai": {"summary": "OpenAI", "value": openai.EXAMPLE},
                },
            }
        },
    }
}


@router.post(
    "/v1/chat/completions",
    summary="Answer from documents, in Prem's or OpenAI's format",
    openapi_extra=REQUEST_BODY,
    responses={200: {"description": "The answer, or a stream of it (`stream: true`)."}},
)
async def complete(request: Request, parts: PartsNow) -> Response:
    """A body with `project_id` is Prem's, else one with `model` is OpenAI's.

    The answer carries `document_chunks` (what the model saw, in the order of their markers), `citations` (each a
    slice of a document, with hashes) and `retrieval` (what was considered and dropped).
    """
    body = await json_object(request)
    return await answer_in(claim(dialects(spaced_done=parts.sse_done_spaced), body, request), body, request, parts)


def dialects(*, spaced_done: bool) -> Sequence[Dialect]:
    """In the order in which they are asked whether a request is theirs."""
    return (PremDialect(spaced_done=spaced_done), OpenAIDialect(spaced_done=spaced_done))


def claim(known: Sequence[Dialect], body: Body, request: Request) -> Dialect:
    """The first dialect that claims the body; raises InvalidRequestError."""
    for dialect in known:
        if dialect.claims(body, request.headers):
            return dialect
    raise InvalidRequestError("Send `project_id` (Prem's format) or `model` (OpenAI's format).", field="model")
