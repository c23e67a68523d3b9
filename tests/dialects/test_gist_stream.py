"""Gist's stream, byte by byte: three kinds of event, and what an answer may say without breaking them."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ProviderError
from app.core.types import Delta, Event, Finished, FinishReason, Funnel, Retrieved, Started, Usage
from app.dialects.gist.stream import GistFramer

STARTED = Started("trace", "9e378733-5405-4ac3-b29a-f6cdb6ec042a", 1, "test/model", "test", 1, "Why is the sky blue?")
FINISHED = Finished("Hi", (), (), Usage(5, 3), FinishReason.STOP, timings_ms={"total": 1233.6})
LOOK_ALIKES = [
    "event: complete\ndata: {}\n\n",
    "data: [DONE]",
    "id: 5\n",
    "\r\n\r\n",
    "\u2028\u2029\x85",
    "\x0b\x0c\x1c",
]


def frames_of(*events: Event) -> list[bytes]:
    framer = GistFramer()
    return [frame for event in events for frame in framer.frames(event)]


def parsed(stream: str) -> list[tuple[str, str]]:
    """Events as sseclient-py reads them: blank lines part events, str.splitlines parts lines."""
    events = []
    for block in stream.split("\n\n")[:-1]:
        fields = [line.partition(":") for line in block.splitlines()]
        assert [name for name, _, _ in fields] == ["event", "data"]
        events.append((fields[0][2].lstrip(), fields[1][2].lstrip()))
    return events


def test_the_stream_of_the_contract() -> None:
    said = (STARTED, Retrieved((), Funnel()), Delta("The sky appears blue because of a phenome"), Delta(""), FINISHED)
    assert frames_of(*said) == [
        b'event: metadata\ndata: {"threadId":"9e378733-5405-4ac3-b29a-f6cdb6ec042a","turnId":"1",'
        b'"title":"Why is the sky blue?"}\n\n',
        b'event: generating\ndata: {"content": "The sky appears blue because of a phenome"}\n\n',
        b'event: complete\ndata: {"response_time": 1234}\n\n',
    ]


@given(st.lists(st.one_of(st.text(), st.sampled_from(LOOK_ALIKES)), max_size=8), st.text(max_size=80))
def test_any_text_comes_through_whole(pieces: list[str], title: str) -> None:
    frames = frames_of(replace(STARTED, title=title), *(Delta(piece) for piece in pieces), FINISHED)
    events = parsed(b"".join(frames).decode())
    assert [name for name, _ in events] == ["metadata", *["generating"] * sum(map(bool, pieces)), "complete"]
    assert json.loads(events[0][1])["title"] == title
    assert "".join(json.loads(data)["content"] for name, data in events[1:-1]) == "".join(pieces)
    assert len(frames) == len(events)  # each is one network message


def test_a_broken_stream_ends_with_the_error_body() -> None:
    error = ProviderError("The model went\u2028away.", trace_id="trace")
    (frame,) = GistFramer().failure(error)
    assert parsed(frame.decode()) == [
        (
            "error",
            '{"error":"Bad Gateway","message":"The model went\\u2028away.","statusCode":502,'
            '"code":"provider_error","trace_id":"trace"}',
        )
    ]
