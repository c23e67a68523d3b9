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
from app.core.parts import Parts
from app.core.types import Json
from app.dialects.base import Body, Dialect
from app.dialects.gist import completions as gist
from app.dialects.gist.completions import GistDialect
from app.dialects.openai import request as openai_request
from app.dialects.openai.completions import OpenAIDialect
from app.dialects.openai.promptrun import PROMPT_HEADER
from app.dialects.prem import request as prem_request
from app.dialects.prem.completions import PremDialect

router = APIRouter(tags=["completions"])
openai_router = APIRouter(tags=["completions"])
prem_router = APIRouter(tags=["completions"])
gist_router = APIRouter(tags=["completions"])
SCHEMAS: dict[str, type[BaseModel]] = {
    "PremRequest": prem_request.PremRequest,
    "OpenAIRequest": openai_request.OpenAIRequest,
    "GistRequest": gist.GistRequest,
}  # shown in OpenAPI
EXAMPLES: dict[str, Json] = {
    "PremRequest": {"summary": "Prem 0.3", "value": prem_request.EXAMPLE},
    "OpenAIRequest": {"summary": "OpenAI", "value": openai_request.EXAMPLE},
    "GistRequest": {"summary": "ProRata's Gist", "value": gist.EXAMPLE},
}
_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
ANSWERED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer, or a stream of it (`stream: true`).",
        "content": {"application/json": {}, "text/event-stream": {}},
    },
    502: {
        "description": "The model's provider failed, or its answer is not in the format asked for.",
        "content": _ERROR,
    },
    503: {"description": "A part of the service is not available.", "content": _ERROR},
}
SAVED_PROMPT = {
    "name": PROMPT_HEADER,
    "in": "header",
    "required": False,
    "description": "A saved prompt (id, name, or a version's id): the conversation where `messages` is empty.",
    "schema": {"type": "string"},
}


def _takes(*schemas: str) -> dict[str, Any]:
    """The request body of a route that reads it by hand, for OpenAPI."""
    shapes = [{"$ref": f"#/components/schemas/{name}"} for name in schemas]
    shape = {"anyOf": shapes} if len(shapes) > 1 else shapes[0]
    examples = {name: EXAMPLES[name] for name in schemas}
    content = {"application/json": {"schema": shape, "examples": examples}}
    return {"requestBody": {"required": True, "content": content}, "parameters": [SAVED_PROMPT]}


@router.post(
    "/v1/chat/completions",
    summary="Answer from documents, in Prem's, OpenAI's or Gist's format",
    openapi_extra=_takes(*SCHEMAS),
    responses=ANSWERED,
)
async def complete(request: Request, parts: PartsNow) -> Response:
    """A body with `project_id` is Prem's, else one with `model` is OpenAI's, else one from a user (`X-User-ID`) Gist's.

    The answer carries `document_chunks` (what the model saw, in the order of their markers), `citations` (each a
    slice of a document, with hashes) and `retrieval` (what was considered and dropped).
    """
    body = await json_object(request)
    return await answer_in(claim(dialects(parts), body, request), body, request, parts)


@openai_router.post(
    "/chat/completions",
    summary="Answer from documents, in OpenAI's format",
    openapi_extra=_takes("OpenAIRequest"),
    responses=ANSWERED,
)
async def complete_for_openai(request: Request, parts: PartsNow) -> Response:
    """As under `/v1`, but every body is read as OpenAI's. `/api/v1/chat/completions` is the same."""
    return await answer_in(_openai(parts), await json_object(request), request, parts)


@prem_router.post(
    "/chat/completions",
    summary="Answer from documents, in Prem's format",
    openapi_extra=_takes("PremRequest"),
    responses=ANSWERED,
)
async def complete_for_prem(request: Request, parts: PartsNow) -> Response:
    """As under `/v1`, but every body is read as Prem's."""
    return await answer_in(_prem(parts), await json_object(request), request, parts)


@gist_router.post(
    "/chat/completions",
    summary="Answer from documents, in Gist's format",
    openapi_extra=_takes("GistRequest"),
    responses=ANSWERED,
)
async def complete_for_gist(request: Request, parts: PartsNow) -> Response:
    """As under `/v1`, but every body is read as Gist's; needs the header `X-User-ID`."""
    return await answer_in(GistDialect(), await json_object(request), request, parts)


def dialects(parts: Parts) -> Sequence[Dialect]:
    """In the order in which they are asked whether a request is theirs."""
    return (_prem(parts), _openai(parts), GistDialect())


def claim(known: Sequence[Dialect], body: Body, request: Request) -> Dialect:
    """The first dialect that claims the body; raises InvalidRequestError."""
    for dialect in known:
        if dialect.claims(body, request.headers):
            return dialect
    raise InvalidRequestError(
        "Send `project_id` (Prem's format), `model` (OpenAI's), or the header `X-User-ID` (Gist's).", field="model"
    )


def _prem(parts: Parts) -> Dialect:
    return PremDialect(spaced_done=parts.sse_done_spaced)


def _openai(parts: Parts) -> Dialect:
    return OpenAIDialect(spaced_done=parts.sse_done_spaced, fingerprint=f"fp_{parts.fingerprint}")
