"""Every error as its clients expect it: in the envelope of the dialect that claimed the request, else of its path."""

from __future__ import annotations

import logging
import uuid

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from app.api.allowed_methods import allow_header
from app.api.error_headers import error_headers
from app.core.errors import (
    AppError,
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from app.dialects.envelopes import Envelope, envelope_of

TOO_LARGE = (
    "The request has more bytes than it may: FOOTNOTE_MAX_REQUEST_BYTES for JSON, FOOTNOTE_MAX_UPLOAD_REQUEST_BYTES "
    "for an upload. Send less at once, or raise the limit."
)
_log = logging.getLogger("footnote")


def add_error_handlers(app: FastAPI) -> None:
    """Adds one for each kind of error; none lets a stack trace out."""

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
