"""Reads a JSON body, whatever its Content-Type claims; the application limits its size."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Request

from app.core.errors import InvalidRequestError


async def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object; raises InvalidRequestError."""
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(f"The body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise InvalidRequestError("The body must be a JSON object.")
    return body
