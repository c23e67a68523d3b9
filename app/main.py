"""The web application: routes, error bodies, static pages; its parts are built when it starts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.cors import CORSMiddleware

from app import VERSION
from app.api.docs_page import redoc_page, swagger_page
from app.api.error_handlers import add_error_handlers
from app.api.graphql.limits import QueryLimits
from app.api.middleware.body_limit import BodyLimit
from app.api.middleware.rate_headers import RateHeaders
from app.api.middleware.request_id import RequestId
from app.api.middleware.security_headers import SecurityHeaders
from app.api.mounting import mount_routes
from app.api.openapi import complete_document
from app.bootstrap import Service, build
from app.settings import Settings

STATIC = Path(__file__).parent / "static"
DESCRIPTION = "Answers from your documents, with citations anyone can re-check."
_log = logging.getLogger("footnote")


def create_app(
    settings: Settings, on_ready: Callable[[Service], None] | None = None, service: Service | None = None
) -> FastAPI:
    """The application of `service`, or of one that it builds at its start; `on_ready` is told before the first request.

    In either case it starts the service and, at its end, stops it.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        running: Service = await asyncio.to_thread(build, settings) if service is None else service
        # Questions are answered while the job engine starts; files uploaded meanwhile are rows, which it then reads.
        starting = asyncio.create_task(asyncio.to_thread(running.start))
        starting.add_done_callback(_tell_failure)
        try:
            if on_ready is not None:
                on_ready(running)
            yield {"parts": running.parts}
        finally:
            await asyncio.wait([starting])
            await running.parts.pipeline.drain()
            await running.parts.close_models()
            await asyncio.to_thread(running.stop)

    app = FastAPI(
        title="Footnote",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's page loads from a CDN: blank where there is no internet
        redoc_url=None,
        redirect_slashes=False,  # vendors' clients do not follow redirects, and `/v1/models/` is not `/v1/models`
        strict_content_type=False,  # curl -d sends a form's type; the body says what it is
    )
    app.add_middleware(BodyLimit, settings.max_request_bytes, settings.max_upload_request_bytes)
    app.add_middleware(RateHeaders)
    app.add_middleware(RequestId)
    app.add_middleware(SecurityHeaders, settings.behind_tls)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["*"],
        )
    mount_routes(
        app,
        QueryLimits(
            depth=settings.graphql_max_depth,
            aliases=settings.graphql_max_aliases,
            tokens=settings.graphql_max_tokens,
            chars=settings.graphql_max_chars,
            items=settings.graphql_max_items,
        ),
    )
    _add_pages(app)
    add_error_handlers(app)
    complete_document(app)
    return app


def _tell_failure(starting: asyncio.Task[None]) -> None:
    """The service goes on answering; health names the part that does not."""
    if (failure := starting.exception()) is not None:
        _log.error("jobs could not be started", exc_info=failure)


def _add_pages(app: FastAPI) -> None:
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/", include_in_schema=False)
    async def root(request: Request) -> Response:
        """A page for people; for programs what Gist's and the chatbot's clients look for."""
        if "text/html" in request.headers.get("accept", ""):
            return FileResponse(STATIC / "index.html")
        return Response(
            orjson.dumps({"status": "ok", "message": "Footnote: see /docs", "version": VERSION}),
            media_type="application/json",
        )

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(swagger_page())

    @app.get("/redoc", include_in_schema=False)
    async def redoc() -> HTMLResponse:
        return HTMLResponse(redoc_page())
