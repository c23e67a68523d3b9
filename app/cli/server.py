"""A uvicorn server that says when it listens, and where."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import uvicorn


class ReadyServer(uvicorn.Server):
    """`settled` is set once the start has succeeded (`started`) or failed; `on_stop` is told when the end begins."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop
        self.settled = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.settled.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()  # before open connections are waited for
        await super().shutdown(sockets)

    @property
    def url(self) -> str:
        """Where it listens; the real port where 0 was asked for."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
