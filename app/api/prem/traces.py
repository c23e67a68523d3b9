"""Traces and feedback for Prem's clients; `/v1/traces` without the slash at its end is ours."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.api.bodies import JsonRoute
from app.api.caller import PartsNow, Reader
from app.core.parts import Parts
from app.core.types import Caller
from app.dialects.base import bearer
from app.dialects.prem.traces import PremFeedback, PremThumb, PremTrace, PremTraceDetail, query_of

router = APIRouter(prefix="/v1", tags=["Prem"], route_class=JsonRoute)


@router.get("/traces/", summary="List completions, as Prem's clients read them")
async def all_traces(
    request: Request,
    caller: Reader,
    parts: PartsNow,
    project_id: Annotated[str | None, Query(description="The key's own when left out.")] = None,
    admin_filter: Annotated[str | None, Query(description="`ADMIN_ONLY`.")] = None,
    date_filter: Annotated[str | None, Query(description="last_hour, _day, _week, _month or _year.")] = None,
    from_date: Annotated[str | None, Query(description="ISO date or time.")] = None,
    to_date: Annotated[str | None, Query(description="ISO date, meant whole, or time.")] = None,
    search: Annotated[str | None, Query(description="A part of the question.")] = None,
    sort: Annotated[str | None, Query(description="`-created_at` or `created_at`.")] = None,
) -> list[PremTrace]:
    """A bare array of at most `FOOTNOTE_MAX_TRACE_PAGE`, newest first; `GET /v1/traces` has pages."""
    query, project = query_of(request.query_params, time.time(), parts.limits.trace_page)
    caller = await _in_project(request, caller, parts, project)
    found = (await parts.trace_search.search(caller, query)).traces
    thumbs = await parts.feedback.thumbs(caller, [trace.id for trace in found])
    models = await parts.models.known({trace.model for trace in found})
    return [PremTrace.of(trace, caller.project_id, models[trace.model], thumbs.get(trace.id)) for trace in found]


@router.get("/traces/{trace_id}/", summary="Look at a completion, as Prem's clients read it")
async def get_trace(trace_id: str, caller: Reader, parts: PartsNow) -> PremTraceDetail:
    """With its project, model, messages and the texts that the model saw."""
    trace = await parts.traces.get(caller, trace_id)
    project = await parts.projects.get(caller)
    thumbs = await parts.feedback.thumbs(caller, [trace_id])
    models = await parts.models.known([trace.model])
    return PremTraceDetail.of(trace, project, models[trace.model], thumbs.get(trace_id))


@router.post("/set_trace_feedback", summary="Put a thumb on an answer, or take it back")
async def set_feedback(body: PremFeedback, caller: Reader, parts: PartsNow) -> PremFeedback:
    """The newest thumb counts; the answer repeats what is kept. A key that may ask may also say what it thinks."""
    if body.feedback is None:
        await parts.feedback.withdraw(caller, body.trace_id)
        return body
    kept = (await parts.feedback.add(caller, body.new(body.feedback))).given
    thumb = PremThumb.model_validate({"positive": kept.positive, "messages": kept.messages})
    return PremFeedback(trace_id=body.trace_id, feedback=thumb)


async def _in_project(request: Request, caller: Caller, parts: Parts, project_id: int | None) -> Caller:
    """The caller in the project that the query names; raises NotFoundError unless the key opens it."""
    if project_id in (None, caller.project_id):
        return caller
    there = await parts.access.caller(bearer(request.headers), project_id=project_id)
    await parts.projects.get(there)
    return there
