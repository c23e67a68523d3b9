"""What an exception of a vendor's library means, as a failure."""

from __future__ import annotations

import datetime
import re

from app.core.errors import InvalidRequestError
from app.providers.failures import (
    PASSING_TYPES,
    failed_with,
    key_refused,
    no_answer,
    no_such_model,
    quoted,
    rate_limited,
    unreachable,
)
from app.providers.retry import Failure, asked_wait
from app.providers.vendors import Connection

# Every vendor's library has a class of its own for "no connection", so they are known by name: the SDKs'
# APIConnectionError, httpx's TransportError (refused, reset, cut), the operating system's ConnectionError.
_CONNECTION_ERRORS = frozenset({"APIConnectionError", "TransportError", "ConnectionError"})

_UNEXPECTED = re.compile(r"unexpected keyword argument '(\w+)'")  # Python's words for a field a library has never seen


def failure_of(error: Exception, connection: Connection, model: str, now: datetime.datetime) -> Failure:
    """The failure behind an exception that any-llm let through; `now` is for a Retry-After date."""
    import any_llm.exceptions as vendor_errors

    original = getattr(error, "original_exception", None) or error
    status = getattr(error, "status_code", None)
    code = getattr(error, "code", None)
    detail = quoted(str(getattr(error, "message", error)), connection.api_key)

    if isinstance(error, vendor_errors.RateLimitError):
        return rate_limited(connection, detail, _asked(original, now), used_up=code == "insufficient_quota")
    # Without a telling status any-llm goes by words, and "does not exist" or "author" may mean anything.
    lowered = detail.lower()
    if isinstance(error, vendor_errors.ModelNotFoundError) and "model" in lowered:
        return no_such_model(connection, model, detail)
    if isinstance(error, vendor_errors.AuthenticationError) and "key" in lowered:
        return key_refused(connection, model)
    if isinstance(error, vendor_errors.UnsupportedParameterError) or (status is None and _never_sent(original)):
        message = f"{connection.vendor.name} cannot do what the request asks: {detail}"
        return Failure(InvalidRequestError(message, field=_field_at_fault(error, original)))
    if status is not None and status >= 400:
        return failed_with(connection, model, status, detail, _asked(original, now), code)
    if _is_connection_error(original):
        return unreachable(connection)
    return no_answer(connection, detail, passing=getattr(error, "error_type", None) in PASSING_TYPES)


def _never_sent(original: Exception) -> bool:
    """Python's own complaint about the call, such as a sampling field the vendor's library does not take."""
    return isinstance(original, TypeError | NotImplementedError)


def _field_at_fault(error: Exception, original: Exception) -> str | None:
    found = _UNEXPECTED.search(str(original))
    return getattr(error, "parameter_name", None) or (None if found is None else found[1])


def _is_connection_error(original: Exception) -> bool:
    return any(cls.__name__ in _CONNECTION_ERRORS for cls in type(original).__mro__)


def _asked(original: Exception, now: datetime.datetime) -> float | None:
    headers = getattr(getattr(original, "response", None), "headers", None) or {}
    return asked_wait({str(name).lower(): str(value) for name, value in headers.items()}, now)
