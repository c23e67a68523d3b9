"""GraphQL's errors: `message`, `locations`, `path`, and `extensions` with our code and the field at fault."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from graphql import GraphQLError
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import AppError, InvalidRequestError, UnavailableError

_log = logging.getLogger("footnote")


def render(error: GraphQLError) -> dict[str, Any]:
    """An error as clients get it: what we did not expect is in the log under its trace id, and only there."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    shown = _explained(error, cause)
    if shown.status >= 500:
        shown.trace_id = shown.trace_id or str(uuid.uuid4())
        _log.error("%s", shown.message, extra={"trace_id": shown.trace_id}, exc_info=cause)
    extensions = {"code": shown.code, "field": shown.field}
    if shown.trace_id is not None:
        extensions["trace_id"] = shown.trace_id
    rendered: dict[str, Any] = {"message": shown.message, "extensions": extensions}
    if error.locations:
        rendered["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        rendered["path"] = list(error.path)
    return rendered


def _explained(error: GraphQLError, cause: Exception | None) -> AppError:
    if isinstance(cause, AppError):
        return cause
    if cause is None:
        return InvalidRequestError(error.message)  # of the query's own syntax or types
    if isinstance(cause, RecursionError):
        return InvalidRequestError("The query is nested too deep.")
    if isinstance(cause, SQLAlchemyError):
        return UnavailableError("The database does not answer. `GET /v1/health` says more.")
    return AppError("Something went wrong on our side. The log says what, under this trace id.")
