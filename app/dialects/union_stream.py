"""One stream that the Prem, OpenAI and Promptrun clients all read: the union grammar.

Found by running nine real clients; every odd-looking rule below keeps one of them working:
- `event: completion` before each chunk (prem-js yields nothing without it)
- each delta has both `role` and `content`, never null (llama-index, hand-written loops index them)
- never `"usage": null` (premai drops such a chunk in silence); usage stands in the chunk that finishes
- no chunk without choices, unless `stream_options.include_usage` asks for it
- of several answers each chunk has a piece of one; what stands beside the answers is in the last one's finish chunk
- the end is one event: `event: done`, `data:[DONE]` without a space, `trace_id: …`, `document_chunks: […]`
- one event is one network message, and the last two together stay under 64 KiB (premai parses network reads of that
  size, not events)
- a colon after `document_chunks`, `trace_id`, `data` or `event` inside JSON is escaped (premai searches raw lines)
- U+0085, U+2028 and U+2029 inside JSON are escaped (prem-js's expressions and Python's splitlines end a line there)
- the caller waits END_PAUSE_S after the last frame (prem-js hangs if the connection closes in the same tick)
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from app.core.errors import AppError
from app.core.types import Delta, Event, Finished, FinishReason, Funnel, Json, Retrieved, Started, ToolCallDelta
from app.dialects.chunks import evidence
from app.dialects.errors import union_error

END_PAUSE_S = 0.02
MESSAGE_BYTES = 24_000
_CHUNK_FIELDS = (
    "repository_id",
    "document_id",
    "chunk_id",
    "document_name",
    "similarity_score",
    "content",
    "marker",
    "content_truncated",
    "document_name_truncated",
)
_CITATION_FIELDS = ("marker", "verdict", "answer_start", "answer_end", "document_id", "start", "end")
_FIELDS = ("document_chunks", "trace_id", "data", "event")
_TRAPS = {f"{name}:".encode(): f"{name}\\u003a".encode() for name in _FIELDS} | {
    chr(end).encode(): b"\\u%04x" % end for end in (0x85, 0x2028, 0x2029)
}


class UnionFramer:
    """Frames one stream; made anew for each."""

    pause_s = END_PAUSE_S

    def __init__(
        self,
        *,
        include_usage: bool = False,
        spaced_done: bool = False,
        choices: int = 1,
        separate_refusals: bool = False,
    ) -> None:
        """`separate_refusals` writes what says why there is no answer as `refusal`, as OpenAI does, not as content."""
        self._include_usage = include_usage
        self._choices = choices
        self._separate_refusals = separate_refusals
        self._done = b"data: [DONE]" if spaced_done else b"data:[DONE]"
        self._head: dict[str, Json] = {}
        self._trace_id = ""
        self._retrieved = Retrieved((), Funnel(), asked=False)
        self._around: list[tuple[bytes, bytes]] = []

    def frames(self, event: Event) -> list[bytes]:
        match event:
            case Delta():  # first: there are hundreds of them
                return self._piece(event)
            case Started():
                self._head, self._trace_id = _head(event), event.trace_id
                self._around = [_template(self._head, choice) for choice in range(self._choices)]
                return [self._text("", choice) for choice in range(self._choices)]
            case Retrieved():
                self._retrieved = event
                return []
            case Finished():
                return self._end(event)

    def failure(self, error: AppError) -> list[bytes]:
        return [
            b"event: error\ndata: " + _json(union_error(error)) + b"\n\n",
            self._terminator(error.trace_id or "", []),
        ]

    def _piece(self, delta: Delta) -> list[bytes]:
        tools = [self._chunk(delta.choice, {"tool_calls": [_tool_delta(call)]}) for call in delta.tool_calls]
        if delta.refusal and self._separate_refusals:
            return [self._chunk(delta.choice, {"refusal": delta.text}), *tools]
        return [self._text(delta.text, delta.choice), *tools] if delta.text else tools

    def _text(self, text: str, choice: int) -> bytes:
        before, after = self._around[choice]
        return before + _json(text) + after

    def _end(self, finished: Finished) -> list[bytes]:
        beside = evidence(self._retrieved, finished, self._trace_id)
        usage = {
            "prompt_tokens": finished.usage.prompt_tokens,
            "completion_tokens": finished.usage.completion_tokens,
            "total_tokens": finished.usage.total_tokens,
        }
        *others, last = enumerate(finished.choices)
        frames = [self._chunk(number, {}, choice.finish_reason) for number, choice in others]
        frames.append(
            shortened(beside, lambda fit: self._chunk(last[0], {}, last[1].finish_reason, {"usage": usage, **fit}))
        )
        if self._include_usage:
            frames.append(self._event({**self._head, "choices": [], "usage": usage}))
        frames.append(shortened(beside, lambda fit: self._terminator(self._trace_id, fit["document_chunks"])))
        return frames

    def _chunk(self, number: int, delta: Json, reason: FinishReason | None = None, extra: Json = None) -> bytes:
        choice = {
            "index": number,
            "delta": {"role": "assistant", "content": "", **delta},
            "finish_reason": None if reason is None else str(reason),
        }
        return self._event({**self._head, "choices": [choice], **(extra or {})})

    def _event(self, payload: Json) -> bytes:
        return b"event: completion\ndata: " + _json(payload) + b"\n\n"

    def _terminator(self, trace_id: str, chunks: Json) -> bytes:
        return (
            b"event: done\n" + self._done + b"\ntrace_id: " + trace_id.encode()
            + b"\ndocument_chunks: " + _json(chunks) + b"\n\n"
        )  # fmt: skip


def shortened(beside: dict[str, Json], frame: Callable[[dict[str, Json]], bytes], most: int = MESSAGE_BYTES) -> bytes:
    """The frame, its texts cut until it fits one message; a cut one says so (the trace has it whole)."""
    written = frame(beside)
    limit = 4_000
    while len(written) > most and limit >= 15:
        beside = {
            **beside,
            "document_chunks": [_cut(each, "content", limit) for each in beside["document_chunks"]],
            "citations": [_cut(each, "quote", limit) for each in beside["citations"]],
        }
        written = frame(beside)
        limit //= 2
    if len(written) > most:
        beside = _bare(beside)
        written = frame(beside)
    while len(written) > most and (beside["document_chunks"] or beside["citations"]):
        chunks, citations = beside["document_chunks"], beside["citations"]
        beside |= {"document_chunks": chunks[: len(chunks) // 2], "citations": citations[: len(citations) // 2]}
        written = frame(beside)
    return written


def _bare(beside: dict[str, Json]) -> dict[str, Json]:
    """Only what tells chunks and citations apart; `evidence_truncated` says that the trace has more."""
    cut = [_cut(_cut(each, "content", 15), "document_name", 15) for each in beside["document_chunks"]]
    chunks = [{name: each[name] for name in _CHUNK_FIELDS if name in each} for each in cut]
    citations = [{name: each[name] for name in _CITATION_FIELDS} for each in beside["citations"]]
    return {**beside, "document_chunks": chunks, "citations": citations, "evidence_truncated": True}


def _cut(item: Json, name: str, limit: int) -> Json:
    value = item[name]
    if value is None or len(value) <= limit:
        return item
    return {**item, name: value[:limit], f"{name}_truncated": True}


def _tool_delta(call: ToolCallDelta) -> Json:
    function: dict[str, Json] = {"arguments": call.arguments}
    if call.name is not None:
        function["name"] = call.name
    shown: dict[str, Json] = {"index": call.index, "function": function}
    if call.id is not None:
        shown |= {"id": call.id, "type": "function"}
    return shown


def _head(started: Started) -> dict[str, Json]:
    return {
        "id": f"chatcmpl-{started.trace_id}",
        "object": "chat.completion.chunk",
        "created": started.created,
        "model": started.model,
    }


def _template(head: dict[str, Json], number: int) -> tuple[bytes, bytes]:
    """The bytes before and after the text of a delta: 10x faster than serialising every token anew."""
    mark = "\u0001"
    choice = {"index": number, "delta": {"role": "assistant", "content": mark}, "finish_reason": None}
    whole = b"event: completion\ndata: " + _json({**head, "choices": [choice]}) + b"\n\n"
    before, _, after = whole.partition(_json(mark))
    return before, after


def _json(value: Json) -> bytes:
    written = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    if written.isascii() and b":" not in written:  # most words
        return written
    for trap, escaped in _TRAPS.items():  # 3x faster than one regular expression
        written = written.replace(trap, escaped)
    return written
