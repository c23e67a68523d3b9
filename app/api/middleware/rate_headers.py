"""`X-RateLimit-*` on every answer to a known key; a pure ASGI middleware, because streams pass through."""

from __future__ import annotations

import math

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.rate_limits import Visit, current_visit


class RateHeaders:
    """Notes whose request it is for those who count, and tells the client what they counted."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = Visit(scope["client"][0] if scope.get("client") else "")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and visit.allowance is not None:
                headers = MutableHeaders(scope=message)
                headers["x-ratelimit-limit"] = str(visit.allowance.limit)
                headers["x-ratelimit-remaining"] = str(visit.allowance.remaining)
                headers["x-ratelimit-reset"] = str(math.ceil(visit.allowance.reset_at))
            await send(message)

        token = current_visit.set(visit)
        try:
            await self._app(scope, receive, with_headers)
        finally:
            current_visit.reset(token)
