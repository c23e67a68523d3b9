"""Threads: a user's conversations, to look back at and to delete."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Response

from app.api.caller import PartsNow
from app.api.gist.user import GistUser
from app.core.access import require
from app.core.recall import recall_all
from app.core.types import Scope
from app.dialects.gist.chat import render_thread, render_whole_thread
from app.dialects.ids import MAX_ID

router = APIRouter(prefix="/threads", tags=["gist"])
MAX_RESULTS = 200


@router.get("", summary="List a user's threads, the one talked in last first")
async def all_threads(
    caller: GistUser,
    parts: PartsNow,
    start_at: Annotated[int, Query(alias="startAt", ge=0, le=MAX_ID)] = 0,
    max_results: Annotated[int, Query(alias="maxResults", ge=1, le=MAX_RESULTS)] = 20,
) -> Response:
    """Each with its newest turns; `total` counts all threads, `turnCount` all turns."""
    page = await parts.threads.all(caller, start_at, max_results, parts.limits.turns_listed)
    shown = {"threads": [render_thread(thread) for thread in page.threads], "total": page.total}
    return Response(orjson.dumps(shown), media_type="application/json")


@router.get("/{thread_id}", summary="Look at a thread")
async def get(thread_id: str, caller: GistUser, parts: PartsNow) -> Response:
    """Its newest turns with their citations and attributions."""
    thread = await parts.threads.get(caller, thread_id, parts.limits.turns_shown)
    shown = render_whole_thread(thread, await recall_all(parts.traces, caller, thread))
    return Response(orjson.dumps(shown), media_type="application/json")


@router.delete("/{thread_id}", summary="Delete a thread, its turns and their traces", status_code=204)
async def delete(thread_id: str, caller: GistUser, parts: PartsNow) -> None:
    """Needs a key that may write."""
    await parts.threads.delete(require(caller, Scope.WRITE), thread_id)
