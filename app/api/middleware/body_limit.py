"""Limits what a request may send, by counting: Content-Length may be missing or a lie."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UPLOAD = re.compile(r"/v1/repositories/[^/]+/documents|/(v1|api/repositories)/repository/[^/]+/document")
FORM = "multipart/form-data"  # written to disk as it comes; a JSON body is held in memory


class BodyLimit:
    """Raises HTTPException 413 where the application reads too much, so that the error is rendered as all others are.

    (Starlette's own limit answers in plain text, which no client's error parser reads.)
    """

    def __init__(self, app: ASGIApp, json_bytes: int, upload_bytes: int) -> None:
        self._app = app
        self._json_bytes = json_bytes
        self._upload_bytes = upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        upload = UPLOAD.fullmatch(scope["path"]) and headers.get("content-type", "").startswith(FORM)
        limit = self._upload_bytes if upload else self._json_bytes
        announced = headers.get("content-length", "")
        size = int(announced) if announced.isascii() and announced.isdecimal() else 0
        received = 0

        async def limited() -> Message:
            nonlocal received
            if size <= limit:  # else there is no need to read the first byte
                message = await receive()
                received += len(message.get("body", b""))
                if received <= limit:
                    return message
            raise HTTPException(413)

        await self._app(scope, limited, send)
