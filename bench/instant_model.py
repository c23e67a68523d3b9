"""A model server: OpenAI's chat completions, streamed or whole.

python -m bench.instant_model PORT                  # answers at once, always the same cited sentence
python -m bench.instant_model PORT WORDS SECONDS    # streams so many words, so many seconds apart
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

ANSWER = "The sources say so [1], and a second one agrees [2]."
_Message = MutableMapping[str, Any]
_HEAD = {"id": "chatcmpl-1", "created": 1, "model": "instant"}
_USAGE = {"prompt_tokens": 900, "completion_tokens": 14, "total_tokens": 914}


def _event(choices: list[dict[str, Any]], **more: Any) -> bytes:
    chunk = {**_HEAD, "object": "chat.completion.chunk", "choices": choices, **more}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _said(text: str) -> bytes:
    return _event([{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}])


PACE: tuple[int, float] | None = None  # words, seconds between them
SPOKEN = _said("retrieval ")
_END = _event([{"index": 0, "delta": {}, "finish_reason": "stop"}])
ENDING = b"".join((_END, _event([], usage=_USAGE), b"data: [DONE]\n\n"))
STREAMED = _said(ANSWER) + ENDING
_MESSAGE = {"role": "assistant", "content": ANSWER}
WHOLE = json.dumps(
    {
        **_HEAD,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": _MESSAGE, "finish_reason": "stop"}],
        "usage": _USAGE,
    }
).encode()


async def app(
    scope: _Message, receive: Callable[[], Awaitable[_Message]], send: Callable[[_Message], Awaitable[None]]
) -> None:
    """Bare ASGI: reads the request to its end, sends constant bytes."""
    asked = b""
    more = True
    while more:
        message = await receive()
        asked += message.get("body", b"")
        more = message.get("more_body", False)
    streams = bool(asked) and json.loads(asked).get("stream", False)
    kind = b"text/event-stream" if streams else b"application/json"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    if streams and PACE is not None:
        for _ in range(PACE[0]):
            await send({"type": "http.response.body", "body": SPOKEN, "more_body": True})
            await asyncio.sleep(PACE[1])
        await send({"type": "http.response.body", "body": ENDING})
    else:
        await send({"type": "http.response.body", "body": STREAMED if streams else WHOLE})


if __name__ == "__main__":
    if len(sys.argv) > 2:
        PACE = (int(sys.argv[2]), float(sys.argv[3]))
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", lifespan="off")
