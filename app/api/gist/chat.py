"""Gist's chat: a prompt at a time, and earlier answers once more, with what they rest on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from app.api.answering import STREAM_HEADERS, unless_gone
from app.api.bodies import JsonRoute
from app.api.caller import PartsNow
from app.api.gist.user import GistUser
from app.core.parts import Parts
from app.core.recall import Recalled, recall
from app.core.types import Caller, Delta, Event
from app.dialects.gist.chat import (
    GistPrompt,
    attributions_of,
    included,
    render_chat,
    restart,
    to_ask,
)
from app.dialects.gist.citations import gist_citations
from app.dialects.gist.completions import turn_number
from app.dialects.gist.stream import GistFramer

router = APIRouter(tags=["gist"], route_class=JsonRoute)
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "A stream: `metadata`, `generating`, `complete`.", "content": {"text/event-stream": {}}}
}


@router.post("/chat", summary="Answer one prompt of a thread")
async def chat(prompt: GistPrompt, caller: GistUser, request: Request, parts: PartsNow) -> Response:
    """The answer with its citations (by the number printed) and credit shares (of each kind adding to 1)."""
    repository_ids = None
    if prompt.inclusion_list:
        repository_ids = included(prompt.inclusion_list, await parts.repositories.all(caller))
    answer = await unless_gone(request, parts.pipeline.answer(to_ask(prompt, caller, repository_ids)))
    return Response(orjson.dumps(render_chat(answer)), media_type="application/json")


@router.get(
    "/chat/response/{thread_id}/{turn_id}",
    summary="Stream an earlier answer again",
    response_class=StreamingResponse,
    responses=ANSWER,
)
async def response(thread_id: str, turn_id: str, caller: GistUser, parts: PartsNow) -> Response:
    found = await _recall(parts, caller, thread_id, turn_id)
    thread = await parts.threads.get(caller, thread_id, 1)
    events = (restart(thread, found), Delta(found.finished.text), found.finished)
    return StreamingResponse(_framed(*events), media_type="text/event-stream", headers=STREAM_HEADERS)


@router.get("/chat/citations/{thread_id}/{turn_id}", summary="What an earlier answer cites")
async def citations(thread_id: str, turn_id: str, caller: GistUser, parts: PartsNow) -> Response:
    found = await _recall(parts, caller, thread_id, turn_id)
    shown = gist_citations(found.trace.id, found.finished.citations, found.retrieved.hits)
    return Response(orjson.dumps(shown), media_type="application/json")


@router.get("/chat/attributions/{thread_id}/{turn_id}", summary="Who an earlier answer is owed to")
async def attributions(thread_id: str, turn_id: str, caller: GistUser, parts: PartsNow) -> Response:
    """Shares from 0 to 1 of its cited characters; those of each kind add to 1, or there are none."""
    found = await _recall(parts, caller, thread_id, turn_id)
    shown = attributions_of(found.finished.citations, found.retrieved.hits)
    return Response(orjson.dumps(shown), media_type="application/json")


async def _recall(parts: Parts, caller: Caller, thread_id: str, turn_id: str) -> Recalled:
    return await recall(parts.threads, parts.traces, caller, thread_id, turn_number(turn_id))


async def _framed(*events: Event) -> AsyncIterator[bytes]:
    framer = GistFramer()
    for event in events:
        for frame in framer.frames(event):
            yield frame
