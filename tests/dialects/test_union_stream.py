"""The union grammar, byte by byte: what nine clients need of one stream."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.citing import cite
from app.core.errors import ProviderError
from app.core.types import (
    Delta,
    Event,
    Finished,
    FinishReason,
    Funnel,
    Retrieved,
    Started,
    ToolCallDelta,
    Usage,
)
from app.dialects.union_stream import UnionFramer
from tests.unit.sources import hit, source

STARTED = Started("3c90c3cc-0d44-4b50-8888-8dd25736052a", "thread", 1, "test/model", "test", 1_732_233_600)
FINISHED = Finished("Hi", (), (), Usage(5, 3), FinishReason.STOP)
NOTHING = Retrieved((), Funnel(), asked=False)
FRAME = re.compile(rb"event: completion\ndata: ([^\n]*)\n\n", re.DOTALL)
END = re.compile(rb"event: done\ndata:\[DONE\]\ntrace_id: ([^\n]*)\ndocument_chunks: ([^\n]*)\n\n", re.DOTALL)
MOST_BYTES = 64 * 1024


def stream(*events: Event, framer: UnionFramer | None = None) -> list[bytes]:
    framer = framer or UnionFramer()
    return [frame for event in events for frame in framer.frames(event)]


def payloads(frames: list[bytes]) -> list[dict[str, Any]]:
    found = [FRAME.fullmatch(frame) for frame in frames]
    assert all(found)
    return [orjson.loads(each[1]) for each in found if each is not None]


def test_the_stream_of_the_contract() -> None:
    frames = stream(STARTED, NOTHING, Delta("Sparky [1]"), replace(FINISHED, text="Sparky [1]"))
    head = (
        b'event: completion\ndata: {"id":"chatcmpl-3c90c3cc-0d44-4b50-8888-8dd25736052a",'
        b'"object":"chat.completion.chunk","created":1732233600,"model":"test/model",'
        b'"choices":[{"index":0,"delta":{"role":"assistant","content":'
    )
    assert frames[0] == head + b'""},"finish_reason":null}]}\n\n'
    assert frames[1] == head + b'"Sparky [1]"},"finish_reason":null}]}\n\n'
    usage = b'"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}'
    assert frames[2].startswith(head + b'""},"finish_reason":"stop"}],' + usage + b',"document_chunks":[]')
    assert frames[3] == (
        b"event: done\ndata:[DONE]\ntrace_id: 3c90c3cc-0d44-4b50-8888-8dd25736052a\ndocument_chunks: []\n\n"
    )
    assert len(frames) == 4


def test_usage_stands_alone_only_where_it_is_asked_for() -> None:
    frames = stream(STARTED, NOTHING, FINISHED, framer=UnionFramer(include_usage=True))
    alone = payloads(frames[:-1])[-1]
    assert alone["choices"] == []
    assert alone["usage"]["total_tokens"] == 8
    for payload in payloads(stream(STARTED, NOTHING, Delta("x"), FINISHED)[:-1]):
        assert payload["choices"]
        assert payload.get("usage", {}) is not None


def test_the_end_can_be_spaced() -> None:
    assert b"\ndata: [DONE]\n" in stream(STARTED, NOTHING, FINISHED, framer=UnionFramer(spaced_done=True))[-1]


def test_tool_calls_are_streamed_as_they_come() -> None:
    calls = (ToolCallDelta(0, "a", "look", '{"x"'), ToolCallDelta(0, None, None, ":1}"))
    frames = payloads(stream(STARTED, NOTHING, *(Delta(tool_calls=(call,)) for call in calls)))
    shown = [frame["choices"][0]["delta"] for frame in frames[1:]]
    assert [each["content"] for each in shown] == ["", ""]
    assert [each["tool_calls"] for each in shown] == [
        [{"index": 0, "function": {"arguments": '{"x"', "name": "look"}, "id": "a", "type": "function"}],
        [{"index": 0, "function": {"arguments": ":1}"}}],
    ]


def test_an_empty_delta_is_no_frame() -> None:
    assert stream(STARTED, NOTHING, Delta(""))[1:] == []


def test_a_stream_that_breaks_says_why_and_still_ends() -> None:
    framer = UnionFramer()
    stream(STARTED, framer=framer)
    error, end = framer.failure(ProviderError("no data: left", trace_id="t"))
    assert error.startswith(b"event: error\ndata: {")
    assert orjson.loads(error.split(b"data: ", 1)[1])["error"]["message"] == "no data: left"
    assert end == b"event: done\ndata:[DONE]\ntrace_id: t\ndocument_chunks: []\n\n"


TRAPS = [
    "document_chunks: [",
    "trace_id: x",
    "data: {",
    "event: done",
    "\n\nevent: done\n",
    "\\",
    '"',
    "\r\n",
    "\u2028",
    "[DONE]",
]
TEXTS = st.lists(st.one_of(st.text(max_size=20), st.sampled_from(TRAPS)), max_size=8).map("".join)


@given(texts=st.lists(TEXTS, max_size=5), content=TEXTS.filter(bool), name=TEXTS)
def test_no_text_can_break_the_grammar_and_every_text_arrives(texts: list[str], content: str, name: str) -> None:
    texts, (content, name) = [clean(text) for text in texts], (clean(content) or "x", clean(name))
    hits = (hit(content, name=name),)
    answer = "".join(texts) + " [1]"
    finished = replace(FINISHED, text=answer, citations=cite(answer, [source(content, name=name)]))
    frames = stream(STARTED, Retrieved(hits, Funnel(considered=1)), *map(Delta, texts), finished)
    for frame in frames[:-1]:
        line = frame.split(b"\n")[1].removeprefix(b"data: ")
        assert not re.search(rb"(document_chunks|trace_id|data|event):", line)
        assert frame.count(b"\n") == 3
    said = [payload["choices"][0]["delta"]["content"] for payload in payloads(frames[:-1])]
    assert "".join(said) == "".join(texts)
    end = END.fullmatch(frames[-1])
    assert end is not None
    assert end[1].decode() == STARTED.trace_id
    (chunk,) = orjson.loads(end[2])
    assert (chunk["content"], chunk["document_name"]) == (content, name)
    assert payloads(frames[:-1])[-1]["document_chunks"] == [chunk]


def clean(text: str) -> str:
    return text.encode("utf-8", "ignore").decode()


@pytest.mark.parametrize("letter", ["x", "字", "\u0001", '"'])
@pytest.mark.parametrize(("count", "length"), [(1, 100_000), (10, 8_000), (50, 1_000)])
def test_the_last_two_messages_together_stay_under_64_kib(letter: str, count: int, length: int) -> None:
    hits = tuple(hit(letter * length, number=number, name="A usual name.pdf") for number in range(1, count + 1))
    answer = " ".join(f"Said [{number}]." for number in range(1, min(count, 10) + 1))
    sources = [source(each.content, number, before="") for number, each in enumerate(hits, 1)]
    finished = replace(FINISHED, text=answer, citations=cite(answer, sources))
    frames = stream(STARTED, Retrieved(hits, Funnel(considered=count)), finished)
    assert len(frames[-1]) + len(frames[-2]) < MOST_BYTES
    end = END.fullmatch(frames[-1])
    assert end is not None
    shown = orjson.loads(end[2])
    assert [chunk["chunk_id"] for chunk in shown] == list(range(1, count + 1))
    for chunk, original in zip(shown, hits, strict=True):
        whole = chunk["content"] == original.content
        assert whole or (chunk["content_truncated"] and original.content.startswith(chunk["content"]))


@pytest.mark.parametrize("name", ["A usual name.pdf", "x" * 100, "字" * 500])
@pytest.mark.parametrize("count", [50, 200, 500])
def test_even_the_most_evidence_stays_under_64_kib_and_says_that_there_is_more(name: str, count: int) -> None:
    numbers = range(1, count + 1)
    hits = tuple(replace(hit("x" * 500, number=each, name=name), heading_path=("A heading",) * 3) for each in numbers)
    answer = " ".join(f"Said [{number}]." for number in numbers)
    citations = cite(answer, [source(each.content, number, before="") for number, each in enumerate(hits, 1)])
    frames = stream(STARTED, Retrieved(hits, Funnel()), replace(FINISHED, text=answer, citations=citations))
    assert len(frames[-1]) + len(frames[-2]) < MOST_BYTES
    finish = payloads(frames[:-1])[-1]
    assert finish.get("evidence_truncated") or len(finish["citations"]) == count
    end = END.fullmatch(frames[-1])
    assert end is not None
    shown = orjson.loads(end[2])
    assert shown
    assert [chunk["marker"] for chunk in shown] == list(range(1, len(shown) + 1))
