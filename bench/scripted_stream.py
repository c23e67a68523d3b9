"""A process that streams: the service with a scripted generator in it, and two others writing the same words.

    python -m bench.scripted_stream PORT DATA_DIR

`/v1/chat/completions`, `/gist/v1/chat/completions` and `/api/parea/v1/completion/stream` are the real service's, with
everything but a model: the generator yields WORDS words, one a turn of the event loop. `/bare/{dialect}` is a bare
Starlette response that writes the very bytes of those streams, piece by piece, and `/sse-starlette` what a service made
with sse-starlette does: a dict a word, written as JSON.
"""

from __future__ import annotations

import asyncio
import copy
import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path

import uvicorn
from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from app.bootstrap import build
from app.core.ports import ModelChoice
from app.core.types import Delta, FinishReason, Prompt, Usage
from app.main import create_app
from app.settings import Settings
from bench.process import ADMIN_KEY

WORDS = 2000
WORD = "retrieval "


async def words() -> AsyncGenerator[str, None]:
    """The model: a word a turn of the event loop."""
    for _ in range(WORDS):
        await asyncio.sleep(0)
        yield WORD


class Scripted:
    """Says the words."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        async for word in words():
            yield Delta(word)
        yield Delta(finish_reason=FinishReason.STOP, usage=Usage(7, WORDS))


class ScriptedModels:
    """A catalogue of one."""

    async def prepare(self, model: str) -> None:
        """Nothing to load."""

    def resolve(self, model: str, provider_key: str | None = None) -> ModelChoice:
        """Any id means the scripted one."""
        return ModelChoice("scripted", "words", Scripted())


async def bare(request: Request) -> Response:
    """Bytes of the size a dialect's frames have, and nothing else."""
    size = int(request.query_params["bytes"])
    frame = b"x" * size

    async def frames() -> AsyncIterator[bytes]:
        async for _ in words():
            yield frame

    return StreamingResponse(frames(), media_type="text/event-stream")


async def with_sse_starlette(request: Request) -> Response:
    """An OpenAI-style stream as the package's users write it."""
    await request.body()

    async def events() -> AsyncIterator[dict[str, str]]:
        async for word in words():
            choice = {"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}
            head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted/words"}
            yield {"event": "completion", "data": json.dumps({**head, "choices": [choice]})}
        yield {"event": "done", "data": "[DONE]"}

    return EventSourceResponse(events())


def main(port: int, data: Path) -> None:
    settings = Settings(data_dir=data, admin_key=ADMIN_KEY, embedder="hashing", log_level="error", rate_limit="")
    service = build(settings)
    pipeline = copy.copy(service.parts.pipeline)
    pipeline._models = ScriptedModels()
    app = create_app(settings, service=replace(service, parts=replace(service.parts, pipeline=pipeline)))
    app.router.routes[:0] = [
        Route("/bare", bare, methods=["POST"]),
        Route("/sse-starlette", with_sse_starlette, methods=["POST"]),
    ]
    uvicorn.run(app, port=port, access_log=False, log_level="error")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
