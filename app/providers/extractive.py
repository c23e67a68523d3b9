"""The model that needs no key and invents nothing: it answers with sentences of the sources, word for word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from app.core.errors import InvalidRequestError, ProviderError
from app.core.extractive.evidence import candidates, ranked
from app.core.extractive.extraction import Extract, extract
from app.core.extractive.passages import Unit, units_of
from app.core.extractive.quoting import Composition, compose, shorten
from app.core.types import Delta, FinishReason, Prompt, Usage
from ingest.types import Embedder, EmbedderUnavailableError

# Asks for nothing that would change an answer which is deterministic, and made here. The others do, and are refused.
_HINTS = frozenset(
    {
        "parallel_tool_calls",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "safety_identifier",
        "service_tier",
    }
)
_WINDOW_TOKENS = 96  # read of a unit or a question; more costs time and tells nothing new


class ExtractiveGenerator:
    """Quotes the one to three pieces of the sources that answer best, or says that none does.

    The same prompt always gets the same answer: of the sampling it heeds `max_tokens` and `stop`.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Yields the answer sentence by sentence, each quotation with the piece it ends in.

        Raises InvalidRequestError for what only a language model can do, ProviderError without an embedder.
        """
        _refuse_impossible(prompt)
        try:
            composition, reason, usage = await asyncio.to_thread(self._answer, prompt)
        except EmbedderUnavailableError as error:
            raise ProviderError(f"The extractive model cannot compare texts: {error}") from error
        for text, quotes in composition.pieces():
            yield Delta(text, quotes=quotes)
        yield Delta(finish_reason=reason, usage=usage)

    def _answer(self, prompt: Prompt) -> tuple[Composition, FinishReason, Usage]:
        whole = compose(self._extract(prompt))
        stops = [at for stop in prompt.sampling.stop if stop and (at := whole.text.find(stop)) >= 0]
        answer = shorten(whole, min(stops, default=len(whole.text)))
        reason = FinishReason.STOP
        tokens = self._embedder.tokenizer.offsets(answer.text)
        allowed = prompt.sampling.max_tokens
        if allowed is not None and allowed < len(tokens):
            answer = shorten(answer, tokens[allowed - 1][1] if allowed > 0 else 0)
            tokens = tokens[: max(0, allowed)]
            reason = FinishReason.LENGTH
        read = sum(len(self._embedder.tokenizer.offsets(message.content or "")) for message in prompt.messages)
        return answer, reason, Usage(prompt_tokens=read, completion_tokens=len(tokens))

    def _extract(self, prompt: Prompt) -> Extract | None:
        units = [unit for source in prompt.sources for unit in units_of(source)]
        found = candidates(prompt.question, units)
        if not found:
            return None
        texts = [prompt.question, *(_in_context(candidate.unit) for candidate in found)]
        vectors = self._embedder.embed([self._window(text) for text in texts])
        similarities = [float(cosine) for cosine in vectors[1:] @ vectors[0]]
        return extract(prompt.question, units, ranked(found, similarities))

    def _window(self, text: str) -> str:
        limit = min(_WINDOW_TOKENS, self._embedder.max_tokens)
        while len(tokens := self._embedder.tokenizer.offsets(text)) > limit:
            text = text[: tokens[limit - 1][1]]
        return text


def _in_context(unit: Unit) -> str:
    return f"{unit.context}: {unit.text}" if unit.context else unit.text


def _refuse_impossible(prompt: Prompt) -> None:
    forced = prompt.tool_choice not in (None, "auto", "none")
    if prompt.tools and forced:
        raise InvalidRequestError("footnote/extractive calls no tools; choose a language model.", field="tool_choice")
    if prompt.response_format is not None and prompt.response_format.get("type", "text") != "text":
        raise InvalidRequestError(
            "footnote/extractive quotes and cannot write JSON; choose a language model.", field="response_format"
        )
    for name in prompt.passed_on:
        if name not in _HINTS:
            raise InvalidRequestError(
                f"footnote/extractive quotes, which `{name}` cannot change; leave it out, or choose a language model.",
                field=name,
            )
