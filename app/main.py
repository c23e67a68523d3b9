"""The web application: routes, error bodies, static pages; its parts are built when it starts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from app import VERSION
from app.api import (
    absent,
    completions,
    datasets,
    documents,
    experiments,
    health,
    jobs,
    metrics,
    projects,
    prompts,
    repositories,
    retrieve,
    traces,
    uploads,
)
from app.api.allowed_methods import allow_header
from app.api.docs_page import redoc_page, swagger_page
from app.api.error_headers import error_headers
from app.api.gist import chat as gist
from app.api.gist import questions, threads
from app.api.graphql.limits import QueryLimits
from app.api.graphql.route import make_router
from app.api.middleware.body_limit import BodyLimit
from app.api.middleware.rate_headers import RateHeaders
from app.api.middleware.request_id import RequestId
from app.api.middleware.security_headers import SecurityHeaders
from app.api.openai import embeddings, models, promptrun
from app.api.openapi import complete_document
from app.api.parea import completions as parea
from app.api.parea import datasets as parea_datasets
from app.api.parea import experiments as parea_experiments
from app.api.parea import logs as parea_logs
from app.api.prem import library as prem
from app.api.prem import traces as prem_traces
from app.bootstrap import Service, build
from app.core.errors import (
    AppError,
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from app.dialects.envelopes import Envelope, envelope_of
from app.settings import Settings

OPENAI_PREFIXES = ("/v1", "/openai/v1", "/api/v1")  # where vendors' clients look; the first is the one in /docs
GIST_PREFIXES = ("/v1", "/gist/v1")
PAREA_PREFIXES = ("/api/parea/v1", "/api/parea/v1/api/parea/v1")  # the second is its documented curl line's
STATIC = Path(__file__).parent / "static"
TOO_LARGE = (
    "The request has more bytes than it may: FOOTNOTE_MAX_REQUEST_BYTES for JSON, FOOTNOTE_MAX_UPLOAD_REQUEST_BYTES "
    "for an upload. Send less at once, or raise the limit."
)
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
    for module in (health, repositories, uploads, documents, jobs, retrieve, completions, projects, traces):
        app.include_router(module.router)
    for module in (prem, prem_traces, absent):
        app.include_router(module.router)
    for module in (datasets, experiments, metrics):
        app.include_router(module.router)
    app.include_router(prompts.router)
    for module in (parea, parea_logs, parea_datasets, parea_experiments):
        for prefix in PAREA_PREFIXES:
            app.include_router(module.router, prefix=prefix, include_in_schema=prefix == PAREA_PREFIXES[0])
    app.include_router(promptrun.router, prefix="/v1")
    for prefix in OPENAI_PREFIXES[1:]:
        app.include_router(completions.openai_router, prefix=prefix, include_in_schema=prefix == OPENAI_PREFIXES[1])
    app.include_router(completions.prem_router, prefix="/prem/v1")
    app.include_router(completions.gist_router, prefix="/gist/v1")
    for prefix in GIST_PREFIXES:
        for module in (gist, threads, questions):
            app.include_router(module.router, prefix=prefix, include_in_schema=prefix == GIST_PREFIXES[0])
    app.include_router(models.prem_router, prefix="/v1")  # before the other, whose ids may have slashes
    for module in (models, embeddings):
        for prefix in OPENAI_PREFIXES:
            app.include_router(module.router, prefix=prefix, include_in_schema=prefix == OPENAI_PREFIXES[0])
    app.include_router(
        make_router(
            QueryLimits(
                depth=settings.graphql_max_depth,
                aliases=settings.graphql_max_aliases,
                tokens=settings.graphql_max_tokens,
                chars=settings.graphql_max_chars,
                items=settings.graphql_max_items,
            )
        )
    )
    _add_pages(app)
    _add_errors(app)
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


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(AppError)
    async def expected(request: Request, error: AppError) -> Response:
        if error.status >= 500:
            error.trace_id = error.trace_id or str(uuid.uuid4())
            said, cause = (error.code, None) if error.private else (error.message, error.__cause__)
            _log.error("%s", said, extra={"trace_id": error.trace_id}, exc_info=cause)
        shown = envelope(request)(error)
        return Response(
            orjson.dumps(shown.body), shown.status, headers=error_headers(error), media_type="application/json"
        )

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])  # the first says only whether body, query or path
        hint = ""
        if not where and "json" not in request.headers.get("content-type", ""):
            hint = " Send it as JSON, with the header `Content-Type: application/json`."
        message = f"`{where or 'body'}`: {first['msg']}.{hint}"
        return await expected(request, InvalidRequestError(message, field=where or None))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if isinstance(error.__cause__, AppError):  # FastAPI's wrapping of what a body's reader said
            return await expected(request, error.__cause__)
        if error.status_code == 413:
            return await expected(request, TooLargeError(TOO_LARGE))
        kind = {404: NotFoundError, 405: MethodNotAllowedError}.get(error.status_code, InvalidRequestError)
        said = kind(f"{str(error.detail).rstrip('.')}: {request.method} {request.url.path}. See /docs.")
        response = await expected(request, said)
        if error.status_code == 405:
            response.headers["allow"] = allow_header(app.router.routes, request.scope)
        return response

    @app.exception_handler(SQLAlchemyError)
    async def database(request: Request, error: SQLAlchemyError) -> Response:
        shown = UnavailableError("The database does not answer. `GET /v1/health` says more.")
        shown.__cause__ = error
        return await expected(request, shown)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        shown = AppError("Something went wrong on our side. The log says what, under this trace id.")
        shown.__cause__ = error
        return await expected(request, shown)


def envelope(request: Request) -> Envelope:
    """How this request's clients are told of an error: as the dialect that claimed it says, else by its path."""
    claimed: Envelope | None = getattr(request.state, "envelope", None)
    return claimed or envelope_of(request.url.path)
