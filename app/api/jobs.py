"""Ingest jobs: look, watch, cancel."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from app.api.caller import PartsNow, Reader, Writer
from app.api.schemas import JobShape
from app.core.library import Job
from app.dialects.ids import Id

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


@router.get("/{job_id}", summary="Look at a job", response_model=JobShape)
async def get(job_id: Id, caller: Reader, parts: PartsNow) -> object:
    return await parts.jobs.get(caller, job_id)


@router.get(
    "/{job_id}/events",
    summary="Watch a job until it ends",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "One `progress` event a change."}},
)
async def events(job_id: Id, caller: Reader, parts: PartsNow) -> StreamingResponse:
    """Events are `progress` with the job as data; the last one is named by its final state."""
    await parts.jobs.get(caller, job_id)  # a 404 before the stream begins
    return StreamingResponse(
        _frames(parts.circulation.watch(caller, job_id)),
        media_type="text/event-stream",
        headers={"cache-control": "no-cache", "x-accel-buffering": "no"},
    )


@router.post("/{job_id}/cancel", summary="Stop a job at its next step", response_model=JobShape)
async def cancel(job_id: Id, caller: Writer, parts: PartsNow) -> object:
    """A finished job is left as it is. The document keeps its last published version."""
    return await parts.circulation.cancel(caller, job_id)


@router.post("/{job_id}/retry", status_code=202, summary="Try a failed job again", response_model=JobShape)
async def retry(job_id: Id, caller: Writer, parts: PartsNow) -> object:
    """A new job for the same document version; finished parts of the old one are not kept."""
    return await parts.circulation.retry(caller, job_id)


async def _frames(jobs: AsyncIterator[Job]) -> AsyncIterator[bytes]:
    async for job in jobs:
        name = str(job.state) if job.state.final else "progress"
        yield f"event: {name}\ndata: {JobShape.model_validate(job).model_dump_json()}\n\n".encode()
