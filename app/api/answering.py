"""Answers a request in one dialect: whole, or as a stream of its frames."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import orjson
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Send

from app.api.middleware.request_id import REQUEST_ID
from app.api.saved_prompt import saved_prompt
from app.core.access import require
from app.core.errors import AppError, InvalidRequestError
from app.core.parts import Parts
from app.core.types import Ask, Caller, Delta, Event, Finished, Scope, Started
from app.dialects.base import CUT, Body, Dialect, Framer, Renderer
from app.dialects.openai.promptrun import standing_in

Result = TypeVar("Result")
STREAM_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


class ClientGoneError(AppError):
    """The client hung up before its answer began."""

    status = 499  # nobody reads it but the access log
    code = "client_gone"


async def answer_in(dialect: Dialect, body: Body, request: Request, parts: Parts) -> Response:
    """The answer to a body that this dialect has claimed; from here on errors are in its words."""
    request.state.envelope = dialect.error
    caller = await caller_in(dialect, body, request, parts)
    prompt = await saved_prompt(request, caller, parts)
    body, inputs = (body, {}) if prompt is None else standing_in(body, prompt)
    ask, stream = dialect.parse(body, caller)
    if prompt is not None:
        ask = replace(ask, prompt_id=prompt.prompt_id, prompt_version=prompt.number, inputs=inputs)
    if not stream:
        return await whole(dialect, ask, request, parts)
    return await streamed(dialect.framer(body), ask, request, parts)


async def caller_in(dialect: Dialect, body: Body, request: Request, parts: Parts) -> Caller:
    """Who asks, by the credentials this dialect's clients send; raises UnauthorizedError or ForbiddenError."""
    credentials = dialect.credentials(body, request.headers)
    found = await parts.access.caller(credentials.key, project_id=credentials.project_id, user=credentials.user)
    return require(found, Scope.READ)


async def whole(dialect: Renderer, ask: Ask, request: Request, parts: Parts) -> Response:
    """The collected answer as JSON."""
    _check_messages(ask, parts)
    answer = await unless_gone(request, parts.pipeline.answer(ask))
    headers = {REQUEST_ID: answer.started.trace_id}
    return Response(orjson.dumps(dialect.render(answer)), media_type="application/json", headers=headers)


async def streamed(framer: Framer, ask: Ask, request: Request, parts: Parts) -> Response:
    """The answer as it is written."""
    _check_messages(ask, parts)
    events = parts.pipeline.run(ask)
    # Nothing is sent before the first words are there: until then an error is still a status, not a broken stream.
    first = await unless_gone(request, _until_words(events))
    trace_id = next(event.trace_id for event in first if isinstance(event, Started))
    headers = STREAM_HEADERS | {REQUEST_ID: trace_id}
    return _Stream(_framed(first, events, framer), media_type="text/event-stream", headers=headers)


class _CutError(Exception):
    """The stream must not look as if it had ended; never leaves this file."""


class _Stream(StreamingResponse):
    """A stream that can be broken off: the server closes a connection whose answer has no last message."""

    async def stream_response(self, send: Send) -> None:
        with contextlib.suppress(_CutError):
            await super().stream_response(send)


def _check_messages(ask: Ask, parts: Parts) -> None:
    if len(ask.messages) > parts.limits.messages:
        raise InvalidRequestError(f"At most {parts.limits.messages} messages can be sent.", field="messages")


async def unless_gone(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """What the work results in; cancels it when the client hangs up, so that no model talks to nobody.

    The server tells of a hang-up only whoever listens: while nothing is being sent, that is us.
    """
    working, listening = asyncio.ensure_future(work), asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({working, listening}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGoneError
        return working.result()
    finally:
        listening.cancel()
        if working.cancel():  # false when it is done
            await asyncio.wait({working})


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass  # what is left of a body


async def _until_words(events: AsyncGenerator[Event, None]) -> list[Event]:
    seen: list[Event] = []
    async for event in events:
        seen.append(event)
        if isinstance(event, Delta | Finished):
            break
    return seen


async def _framed(first: Sequence[Event], events: AsyncGenerator[Event, None], framer: Framer) -> AsyncIterator[bytes]:
    async with contextlib.aclosing(events):
        try:
            for event in first:
                for frame in framer.frames(event):
                    yield frame
            async for event in events:
                for frame in framer.frames(event):
                    yield frame
        except AppError as error:
            for frame in framer.failure(error):
                if frame == CUT:
                    raise _CutError from None
                yield frame
    if framer.pause_s:
        await asyncio.sleep(framer.pause_s)
