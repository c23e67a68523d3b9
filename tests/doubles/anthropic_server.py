"""A scripted Anthropic: messages as a stream, in Anthropic's own wire format."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tests.doubles.scripted_server import CUT, Gate, Reply, ScriptedServer, Step

__all__ = ["CUT", "AnthropicServer", "Gate", "Reply", "answer", "error", "text", "tool_use"]


class AnthropicServer(ScriptedServer):
    """`with AnthropicServer() as server:` then `server.script(answer(text(0, "Hi")))`."""


def event(kind: str, **fields: Any) -> bytes:
    """One server-sent event."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def text(index: int, *pieces: str | Step) -> list[Step]:
    """A text block; steps that are no text stand as they are."""
    return [
        event("content_block_start", index=index, content_block={"type": "text", "text": ""}),
        *(_block_delta(index, type="text_delta", text=p) if isinstance(p, str) else p for p in pieces),
        event("content_block_stop", index=index),
    ]


def tool_use(index: int, id: str, name: str, arguments: Iterable[str]) -> list[Step]:
    """A tool call whose arguments come in pieces."""
    block = {"type": "tool_use", "id": id, "name": name, "input": {}}
    return [
        event("content_block_start", index=index, content_block=block),
        *(_block_delta(index, type="input_json_delta", partial_json=piece) for piece in arguments),
        event("content_block_stop", index=index),
    ]


def answer(*blocks: Sequence[Step], reason: str = "end_turn", counts: tuple[int, int] = (7, 3)) -> Reply:
    """A whole message; `counts` are input and output tokens."""
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": counts[0], "output_tokens": 1},
    }
    return Reply(
        [
            event("message_start", message=message),
            event("ping"),
            *(step for block in blocks for step in block),
            event(
                "message_delta",
                delta={"stop_reason": reason, "stop_sequence": None},
                usage={"output_tokens": counts[1]},
            ),
            event("message_stop"),
        ]
    )


def error(kind: str, message: str, *, status: int = 200) -> Reply:
    """An error answer; with status 200, an error event in the stream, as an overloaded Anthropic sends it."""
    if status == 200:
        return Reply([event("error", error={"type": kind, "message": message})])
    body = {"type": "error", "error": {"type": kind, "message": message}}
    return Reply([json.dumps(body).encode()], status, content_type="application/json")


def _block_delta(index: int, **delta: Any) -> bytes:
    return event("content_block_delta", index=index, delta=delta)
