"""Liveness and readiness, each part by name; public, and silent about whose data is inside."""

from __future__ import annotations

import asyncio
import time

from fastapi import APIRouter, Response

from app import VERSION
from app.api.caller import PartsNow
from app.api.schemas import Health, PartStatus

router = APIRouter(tags=["health"])


@router.get(
    "/v1/health",
    summary="Is the service, and each part of it, able to work",
    response_model=Health,
    openapi_extra={"security": []},
    response_model_exclude_none=True,
    responses={503: {"model": Health, "description": "A part does not work."}},
)
@router.get("/health", include_in_schema=False, response_model=Health, response_model_exclude_none=True)
@router.get("/gist/v1/health", include_in_schema=False, response_model=Health, response_model_exclude_none=True)
async def health(parts: PartsNow, response: Response) -> Health:
    """200 when every part works, 503 otherwise; an answer of either kind means the process is alive."""
    examined = await asyncio.to_thread(parts.health)
    healthy = all(part.ok for part in examined.values())
    response.status_code = 200 if healthy else 503
    return Health(
        status="healthy" if healthy else "unhealthy",
        version=VERSION,
        timestamp=int(time.time()),
        uptime=time.time() - parts.started_at,
        services={
            name: PartStatus(status="operational", detail=part.detail)
            if part.ok
            else PartStatus(status="failed", error=part.detail)
            for name, part in examined.items()
        },
    )
