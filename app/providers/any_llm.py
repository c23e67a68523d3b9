"""The model adapter: any provider that any-llm speaks to, as a Generator."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Any

from app.core.types import Delta, Prompt
from app.providers.any_llm_failures import failure_of
from app.providers.attempts import Attempt, AttemptError, speak
from app.providers.chat_wire import AnswerReader, to_request
from app.providers.failures import broken_stream, timed_out
from app.providers.retry import ModelLimits
from app.providers.vendors import Connection

if TYPE_CHECKING:
    from any_llm import AnyLLM
    from any_llm.types.completion import ChatCompletionChunk


class AnyLLMGenerator:
    """Writes answers with one provider over one client; `Prompt.model` says which of its models.

    Attempts are repeated only before the first Delta, so that nothing is ever said twice. Errors are
    ProviderError, ProviderRateLimitedError, ModelNotFoundError, and InvalidRequestError for a field the
    provider's library does not take. `aclose` when done.
    """

    def __init__(self, connection: Connection, limits: ModelLimits | None = None) -> None:
        self._connection = connection
        self._limits = limits or ModelLimits()
        self._client: AnyLLM | None = None

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
        client, self._client = getattr(self._client, "client", None), None
        close = getattr(client, "close", None)
        if close is not None:
            await close()

    def _attempt(self, prompt: Prompt) -> Attempt:
        return _AnyLLMAttempt(self._open(), self._connection, prompt, self._limits)

    def _open(self) -> AnyLLM:
        if self._client is None:
            self._client = _open_client(self._connection)
        return self._client


def _open_client(connection: Connection) -> AnyLLM:
    """A client that does not retry by itself: two layers of retries multiply."""
    from any_llm import AnyLLM

    vendor = connection.vendor
    silent = AnyLLM.get_provider_class(vendor.name).MAX_RETRIES_SUPPORT == "unsupported"
    return AnyLLM.create(
        vendor.name,
        api_key=connection.api_key,
        api_base=connection.api_base,
        unified_exceptions=True,
        max_retries=None if silent else 0,
    )


class _AnyLLMAttempt:
    """One request and the reading of its stream."""

    def __init__(self, client: AnyLLM, connection: Connection, prompt: Prompt, limits: ModelLimits) -> None:
        self._answer = AnswerReader(prompt)
        self._client = client
        self._connection = connection
        self._model = prompt.model
        self._request = to_request(prompt)
        self._timeout_s = limits.timeout_s
        self._chunks: AsyncIterator[ChatCompletionChunk] | None = None

    async def advance(self) -> Delta | None:
        """The next Delta, None after the last; raises AttemptError."""
        try:
            while True:
                async with asyncio.timeout(self._timeout_s):
                    chunk = await self._next_chunk()
                if chunk is None:
                    break
                delta = self._answer.read(chunk.model_dump(warnings=False))
                if delta is not None:
                    return delta
        except TimeoutError:
            failure = timed_out(self._connection, self._timeout_s)
        except Exception as error:
            # Whatever a vendor's library raises; there are dozens, and no common base.
            failure = failure_of(error, self._connection, self._model, datetime.datetime.now(datetime.UTC))
        else:
            failure = broken_stream(self._connection)
        # After the finish reason the answer is whole: only the provider's count of tokens is missing.
        if self._answer.complete:
            return None
        raise AttemptError(failure) from None

    def last(self) -> Delta:
        """The closing Delta: finish reason and usage."""
        return self._answer.last()

    async def aclose(self) -> None:
        """Ends the request; the provider sees the connection close."""
        close: Any = getattr(self._chunks, "aclose", None)
        if close is not None:
            await close()

    async def _next_chunk(self) -> ChatCompletionChunk | None:
        if self._chunks is None:
            self._chunks = aiter(await self._client.acompletion(stream=True, **self._request))
        return await anext(self._chunks, None)
