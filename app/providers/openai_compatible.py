"""Any provider with an OpenAI endpoint, spoken to directly: a third of the processor time of the vendors' libraries.

The hot path of every answer that a model writes (ADR 13): one POST, one stream of events, no objects but Deltas.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import TYPE_CHECKING

import orjson

from app.core.types import Delta, Json, Prompt
from app.providers.attempts import Attempt, AttemptError, speak
from app.providers.certificates import trusted_certificates
from app.providers.chat_wire import AnswerReader, to_request
from app.providers.event_stream import EventReader
from app.providers.failures import (
    PASSING_TYPES,
    broken_stream,
    failed_with,
    field_refused,
    no_answer,
    quoted,
    timed_out,
    unreachable,
)
from app.providers.retry import Failure, ModelLimits, asked_wait
from app.providers.vendors import Connection

if TYPE_CHECKING:
    import httpx2

_ERROR_BYTES = 64 * 1024  # of a refusal's body that are read
_DONE = b"[DONE]"


class OpenAICompatibleGenerator:
    """Writes answers with one provider over one client; `Prompt.model` says which of its models.

    Attempts are repeated only before the first Delta, so that nothing is ever said twice. Errors are
    ProviderError, ProviderRateLimitedError and ModelNotFoundError. `aclose` when done.
    """

    def __init__(self, connection: Connection, limits: ModelLimits | None = None) -> None:
        self._connection = connection
        self._limits = limits or ModelLimits()
        self._client: httpx2.AsyncClient | None = None

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """The answer piece by piece; the last Delta is empty but for finish reason and usage.

        Usage is the provider's; where it sends none, ceil(characters / 4) of prompt and answer. Closing the
        generator closes the provider's connection.
        """
        async with contextlib.aclosing(speak(self._attempt, prompt, self._limits)) as deltas:
            async for delta in deltas:
                yield delta

    async def aclose(self) -> None:
        """Closes the client and its idle connections; the next stream opens a new one."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _attempt(self, prompt: Prompt) -> Attempt:
        return _DirectAttempt(self._open(), self._connection, prompt, self._limits.timeout_s)

    def _open(self) -> httpx2.AsyncClient:
        if self._client is None:
            import httpx2

            key = self._connection.api_key
            self._client = httpx2.AsyncClient(
                headers={"authorization": f"Bearer {key}"} if key else {},
                verify=trusted_certificates(),
                timeout=None,  # silence is watched around every piece; see _DirectAttempt
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64),
            )
        return self._client


class _DirectAttempt:
    """One request and the reading of its stream."""

    def __init__(self, client: httpx2.AsyncClient, connection: Connection, prompt: Prompt, timeout_s: float) -> None:
        self._client = client
        self._connection = connection
        self._prompt = prompt
        self._timeout_s = timeout_s
        self._answer = AnswerReader(prompt)
        self._response: httpx2.Response | None = None
        self._pieces: AsyncIterator[bytes] | None = None
        self._events = EventReader()
        self._waiting: Iterator[Delta] = iter(())

    async def advance(self) -> Delta | None:
        """The next Delta, None after the last; raises AttemptError."""
        import httpx2

        while True:
            try:
                if (delta := next(self._waiting, None)) is not None:
                    return delta
                async with asyncio.timeout(self._timeout_s):
                    piece = await self._receive()
                if piece is None:
                    failure = broken_stream(self._connection)
                else:
                    self._waiting = self._read(piece)
                    continue
            except AttemptError as error:
                failure = error.failure
            except TimeoutError:
                failure = timed_out(self._connection, self._timeout_s)
            except httpx2.TransportError:
                failure = unreachable(self._connection)
            except httpx2.DecodingError as error:  # of a compressed body
                failure = no_answer(self._connection, quoted(str(error), self._connection.api_key))
            # After the finish reason the answer is whole: only the provider's count of tokens is missing.
            if self._answer.complete:
                return None
            raise AttemptError(failure) from None

    def last(self) -> Delta:
        """The closing Delta: finish reason and usage."""
        return self._answer.last()

    async def aclose(self) -> None:
        """Ends the request; the provider sees the connection close."""
        if self._response is not None:
            await self._response.aclose()

    async def _receive(self) -> bytes | None:
        """The next piece of the body, None at its end; sends the request first. Raises AttemptError for a refusal."""
        if self._pieces is None:
            self._response = response = await self._client.send(self._request(), stream=True)
            if response.status_code >= 400:
                raise AttemptError(await self._refusal(response))
            if "json" in response.headers.get("content-type", ""):  # a server that does not stream
                return b"data: " + b" ".join((await response.aread()).splitlines()) + b"\n\n"
            self._pieces = response.aiter_bytes()
        return await anext(self._pieces, None)

    def _request(self) -> httpx2.Request:
        body: dict[str, Json] = {**to_request(self._prompt), "stream": True}
        if "max_tokens" in body and not self._connection.vendor.older_token_limit:
            body["max_completion_tokens"] = body.pop("max_tokens")
        return self._client.build_request(
            "POST",
            f"{(self._connection.api_base or '').rstrip('/')}/chat/completions",
            content=orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS, default=dict),
            headers={"content-type": "application/json", "accept": "text/event-stream"},
        )

    def _read(self, piece: bytes) -> Iterator[Delta]:
        """The Deltas of a piece of the body, one by one: what comes before rubbish is still said."""
        for data in self._events.feed(piece):
            if data == _DONE:
                continue
            try:
                chunk = orjson.loads(data)
                if (fault := chunk.get("error")) is not None:
                    raise AttemptError(self._fault(fault))
                delta = self._answer.read(chunk)
            except (orjson.JSONDecodeError, AttributeError, IndexError, KeyError, TypeError):
                words = data.decode(errors="replace")
                raise AttemptError(no_answer(self._connection, quoted(words, self._connection.api_key))) from None
            if delta is not None:
                yield delta

    async def _refusal(self, response: httpx2.Response) -> Failure:
        body = b""
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > _ERROR_BYTES:
                break
        words, code, field = _said(body)
        wait_s = asked_wait(
            {name.lower(): value for name, value in response.headers.items()}, datetime.datetime.now(datetime.UTC)
        )
        detail = quoted(words, self._connection.api_key)
        if response.status_code in (400, 422) and field in self._prompt.passed_on:
            return field_refused(self._connection, field, detail)
        return failed_with(self._connection, self._prompt.model, response.status_code, detail, wait_s, code)

    def _fault(self, fault: Json) -> Failure:
        """An error inside a stream that began well."""
        said = fault if isinstance(fault, dict) else {"message": str(fault)}
        detail = quoted(str(said.get("message", said)), self._connection.api_key)
        status = said.get("status") or said.get("code")
        if isinstance(status, int) and 400 <= status < 600:
            return failed_with(self._connection, self._prompt.model, status, detail, None, said.get("type"))
        return no_answer(self._connection, detail, passing=said.get("type") in PASSING_TYPES)


def _said(body: bytes) -> tuple[str, str | None, str]:
    """A refusal's own words, its code, and the field at fault (empty where none is named); in any form they come."""
    try:
        fault = orjson.loads(body)
        fault = fault.get("error", fault)
        if isinstance(fault, dict):
            code = fault.get("code")
            field = str(fault.get("param") or "").partition(".")[0]
            return str(fault.get("message") or fault), code if isinstance(code, str) else None, field
        return str(fault), None, ""
    except (orjson.JSONDecodeError, AttributeError):
        return body.decode(errors="replace"), None, ""
