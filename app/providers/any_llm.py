"""The model adapter: any provider that any-llm speaks to, as a Generator."""

from __future__ import annotations

import asyncio
import datetime
import itertools
import random
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Any

from app.core.types import Delta, Json, Prompt
from app.providers.any_llm_failures import broken_stream, failure_of, timed_out
from app.providers.any_llm_retry import Failure, ModelLimits, retry_delay
from app.providers.any_llm_vendors import Connection
from app.providers.any_llm_wire import AnswerReader, to_request

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
        attempt, delta = await self._begin(prompt)
        try:
            while delta is not None:
                yield delta
                delta = await attempt.advance()
            yield attempt.answer.last()
        except _AttemptError as broken:
            raise broken.failure.error from None
        finally:
            await attempt.aclose()

    async def aclose(self) -> None:
        """Closes the client and its idle connections; the next stream opens a new one."""
        client, self._client = getattr(self._client, "client", None), None
        close = getattr(client, "close", None)
        if close is not None:
            await close()

    async def _begin(self, prompt: Prompt) -> tuple[_Attempt, Delta | None]:
        """The first attempt that says something, and what it says; None for an answer without a word.

        Cancelled here, any-llm's own stream closes itself; once a Delta is out, `stream` has to.
        """
        for number in itertools.count():
            attempt = _Attempt(self._open(), self._connection, prompt, self._limits)
            try:
                return attempt, await attempt.advance()
            except _AttemptError as failed:
                await attempt.aclose()
                delay = retry_delay(failed.failure, number, self._limits)
                if delay is None:
                    # Not chained: the vendor's exception holds the request, and with it the key.
                    raise failed.failure.error from None
            # Spread out, so that requests refused together do not come back together.
            await asyncio.sleep(delay * random.uniform(1.0, 1.25))  # noqa: S311
        raise AssertionError("unreachable")

    def _open(self) -> AnyLLM:
        if self._client is None:
            self._client = _open_client(self._connection)
        return self._client


def _open_client(connection: Connection) -> AnyLLM:
    """A client that does not retry by itself: two layers of retries multiply."""
    from any_llm import AnyLLM

    vendor = connection.vendor
    if vendor.plain_openai:
        return AnyLLM.create_openai_compatible(
            vendor.name,
            connection.api_base or "",
            connection.api_key,
            unified_exceptions=True,
            max_retries=0,
        )
    silent = AnyLLM.get_provider_class(vendor.name).MAX_RETRIES_SUPPORT == "unsupported"
    return AnyLLM.create(
        vendor.name,
        api_key=connection.api_key,
        api_base=connection.api_base,
        unified_exceptions=True,
        max_retries=None if silent else 0,
    )


class _AttemptError(Exception):
    """An attempt failed; never leaves this file."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.error.message)


class _Attempt:
    """One request and the reading of its stream."""

    def __init__(self, client: AnyLLM, connection: Connection, prompt: Prompt, limits: ModelLimits) -> None:
        self.answer = AnswerReader(prompt)
        self._client = client
        self._connection = connection
        self._model = prompt.model
        self._request: dict[str, Json] = to_request(prompt, older_token_limit=connection.vendor.older_token_limit)
        self._timeout_s = limits.timeout_s
        self._chunks: AsyncIterator[ChatCompletionChunk] | None = None

    async def advance(self) -> Delta | None:
        """The next Delta, None after the last; raises _AttemptError."""
        try:
            while True:
                async with asyncio.timeout(self._timeout_s):
                    chunk = await self._next_chunk()
                if chunk is None:
                    break
                delta = self.answer.read(chunk)
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
        if self.answer.complete:
            return None
        raise _AttemptError(failure) from None

    async def aclose(self) -> None:
        """Ends the request; the provider sees the connection close."""
        close: Any = getattr(self._chunks, "aclose", None)
        if close is not None:
            await close()

    async def _next_chunk(self) -> ChatCompletionChunk | None:
        if self._chunks is None:
            self._chunks = aiter(await self._client.acompletion(stream=True, **self._request))
        return await anext(self._chunks, None)
