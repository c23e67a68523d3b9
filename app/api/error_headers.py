"""What an error says in its headers: who it was, whether to come again, and when."""

from __future__ import annotations

import math

from app.core.errors import AppError

# What OpenAI's clients send again by themselves, with 5xx, unless they are told not to.
_TRIED_AGAIN = frozenset({408, 409, 429})


def error_headers(error: AppError) -> dict[str, str]:
    """`x-request-id`, `www-authenticate`, `retry-after` (whole seconds, and in ms) and `x-should-retry: false`.

    The last where the very same request would fail again: a client that tries all the same costs time, and the
    provider's money.
    """
    headers = {"x-request-id": error.trace_id} if error.trace_id else {}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    if error.retry_after_s is not None:
        headers["retry-after"] = str(math.ceil(error.retry_after_s))
        headers["retry-after-ms"] = str(math.ceil(error.retry_after_s * 1000))
    if not error.passing and (error.status in _TRIED_AGAIN or error.status >= 500):
        headers["x-should-retry"] = "false"
    return headers
