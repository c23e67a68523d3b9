"""Gist's stream: `metadata`, then `generating` with each piece of the answer, then `complete`.

- each event is one network message, with an `event:` line and one `data:` line (sseclient-py drops events without data)
- U+0085, U+2028 and U+2029 inside JSON are escaped: sseclient-py ends a line there
- a stream that breaks after it began ends with `event: error`, whose data is the error body of a refused request, in
  place of `complete`: what has no `complete` is not a whole answer
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from app.core.errors import AppError
from app.core.types import Delta, Event, Finished, Json, Retrieved, Started
from app.dialects.gist.errors import gist_error

_GENERATING = b'event: generating\ndata: {"content": '
_END = b"}\n\n"
_TRAPS = {chr(end).encode(): b"\\u%04x" % end for end in (0x85, 0x2028, 0x2029)}


class GistFramer:
    """Frames one stream; holds no state."""

    pause_s = 0.0

    def frames(self, event: Event) -> list[bytes]:
        match event:
            case Delta():
                return [_GENERATING + _json(event.text) + _END] if event.text else []
            case Started():
                return [_event("metadata", place_of(event) | {"title": event.title})]
            case Retrieved():
                return []
            case Finished():
                return [b'event: complete\ndata: {"response_time": %d}\n\n' % response_time(event)]

    def failure(self, error: AppError) -> list[bytes]:
        return [_event("error", gist_error(error))]


def place_of(started: Started) -> dict[str, Json]:
    """Where an answer stands in its conversation, under the names of Gist's responses."""
    return {"threadId": started.thread_id, "turnId": str(started.turn_number)}


def response_time(finished: Finished) -> int:
    """Milliseconds from the request to the end of the answer."""
    return round(finished.timings_ms["total"])


def _event(name: str, data: Mapping[str, Json]) -> bytes:
    return f"event: {name}\ndata: ".encode() + _json(data) + b"\n\n"


def _json(value: Json) -> bytes:
    written = orjson.dumps(value)
    for trap, escaped in _TRAPS.items():
        written = written.replace(trap, escaped)
    return written
