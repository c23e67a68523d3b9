"""A real HTTP server that answers from a script and writes down what it was sent.

Every request takes the next reply of the script. A reply's body is a list of steps: bytes are sent as one
message, a Gate holds the stream until the test opens it, CUT breaks the connection off. Nothing here waits
for time to pass: tests order events by gates and by what the server has seen.
"""

from __future__ import annotations

import asyncio
import enum
import json
import socket
import threading
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import uvicorn

_PATIENCE_S = 30.0  # only ever spent by a test that is about to fail

_Asgi = MutableMapping[str, Any]


class Gate:
    """Holds a reply until the test opens it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._opened = asyncio.Event()
        self._reached = threading.Event()

    def open(self) -> None:
        """Lets the reply go on; callable from any thread."""
        self._loop.call_soon_threadsafe(self._opened.set)

    async def reached(self) -> bool:
        """Whether the server came to this gate; waits for it outside the server's own thread."""
        return await asyncio.to_thread(self._reached.wait, _PATIENCE_S)

    async def passed(self) -> None:
        """For the server: returns once the gate is open."""
        self._reached.set()
        await self._opened.wait()


class Break(enum.Enum):
    """The one way to end a stream that is not an end."""

    CUT = "cut"


CUT = Break.CUT
Step = bytes | Gate | Break


@dataclass(frozen=True)
class Reply:
    """What to answer one request with."""

    steps: Sequence[Step]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "text/event-stream"
    before_headers: Gate | None = None  # hold even the status line


@dataclass
class Recorded:
    """A request as it came, and what became of it."""

    path: str
    headers: dict[str, str]  # names in lower case
    body: Any
    _gone: threading.Event = field(default_factory=threading.Event)

    async def client_gone(self) -> bool:
        """Whether the client closed the connection before its answer was over; waits for it."""
        return await asyncio.to_thread(self._gone.wait, _PATIENCE_S)


class ScriptedServer:
    """Serves on a free port of the loopback interface, in a thread, as long as the `with` lasts."""

    base_path = ""  # what a client's base URL ends in

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self._script: deque[Reply] = deque()
        self._gates: list[Gate] = []
        self._loop = asyncio.new_event_loop()
        self._socket = socket.create_server(("127.0.0.1", 0))
        # Our own socket is bound before the thread starts, so nobody has to wait for the server to be up.
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._serve,
                interface="asgi3",
                lifespan="off",
                ws="none",
                log_config=None,
                log_level="critical",
                timeout_graceful_shutdown=5,
            )
        )
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)

    @property
    def url(self) -> str:
        """The base URL to give a client."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}{self.base_path}"

    def script(self, *replies: Reply) -> None:
        """Appends replies; each request takes one, a request too many gets a 418."""
        self._script.extend(replies)

    def clear(self) -> None:
        """Forgets the replies that no request took, and the requests; call it while nothing is being answered."""
        self._script.clear()
        self.requests.clear()

    def gate(self) -> Gate:
        """A gate for a reply's steps; those still shut are opened when the server ends."""
        gate = Gate(self._loop)
        self._gates.append(gate)
        return gate

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        for gate in self._gates:
            gate.open()
        self._server.should_exit = True
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._server.serve(sockets=[self._socket]))
        finally:
            self._loop.close()
            self._socket.close()

    async def _serve(
        self,
        scope: _Asgi,
        receive: Callable[[], Awaitable[_Asgi]],
        send: Callable[[_Asgi], Awaitable[None]],
    ) -> None:
        content = b""
        more = True
        while more:
            message = await receive()
            content += message.get("body", b"")
            more = message.get("more_body", False)
        request = Recorded(
            path=scope["path"],
            headers={name.decode(): value.decode() for name, value in scope["headers"]},
            body=json.loads(content) if content else None,
        )
        self.requests.append(request)
        reply = self._script.popleft() if self._script else Reply([b"the script is over"], status=418)
        answering = asyncio.ensure_future(_answer(reply, send))
        leaving = asyncio.ensure_future(receive())  # the next message can only be http.disconnect
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if not answering.done():
            request._gone.set()
            answering.cancel()
            return
        answering.result()


async def _answer(reply: Reply, send: Callable[[_Asgi], Awaitable[None]]) -> None:
    if reply.before_headers is not None:
        await reply.before_headers.passed()
    headers = {"content-type": reply.content_type, **reply.headers}
    await send(
        {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    for step in reply.steps:
        if isinstance(step, bytes):
            await send({"type": "http.response.body", "body": step, "more_body": True})
        elif isinstance(step, Gate):
            await step.passed()
        else:
            return  # uvicorn closes a connection whose answer has no end
    await send({"type": "http.response.body", "body": b"", "more_body": False})
