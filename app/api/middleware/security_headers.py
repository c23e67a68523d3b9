"""Headers that tell a browser what not to do with an answer; a pure ASGI middleware, because streams pass through."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGES = frozenset({"/", "/docs", "/redoc", "/graphql"})
ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}
# Scripts are our own files. Styles are also written by them (React, CodeMirror); ReDoc searches in a blob worker.
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"  # for what is no page: nothing in it may run or load
ONE_YEAR = "max-age=31536000"


class SecurityHeaders:
    """Sets them on every answer that has none of its own; HSTS only where the service is known to be behind TLS."""

    def __init__(self, app: ASGIApp, behind_tls: bool) -> None:
        self._app = app
        self._behind_tls = behind_tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        policy = PAGE_POLICY if scope["path"] in PAGES else DATA_POLICY

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
                headers.setdefault("content-security-policy", policy)
                if self._behind_tls:
                    headers.setdefault("strict-transport-security", ONE_YEAR)
            await send(message)

        await self._app(scope, receive, with_headers)
