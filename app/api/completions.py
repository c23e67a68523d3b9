"""POST /v1/chat/completions: each dialect claims its requests; one pipeline answers them all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from typing import Any, TypeVar

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from app.api.bodies import json_object
from app.api.caller import PartsNow
from app.core.access import require
from app.core.errors import AppError, InvalidRequestError
from app.core.types import Delta, Event, Finished, Scope
from app.dialects import openai, prem
from app.dialects.base import Body, Dialect, Framer
from app.dialects.openai import OpenAIDialect
from app.dialects.prem import PremDialect
from app.dialects.union_stream import END_PAUSE_S

Result = TypeVar("Result")
router = APIRouter(tags=["completions"])
SCHEMAS: dict[str, type[BaseModel]] = {
    "PremRequest": prem.PremRequest,
    "OpenAIRequest": openai.OpenAIRequest,
}  # shown in OpenAPI


class ClientGoneError(AppError):
    """The client hung up before its answer began."""

    status = 499  # nobody reads it but the access log
    code = "client_gone"


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
    dialect = claim(dialects(spaced_done=parts.sse_done_spaced), body, request)
    credentials = dialect.credentials(body, request.headers)
    caller = require(
        await parts.access.caller(credentials.key, project_id=credentials.project_id, user=credentials.user), Scope.READ
    )
    ask, stream = dialect.parse(body, caller)
    if len(ask.messages) > parts.limits.messages:
        raise InvalidRequestError(f"At most {parts.limits.messages} messages can be sent.", field="messages")
    if not stream:
        answer = await _unless_gone(request, parts.pipeline.answer(ask))
        return Response(orjson.dumps(dialect.render(answer)), media_type="application/json")
    events = parts.pipeline.run(ask)
    # Nothing is sent before the first words are there: until then an error is still a status, not a broken stream.
    first = await _unless_gone(request, _until_words(events))
    return StreamingResponse(
        _framed(first, events, dialect.framer(body)),
        media_type="text/event-stream",
        headers={"cache-control": "no-cache", "x-accel-buffering": "no"},
    )


def dialects(*, spaced_done: bool) -> Sequence[Dialect]:
    """In the order in which they are asked whether a request is theirs."""
    return (PremDialect(spaced_done=spaced_done), OpenAIDialect(spaced_done=spaced_done))


def claim(known: Sequence[Dialect], body: Body, request: Request) -> Dialect:
    """The first dialect that claims the body; raises InvalidRequestError."""
    for dialect in known:
        if dialect.claims(body, request.headers):
            return dialect
    raise InvalidRequestError("Send `project_id` (Prem's format) or `model` (OpenAI's format).", field="model")


async def _unless_gone(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """What the work results in; cancels it when the client hangs up, so that no model talks to nobody.

    The server tells of a hang-up only whoever listens: while nothing is being sent, that is us.
    """
    working, listening = asyncio.ensure_future(work), asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({working, listening}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGoneError
        return working.result()
    finally:
        listening.cancel()
        if working.cancel():  # false when it is done
            await asyncio.wait({working})


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass  # what is left of a body


async def _until_words(events: AsyncGenerator[Event, None]) -> list[Event]:
    seen: list[Event] = []
    async for event in events:
        seen.append(event)
        if isinstance(event, Delta | Finished):
            break
    return seen


async def _framed(first: Sequence[Event], events: AsyncGenerator[Event, None], framer: Framer) -> AsyncIterator[bytes]:
    async with contextlib.aclosing(events):
        try:
            for event in first:
                for frame in framer.frames(event):
                    yield frame
            async for event in events:
                for frame in framer.frames(event):
                    yield frame
        except AppError as error:
            for frame in framer.failure(error):
                yield frame
    await asyncio.sleep(END_PAUSE_S)  # see app.dialects.union_stream
