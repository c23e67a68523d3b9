"""Traces: what became of each completion."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app.api.caller import PartsNow, Reader
from app.api.schemas import TracePage, TraceShape, TraceSummary

router = APIRouter(prefix="/v1/traces", tags=["traces"])


@router.get("", summary="List traces, newest first", response_model=TracePage)
async def all_traces(
    caller: Reader,
    parts: PartsNow,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(description="`next_before` of the page before.")] = None,
) -> TracePage:
    found = await parts.traces.all(caller, limit, before)
    return TracePage(
        traces=[TraceSummary.model_validate(trace) for trace in found],
        next_before=found[-1].id if len(found) == limit else None,
    )


@router.get("/{trace_id}", summary="Look at a trace", response_model=TraceShape)
async def get(trace_id: str, caller: Reader, parts: PartsNow) -> object:
    return await parts.traces.get(caller, trace_id)
