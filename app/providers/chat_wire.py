"""A Prompt as an OpenAI-style request, an OpenAI-style stream as Deltas. Pure: no vendor, no clock, no network."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.core.types import Delta, FinishReason, Json, Message, Prompt, ToolCallDelta, Usage

MOST_TOKENS = 2**31 - 1  # the largest INTEGER of PostgreSQL
_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}


def to_request(prompt: Prompt) -> dict[str, Json]:
    """The fields of a streamed completion; what the prompt leaves open is left to the provider."""
    sampling = prompt.sampling
    # "text" is every provider's default, and some adapters refuse to hear it said.
    response_format = prompt.response_format
    if response_format is not None and response_format.get("type") == "text":
        response_format = None
    optional: dict[str, Json] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "stop": list(sampling.stop) or None,
        "seed": sampling.seed,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "tools": [dict(tool) for tool in prompt.tools] or None,
        "tool_choice": prompt.tool_choice,
        "response_format": None if response_format is None else dict(response_format),
    }
    return {
        "model": prompt.model,
        "messages": [_to_message(message) for message in prompt.messages],
        "stream_options": {"include_usage": True},
        **prompt.passed_on,
        **{name: value for name, value in optional.items() if value is not None},
    }


def _to_message(message: Message) -> dict[str, Json]:
    wire: dict[str, Json] = {"role": message.role, "content": message.content or ""}
    if message.name is not None:
        wire["name"] = message.name
    if message.tool_call_id is not None:
        wire["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        wire["content"] = message.content  # null beside tool calls, as OpenAI itself writes it
        wire["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                # A call without arguments streams as no text at all; sent back it must be JSON.
                "function": {"name": call.name, "arguments": call.arguments or "{}"},
            }
            for call in message.tool_calls
        ]
    return wire


def estimate_tokens(text: str) -> int:
    """Tokens in a text when nobody counted: ceil(characters / 4), the usual rule for English."""
    return math.ceil(len(text) / 4)


@dataclass(slots=True)
class _OpenCall:
    """A tool call whose pieces are still arriving."""

    number: int  # from 0 in this answer
    id: str | None = None
    name: str | None = None


class AnswerReader:
    """Reads one answer's chunks in order; one object an answer.

    Tool calls are numbered from 0 in the order they begin, whatever numbers the provider gives them, and
    their id and name are said once. Chunks with nothing to say (roles, pings, reasoning) give no Delta.
    A refusal is text, marked as such: it is what the model answered.
    """

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt
        self._calls: dict[int | None, _OpenCall] = {}  # by the provider's number, the latest one under it
        self._begun = 0
        self._written: list[str] = []
        self._reason: FinishReason | None = None
        self._usage: Usage | None = None

    @property
    def complete(self) -> bool:
        """Whether the provider has said that and why the answer ended."""
        return self._reason is not None

    def read(self, chunk: Mapping[str, Json]) -> Delta | None:
        """The Delta a chunk carries, or None; finish reason and usage are kept for `last`.

        A whole `message` in the place of a `delta` is read as one. Raises AttributeError, KeyError or TypeError for
        JSON that is no chunk.
        """
        if (usage := chunk.get("usage")) is not None:
            self._usage = _counted(usage)
        if not (choices := chunk["choices"]):
            return None
        choice = choices[0]
        if reason := choice.get("finish_reason"):
            self._reason = _REASONS.get(reason, FinishReason.STOP)
        said = choice.get("delta") or choice.get("message") or {}
        text = (said.get("content") or "") + (said.get("refusal") or "")
        pieces = [self._piece(call) for call in said.get("tool_calls") or ()]
        calls = tuple(piece for piece in pieces if piece is not None)
        if not text and not calls:
            return None
        self._written.append(text)
        return Delta(text=text, tool_calls=calls, refusal=bool(said.get("refusal")))

    def last(self) -> Delta:
        """The closing Delta: reason and usage, the latter estimated where the provider sent none.

        Some servers say "stop" after tool calls; whoever has to run the calls needs "tool_calls".
        """
        reason = self._reason or FinishReason.STOP
        if reason is FinishReason.STOP and self._begun:
            reason = FinishReason.TOOL_CALLS
        usage = self._usage or Usage(
            prompt_tokens=estimate_tokens("".join(_texts(self._prompt))),
            completion_tokens=estimate_tokens("".join(self._written)),
        )
        return Delta(finish_reason=reason, usage=usage)

    def _piece(self, call: Mapping[str, Json]) -> ToolCallDelta | None:
        index, call_id, function = call.get("index"), call.get("id"), call.get("function") or {}
        known = self._calls.get(index)
        # Servers that send whole calls give each one number 0, or none, and an id of its own.
        if known is None or (call_id and known.id and call_id != known.id):
            known = self._calls[index] = _OpenCall(number=self._begun)
            self._begun += 1
        name, arguments = function.get("name"), function.get("arguments") or ""
        if not all(isinstance(said, str) for said in (call_id or "", name or "", arguments)):
            raise TypeError("a tool call is told in texts")
        new_id = call_id if call_id and known.id is None else None
        new_name = name if name and known.name is None else None
        known.id = known.id or new_id
        known.name = known.name or new_name
        if new_id is None and new_name is None and not arguments:
            return None
        self._written.append(arguments)
        return ToolCallDelta(index=known.number, id=new_id, name=new_name, arguments=arguments)


def _counted(usage: Mapping[str, Json]) -> Usage | None:
    """What the provider counted; None for what cannot be a count: an answer is worth more than its number."""
    counts = [usage.get(name) or 0 for name in ("prompt_tokens", "completion_tokens")]
    if any(not isinstance(count, int) or not 0 <= count <= MOST_TOKENS for count in counts):
        return None
    return Usage(*counts)


def _texts(prompt: Prompt) -> Iterator[str]:
    for message in prompt.messages:
        yield message.content or ""
        for call in message.tool_calls:
            yield call.name
            yield call.arguments
