"""A scripted OpenAI: chat completions as a stream, in OpenAI's own wire format."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tests.doubles.scripted_server import CUT, Gate, Reply, ScriptedServer, Step

__all__ = [
    "CUT",
    "DONE",
    "Gate",
    "OpenAIServer",
    "Reply",
    "call",
    "chunk",
    "finish",
    "refuse",
    "say",
    "usage",
]

DONE = b"data: [DONE]\n\n"


class OpenAIServer(ScriptedServer):
    """`with OpenAIServer() as server:` then `server.url`, `server.script(say("Hi"))`, `server.requests`."""

    base_path = "/v1"


def chunk(**fields: Any) -> bytes:
    """One chat.completion.chunk as a server-sent event."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted"}
    return b"data: " + json.dumps({**head, "choices": [], **fields}).encode() + b"\n\n"


def delta(content: dict[str, Any], reason: str | None = None) -> bytes:
    """A chunk with one choice."""
    return chunk(choices=[{"index": 0, "delta": content, "finish_reason": reason}])


def finish(reason: str = "stop") -> bytes:
    """The chunk that says why the answer ended."""
    return delta({}, reason)


def usage(prompt_tokens: int, completion_tokens: int) -> bytes:
    """The last chunk of a client that asked for usage."""
    total = prompt_tokens + completion_tokens
    counts = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "total_tokens": total}
    return chunk(usage=counts)


def words(*pieces: str | Step) -> list[Step]:
    """Text pieces as chunks, one each; other steps as they are."""
    return [delta({"content": piece}) if isinstance(piece, str) else piece for piece in pieces]


def say(*pieces: str | Step, counts: tuple[int, int] | None = (7, 3), reason: str = "stop") -> Reply:
    """A whole answer; `counts` are prompt and completion tokens, None for a server that does not count."""
    ending = [usage(*counts)] if counts is not None else []
    opening = delta({"role": "assistant", "content": ""})
    return Reply([opening, *words(*pieces), finish(reason), *ending, DONE])


def call(
    index: int, id: str | None = None, name: str | None = None, arguments: Iterable[str] = ("",)
) -> Sequence[bytes]:
    """A tool call in fragments: the first chunk carries id and name, each chunk a piece of the arguments."""
    pieces = []
    for number, piece in enumerate(arguments):
        function: dict[str, Any] = {"arguments": piece}
        fragment: dict[str, Any] = {"index": index, "function": function}
        if number == 0 and id is not None:
            fragment |= {"id": id, "type": "function"}
            function["name"] = name
        pieces.append(delta({"tool_calls": [fragment]}))
    return pieces


def refuse(
    status: int, message: str = "no", *, code: str | None = None, headers: dict[str, str] | None = None
) -> Reply:
    """An error answer."""
    body = {"error": {"message": message, "type": "scripted_error", "code": code, "param": None}}
    return Reply([json.dumps(body).encode()], status, headers or {}, "application/json")
