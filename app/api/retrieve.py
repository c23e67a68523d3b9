"""Search without an answer, and re-checking of citations."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.bodies import JsonRoute, json_object
from app.api.caller import PartsNow, Reader
from app.api.schemas import CheckedShape, VerifyResult
from app.core.errors import InvalidRequestError
from app.core.retrieval_options import settle
from app.core.tracing import describe_funnel
from app.core.verification import texts_needed, verify
from app.dialects.chat import Repositories
from app.dialects.chunks import document_chunks

router = APIRouter(tags=["retrieval"], route_class=JsonRoute)


class RetrieveRequest(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {"query": "late fees", "repositories": {"ids": [1], "limit": 3, "similarity_threshold": 0.35}}
        }
    )

    query: str = Field(min_length=1)
    repositories: Repositories | None = None


class RetrieveResult(BaseModel):
    document_chunks: list[dict[str, Any]]
    retrieval: dict[str, Any] = Field(description="How many chunks were considered, and dropped by what.")


@router.post("/v1/retrieve", summary="Find chunks", response_model=RetrieveResult)
async def retrieve(body: RetrieveRequest, caller: Reader, parts: PartsNow) -> Response:
    """The same search that a completion does; repositories, limit and threshold default to the project's."""
    project, defaults = await parts.projects.defaults(caller), parts.defaults
    options = body.repositories or Repositories()
    ids = project.repository_ids if options.ids is None else options.ids
    if not ids:
        raise InvalidRequestError("Name at least one repository in `repositories.ids`.", field="repositories.ids")
    if not body.query.strip() or len(body.query) > defaults.max_question_chars:
        raise InvalidRequestError(f"`query` must have 1 to {defaults.max_question_chars} characters.", field="query")
    retrieval = settle(ids, options.limit, options.similarity_threshold, project, defaults)
    found = await parts.retriever.retrieve(caller, body.query, retrieval)
    result = {"document_chunks": document_chunks(found.hits), "retrieval": describe_funnel(found.funnel)}
    return Response(orjson.dumps(result), media_type="application/json")  # bytes: checking our own shape costs 2 ms


@router.post(
    "/v1/citations/verify",
    summary="Re-check an answer's citations against the documents",
    response_model=VerifyResult,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "description": "A whole answer, or just its `citations` and/or `document_chunks`.",
                        "properties": {
                            "citations": {"type": "array", "items": {"type": "object"}},
                            "document_chunks": {"type": "array", "items": {"type": "object"}},
                        },
                    }
                }
            },
        }
    },
)
async def verify_citations(request: Request, caller: Reader, parts: PartsNow) -> VerifyResult:
    """Compares every quote and every chunk with the canonical text its hash names; no model takes part."""
    answer = await json_object(request)
    if not isinstance(answer.get("citations"), list) and not isinstance(answer.get("document_chunks"), list):
        raise InvalidRequestError("Send an answer with `citations` or `document_chunks`.", field="citations")
    texts = await parts.documents.texts_by_hash(caller, sorted(texts_needed(answer)))
    results = verify(answer, texts)
    return VerifyResult(
        valid=all(each.valid for each in results),
        results=[CheckedShape.model_validate(each) for each in results],
    )
