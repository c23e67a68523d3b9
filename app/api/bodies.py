"""Reads a JSON body within its limit, whatever Content-Type or Content-Length claim."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Request

from app.core.errors import InvalidRequestError, TooLargeError


async def json_object(request: Request, limit: int) -> dict[str, Any]:
    """The body as a JSON object; raises TooLargeError or InvalidRequestError."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise TooLargeError(f"The request has more than {limit} bytes (FOOTNOTE_MAX_REQUEST_BYTES).")
        pieces.append(piece)
    try:
        body = orjson.loads(b"".join(pieces))
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(f"The body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise InvalidRequestError("The body must be a JSON object.")
    return body
