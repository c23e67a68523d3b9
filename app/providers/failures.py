"""What a provider's failure means: one of our errors, with what to do next, and whether to try again. Pure."""

from __future__ import annotations

from app.core.errors import InvalidRequestError, ModelNotFoundError, ProviderError, ProviderRateLimitedError
from app.providers.retry import Failure
from app.providers.vendors import Connection

_DETAIL_CHARACTERS = 300

# What a stream that began with 200 says when it fails later; there the status tells nothing.
PASSING_TYPES = frozenset({"overloaded_error", "api_error", "server_error", "timeout_error"})


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


def unreachable(connection: Connection) -> Failure:
    """No connection, or one that broke off."""
    where = connection.vendor.base_variable or "the network"
    message = f"The connection to {connection.vendor.name} failed or broke off. Check that it is running, and {where}."
    return Failure(ProviderError(message), passing=True)


def no_answer(connection: Connection, detail: str, *, passing: bool = False) -> Failure:
    """Something came that cannot be read as an answer."""
    message = f"{connection.vendor.name} sent something that is no answer. Try again, or use another model."
    return Failure(ProviderError(f"{message} It said: {detail}"), passing=passing)


def rate_limited(connection: Connection, detail: str, wait_s: float | None, *, used_up: bool) -> Failure:
    """The provider refuses for now, or until the plan changes."""
    advice = "Its quota is used up: check the plan." if used_up else "Try again later."
    message = f"{connection.vendor.name} refuses more requests for now. {advice} It said: {detail}"
    return Failure(ProviderRateLimitedError(message), passing=not used_up, wait_s=wait_s)


def no_such_model(connection: Connection, model: str, detail: str) -> Failure:
    """The provider does not know the model, or the address leads nowhere."""
    where = connection.vendor.base_variable
    hint = f" Or {where} points to the wrong place." if where and connection.api_base else ""
    return Failure(ModelNotFoundError(f"{connection.vendor.name} has no model {model!r}.{hint} It said: {detail}"))


def key_refused(connection: Connection, model: str) -> Failure:
    """The provider does not take the key; its words are not repeated, for vendors put parts of the key in them."""
    key = connection.vendor.key_variable or "its credentials"
    return Failure(
        ProviderError(f"{connection.vendor.name} refused the API key. Check {key}, and that it may use {model!r}.")
    )


def failed_with(
    connection: Connection, model: str, status: int, detail: str, wait_s: float | None, code: str | None
) -> Failure:
    """What an HTTP status of 400 or above means."""
    name = connection.vendor.name
    if status == 429:
        return rate_limited(connection, detail, wait_s, used_up=code == "insufficient_quota")
    if status == 404:
        return no_such_model(connection, model, detail)
    if status in (401, 403):
        return key_refused(connection, model)
    if status in (408, 409) or status >= 500:
        message = f"{name} failed with status {status}. Try again, or use another model. It said: {detail}"
        return Failure(ProviderError(message), passing=True, wait_s=wait_s)
    return Failure(ProviderError(f"{name} refused the request with status {status}: {detail}"))


def field_refused(connection: Connection, field: str, detail: str) -> Failure:
    """The provider or its model does not take a field that went to it as it came."""
    return Failure(InvalidRequestError(f"{connection.vendor.name} refuses `{field}`: {detail}", field=field))


def quoted(words: str, key: str | None) -> str:
    """A vendor's own words on one line, not too many, the API key struck out."""
    line = " ".join(words.split())
    if key:
        line = line.replace(key, "***")
    return line if len(line) <= _DETAIL_CHARACTERS else line[: _DETAIL_CHARACTERS - 1] + "…"
