"""Parea's stream: one JSON object with a `chunk` in each network message, and nothing else.

Found in its SDK, which reads each network message by itself:
- the first message says the id and nothing more
- a message fits a network packet: one that is split, the SDK prints as an error and gives as None. So to the SDK, which
  never looks at them, sources go without their texts (`evidence_truncated`; the trace has them), and whole to others
- there is no [DONE], no comment and no message without a `chunk`: each would be printed as an error
- the SDK deletes every `data: ` of a line, in an answer's words too: there the space is escaped
- an error after the first word cannot be told by a message; the connection is broken off, which the SDK raises
"""

from __future__ import annotations

from dataclasses import asdict

import orjson

from app.core.errors import AppError
from app.core.toolcalls import assemble
from app.core.types import Delta, Event, Finished, Funnel, Json, Retrieved, Started, ToolCallDelta
from app.dialects.base import CUT
from app.dialects.chunks import evidence
from app.dialects.parea.messages import calls_text
from app.dialects.union_stream import MESSAGE_BYTES, shortened

CHUNK_CHARS = 300  # three bytes each for most scripts
PACKET_BYTES = 1_200  # an Ethernet packet's 1,460, less what HTTP adds


class PareaFramer:
    """Frames one stream; made anew for each."""

    pause_s = 0.0

    def __init__(self, *, for_sdk: bool) -> None:
        self._most = PACKET_BYTES if for_sdk else MESSAGE_BYTES
        self._trace_id = ""
        self._retrieved = Retrieved((), Funnel(), asked=False)
        self._calls: list[ToolCallDelta] = []

    def frames(self, event: Event) -> list[bytes]:
        match event:
            case Started():
                self._trace_id = event.trace_id
                return [b"data: ID_START" + event.trace_id.encode() + b"\r\n\r\n"]
            case Retrieved():
                self._retrieved = event
                return []
            case Delta():
                self._calls += event.tool_calls
                return _said(event.text)
            case Finished():
                called = _said(calls_text(assemble(self._calls))) if self._calls else []
                return [*called, self._end(event)]

    def failure(self, error: AppError) -> list[bytes]:
        said = {"message": error.message, "code": error.code, "status": error.status}
        return [_frame({"chunk": "", "error": said, "trace_id": error.trace_id}), CUT]

    def _end(self, finished: Finished) -> bytes:
        provider, _, model = finished.model.partition("/")
        said = {
            "chunk": "",
            "inference_id": self._trace_id,
            "model": model,
            "provider": provider,
            "input_tokens": finished.usage.prompt_tokens,
            "output_tokens": finished.usage.completion_tokens,
            "total_tokens": finished.usage.total_tokens,
            "cost": finished.cost or 0.0,
            "cost_known": finished.cost is not None,
            "cache_hit": finished.cached,
            "finish_reason": str(finished.finish_reason),
            "attempts": [asdict(attempt) for attempt in finished.attempts],
        }
        beside = evidence(self._retrieved, finished, self._trace_id)
        return shortened(beside, lambda fit: _frame({**fit, **said}), self._most)


def _said(text: str) -> list[bytes]:
    pieces = [text[at : at + CHUNK_CHARS] for at in range(0, len(text), CHUNK_CHARS)]
    return [_frame({"chunk": piece}) for piece in pieces]


def _frame(payload: Json) -> bytes:
    written = orjson.dumps(payload, option=orjson.OPT_NON_STR_KEYS)
    return b"data: " + written.replace(b"data: ", b"data:\\u0020") + b"\r\n\r\n"
