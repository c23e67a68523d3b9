"""The error body that the Prem, OpenAI and plain FastAPI clients all understand (contracts: the union body)."""

from __future__ import annotations

from app.core.errors import AppError
from app.core.types import Json
from app.dialects.base import Refusal

PREM_CODES = {
    400: "ValidationError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "ProviderNotFoundError",
    409: "ConflictError",
    413: "ValidationError",
    415: "ValidationError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    502: "ProviderAPIStatusError",
    503: "ProviderAPIConnectionError",
}
OPENAI_CODES = {  # else our own
    "unauthorized": "invalid_api_key",
    "rate_limited": "rate_limit_exceeded",
    "provider_rate_limited": "rate_limit_exceeded",
}


def union_refusal(error: AppError) -> Refusal:
    """The union body, under the error's own status."""
    return Refusal(error.status, union_error(error))


def union_error(error: AppError) -> Json:
    """`error.*` for OpenAI's clients, `message`/`code`/`details` for Prem's, `detail` for FastAPI's."""
    code = "ModelNotFoundError" if error.code == "model_not_found" else PREM_CODES.get(error.status, "CatchAllError")
    kind = "server_error" if error.status >= 500 else "requests" if error.status == 429 else "invalid_request_error"
    told = OPENAI_CODES.get(error.code, error.code)
    body: dict[str, Json] = {
        "error": {"message": error.message, "type": kind, "param": error.field, "code": told},
        "message": error.message,
        "code": code,
        "statusCode": error.status,
        "detail": error.message,
    }
    if error.field is not None:
        body["details"] = {error.field: {"error_messages": [{"message": error.message, "code": error.code}]}}
    if error.trace_id is not None:
        body["trace_id"] = error.trace_id
    return body
