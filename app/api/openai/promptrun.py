"""GET /v1/prompt and /v1/prompt/stream: saved prompts as Promptrun's SDK fetches and follows them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from app.api.answering import STREAM_HEADERS
from app.api.caller import PartsNow, Reader
from app.core.library import PromptVersion
from app.core.parts import Parts
from app.core.types import Caller
from app.dialects.openai.promptrun import PromptrunPrompt, shape, version_number

router = APIRouter(tags=["prompts"])
_NAME = r"^[^\x00]+$"  # a PostgreSQL text has no NUL
Which = Annotated[str, Query(alias="projectId", pattern=_NAME, description="The saved prompt's id or name.")]
Version = Annotated[str | None, Query(description="Its number; the newest when left out.", examples=["3"])]
Tag = Annotated[str | None, Query(pattern=_NAME, description="Instead: the version that has this tag.")]


@router.get("/prompt", summary="Fetch a version of a saved prompt, as Promptrun does", response_model=PromptrunPrompt)
async def get(
    caller: Reader, parts: PartsNow, project: Which, version: Version = None, tag: Tag = None
) -> PromptrunPrompt:
    found = await parts.prompts.get(caller, project, _number(version), tag)
    return shape(found, await _default_model(caller, parts))


@router.get(
    "/prompt/stream",
    summary="Follow a saved prompt, as Promptrun does",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "One event a version, without a name."}},
)
async def follow(
    caller: Reader, parts: PartsNow, project: Which, version: Version = None, tag: Tag = None
) -> StreamingResponse:
    """The present version at once, then each that takes its place: a new one, or the one that a tag moves to."""
    default = await _default_model(caller, parts)
    versions = parts.prompt_watch.watch(caller, project, _number(version), tag)
    first = await anext(versions)  # a 404 before the stream begins
    return StreamingResponse(_frames(first, versions, default), media_type="text/event-stream", headers=STREAM_HEADERS)


async def _frames(
    first: PromptVersion | None, versions: AsyncGenerator[PromptVersion | None, None], default_model: str
) -> AsyncIterator[bytes]:
    async with contextlib.aclosing(versions):
        yield _frame(first, default_model)
        async for version in versions:
            yield _frame(version, default_model)


def _frame(version: PromptVersion | None, default_model: str) -> bytes:
    if version is None:
        return b": nothing new\n\n"
    return f"data: {shape(version, default_model).model_dump_json(ensure_ascii=True)}\n\n".encode()


async def _default_model(caller: Caller, parts: Parts) -> str:
    return (await parts.projects.defaults(caller)).model or parts.defaults.model


def _number(version: str | None) -> int | None:
    return None if version is None else version_number(version, "version")
