"""Reads JSON bodies, by hand or for a route's model, with one reader; the application limits their size.

Python's own reader takes what nothing behind it can keep: NaN, half of a surrogate pair, numbers without end, and lists
so deep that writing them down again fails. One log with such a thing in it would break every page that lists it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Scope

from app.core.errors import InvalidRequestError
from app.core.types import Json

MISTAKEN = ("application/x-www-form-urlencoded", "text/plain")


async def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object, whatever its Content-Type claims; raises InvalidRequestError."""
    body = read_json(await request.body(), request.state.parts.limits.json_depth)
    if not isinstance(body, dict):
        raise InvalidRequestError("The body must be a JSON object.")
    return body


def read_json(text: bytes, most_levels: int) -> Json:
    """The value that a JSON text says; raises InvalidRequestError for none, and for one nested too deep."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(f"The body is not JSON: {error}.") from error
    # Most bodies have fewer brackets than they may have levels, and need no second look.
    if text.count(b"[") + text.count(b"{") > most_levels and _deeper_than(value, most_levels):
        raise InvalidRequestError(
            f"The body is nested deeper than {most_levels} levels (FOOTNOTE_MAX_JSON_DEPTH). Send it flatter."
        )
    return value


class JsonRoute(APIRoute):
    """A route whose JSON body is read by `read_json`; for `APIRouter(route_class=...)`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(_JsonRequest(_said_to_be_json(request), request.receive))

        return handle_strictly


def _said_to_be_json(request: Request) -> Scope:
    """The scope of a request whose body is JSON whatever its Content-Type claims: `curl -d` claims a form."""
    if request.headers.get("content-type", "").partition(";")[0].strip() not in ("", *MISTAKEN):
        return request.scope
    others = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
    return {**request.scope, "headers": [*others, (b"content-type", b"application/json")]}


class _JsonRequest(Request):
    async def json(self) -> Json:
        return read_json(await self.body(), self.state.parts.limits.json_depth)


def _deeper_than(value: Json, levels: int) -> bool:
    """By breadth: what is to be found out is whether recursion would go too far."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
