"""What a vendor's exception means: one of our errors, with what to do next, and whether to try again."""

from __future__ import annotations

import datetime

from app.core.errors import InvalidRequestError, ModelNotFoundError, ProviderError, ProviderRateLimitedError
from app.providers.any_llm_retry import Failure, asked_wait
from app.providers.any_llm_vendors import Connection

_DETAIL_CHARACTERS = 300

# Every vendor's library has a class of its own for "no connection", so they are known by name: the SDKs'
# APIConnectionError, httpx's TransportError (refused, reset, cut), the operating system's ConnectionError.
_CONNECTION_ERRORS = frozenset({"APIConnectionError", "TransportError", "ConnectionError"})

# What a stream that began with 200 says when it fails later; there the status tells nothing.
_PASSING_TYPES = frozenset({"overloaded_error", "api_error", "server_error", "timeout_error"})


def timed_out(connection: Connection, timeout_s: float) -> Failure:
    """Silence for longer than allowed. Not tried again: whoever asked has waited that long already."""
    return Failure(
        ProviderError(
            f"{connection.vendor.name} was silent for {timeout_s:g} s. Try again, or raise the model timeout."
        )
    )


def broken_stream(connection: Connection) -> Failure:
    """A stream that ended without a finish reason: what came may be half an answer."""
    return Failure(
        ProviderError(f"{connection.vendor.name} ended its stream in the middle of the answer. Try again."),
        passing=True,
    )


def failure_of(error: Exception, connection: Connection, model: str, now: datetime.datetime) -> Failure:
    """The failure behind an exception that any-llm let through; `now` is for a Retry-After date.

    The vendor's own words are quoted with the API key struck out, and not at all where it was the key
    that failed: vendors repeat parts of it.
    """
    import any_llm.exceptions as vendor_errors

    name = connection.vendor.name
    original = getattr(error, "original_exception", None) or error
    status = getattr(error, "status_code", None)
    detail = _detail(error, connection.api_key)

    if status == 429 or isinstance(error, vendor_errors.RateLimitError):
        used_up = getattr(error, "code", None) == "insufficient_quota"
        advice = "Its quota is used up: check the plan." if used_up else "Try again later."
        limited = ProviderRateLimitedError(f"{name} refuses more requests for now. {advice} It said: {detail}")
        return Failure(limited, passing=not used_up, wait_s=_asked(original, now))
    # Without a telling status any-llm goes by words, and "does not exist" or "author" may mean anything.
    lowered = detail.lower()
    no_model = isinstance(error, vendor_errors.ModelNotFoundError) and "model" in lowered
    bad_key = isinstance(error, vendor_errors.AuthenticationError) and "key" in lowered
    if status == 404 or no_model:
        where = connection.vendor.base_variable
        hint = f" Or {where} points to the wrong place." if where and connection.api_base else ""
        return Failure(ModelNotFoundError(f"{name} has no model {model!r}.{hint} It said: {detail}"))
    if status in (401, 403) or bad_key:
        key = connection.vendor.key_variable or "its credentials"
        advice = f"Check {key}, and that it may use {model!r}."
        return Failure(ProviderError(f"{name} refused the API key. {advice}"))
    if isinstance(error, vendor_errors.UnsupportedParameterError) or (status is None and _never_sent(original)):
        return Failure(InvalidRequestError(f"{name} cannot do what the request asks: {detail}"))
    if status is not None and (status in (408, 409) or status >= 500):
        message = f"{name} failed with status {status}. Try again, or use another model. It said: {detail}"
        return Failure(ProviderError(message), passing=True, wait_s=_asked(original, now))
    if status is not None and 400 <= status < 500:
        return Failure(ProviderError(f"{name} refused the request with status {status}: {detail}"))
    if _is_connection_error(original):
        where = connection.vendor.base_variable or "the network"
        message = f"The connection to {name} failed or broke off. Check that it is running, and {where}."
        return Failure(ProviderError(message), passing=True)
    message = f"{name} sent something that is no answer. Try again, or use another model. It said: {detail}"
    return Failure(ProviderError(message), passing=getattr(error, "error_type", None) in _PASSING_TYPES)


def _never_sent(original: Exception) -> bool:
    """Python's own complaint about the call, such as a sampling field the vendor's library does not take."""
    return isinstance(original, TypeError | NotImplementedError)


def _is_connection_error(original: Exception) -> bool:
    return any(cls.__name__ in _CONNECTION_ERRORS for cls in type(original).__mro__)


def _asked(original: Exception, now: datetime.datetime) -> float | None:
    headers = getattr(getattr(original, "response", None), "headers", None) or {}
    return asked_wait({str(name).lower(): str(value) for name, value in headers.items()}, now)


def _detail(error: Exception, key: str | None) -> str:
    words = " ".join(str(getattr(error, "message", error)).split())
    if key:
        words = words.replace(key, "***")
    return words if len(words) <= _DETAIL_CHARACTERS else words[: _DETAIL_CHARACTERS - 1] + "…"
