"""The one tree of expected errors: status, stable code, and a message that says what to do next.

Each dialect renders them in its own envelope; the core knows none. A class's docstring is its default message.
"""

from __future__ import annotations

from typing import ClassVar


class AppError(Exception):
    """Something went wrong."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    passes: ClassVar[bool] = False  # does it usually pass by itself

    def __init__(self, message: str | None = None, *, field: str | None = None, trace_id: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.field = field  # the request field at fault, dotted: "repositories.limit"
        self.trace_id = trace_id
        self.private = False  # does the message perhaps repeat what must not be written down
        self.passing = type(self).passes  # may the very same request succeed soon
        self.retry_after_s: float | None = None  # how soon, where somebody said
        super().__init__(self.message)


class InvalidRequestError(AppError):
    """The request is not valid."""

    status = 400
    code = "invalid_request"


class UnauthorizedError(AppError):
    """Missing or unknown API key. Send it as `Authorization: Bearer <key>`; `footnote key create NAME` makes one."""

    status = 401
    code = "unauthorized"


class ForbiddenError(AppError):
    """This key may not do that."""

    status = 403
    code = "forbidden"


class NotFoundError(AppError):
    """There is no such thing in this project."""

    status = 404
    code = "not_found"


class ModelNotFoundError(NotFoundError):
    """There is no such model. `GET /v1/models` lists them; ids look like `provider/model`."""

    code = "model_not_found"


class MethodNotAllowedError(AppError):
    """This path does not take this method."""

    status = 405
    code = "method_not_allowed"


class ConflictError(AppError):
    """The request conflicts with the present state."""

    status = 409
    code = "conflict"


class TooLargeError(AppError):
    """The upload is larger than the limit."""

    status = 413
    code = "too_large"


class RateLimitedError(AppError):
    """Too many requests. Come again later."""

    status = 429
    code = "rate_limited"
    passes = True


class ProviderError(AppError):
    """The model's provider failed."""

    status = 502
    code = "provider_error"


class ProviderRateLimitedError(ProviderError):
    """The model's provider is refusing requests for now. Try again later."""

    status = 429
    code = "provider_rate_limited"
    passes = True


class UnavailableError(AppError):
    """A part this request needs is not available. `GET /v1/health` names it."""

    status = 503
    code = "unavailable"
    passes = True
