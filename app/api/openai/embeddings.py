"""POST /v1/embeddings: vectors of the caller's own texts, from the model that also embeds the documents."""

from __future__ import annotations

import logging

import orjson
from fastapi import APIRouter, Request, Response

from app.api.answering import caller_in, unless_gone
from app.api.bodies import json_object
from app.api.caller import PartsNow
from app.dialects.base import Dialect
from app.dialects.embeddings import EXAMPLE, Embeddings, EmbeddingsRequest, parse, render
from app.dialects.openai.completions import OpenAIDialect
from app.dialects.prem.completions import PremDialect

router = APIRouter(tags=["models"])
_log = logging.getLogger("footnote")


@router.post(
    "/embeddings",
    summary="Embed texts, in OpenAI's or Prem's format",
    response_model=Embeddings,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": EmbeddingsRequest.model_json_schema(),
                    "examples": {
                        "openai": {"summary": "OpenAI", "value": EXAMPLE},
                        "prem": {"summary": "Prem 0.3", "value": {"project_id": 1, **EXAMPLE}},
                    },
                }
            },
        }
    },
)
async def embed(request: Request, parts: PartsNow) -> Response:
    """Unit vectors. A text longer than the model's window is read window by window (the mean of them): none is cut off.

    `usage` counts every token read. `GET /v1/models` names the model (`capabilities.embeddings`).
    """
    body = await json_object(request)
    dialect: Dialect = PremDialect() if body.get("project_id") is not None else OpenAIDialect()
    caller = await caller_in(dialect, body, request, parts)
    asked = parse(
        body,
        model=parts.models.embedding,
        dimensions=parts.embeddings.dimensions,
        most=parts.limits.embedding_inputs,
    )
    await parts.projects.get(caller)  # the admin key opens every project, but only those that are there
    embedded = await unless_gone(request, parts.embeddings.embed(asked.texts))
    # No trace is written of an embedding: this line is where the end user is found again.
    _log.info("Embedded %d tokens for project %d, user %r", embedded.tokens, caller.project_id, caller.user)
    answer = render(asked, embedded.vectors, embedded.tokens, parts.models.embedding)
    return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
