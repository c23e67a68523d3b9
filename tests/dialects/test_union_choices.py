"""Several answers in one stream, and refusals that stand apart."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.core.types import Choice, Delta, Event, Finished, FinishReason, ToolCall, ToolCallDelta
from app.dialects.union_stream import UnionFramer
from tests.dialects.test_union_stream import END, FINISHED, NOTHING, STARTED, payloads, stream

THREE = replace(
    FINISHED,
    text="One",
    others=(
        Choice("Two", (), (), FinishReason.LENGTH),
        Choice("", (ToolCall("call_1", "look", "{}"),), (), FinishReason.TOOL_CALLS),
    ),
)


def test_each_chunk_has_a_piece_of_one_answer_and_the_last_ends_them_all() -> None:
    frames = stream(
        STARTED,
        NOTHING,
        Delta("O", choice=0),
        Delta("Two", choice=1),
        Delta("ne", choice=0),
        Delta(tool_calls=(ToolCallDelta(0, "call_1", "look", "{}"),), choice=2),
        THREE,
        framer=UnionFramer(choices=3, include_usage=True),
    )
    *chunks, usage = payloads(frames[:-1])
    assert END.fullmatch(frames[-1])
    assert all(len(chunk["choices"]) == 1 for chunk in chunks)
    told = [chunk["choices"][0] for chunk in chunks]
    assert [choice["index"] for choice in told] == [0, 1, 2, 0, 1, 0, 2, 0, 1, 2]
    assert [choice["finish_reason"] for choice in told] == [None] * 7 + ["stop", "length", "tool_calls"]
    said = {number: "".join(c["delta"]["content"] for c in told if c["index"] == number) for number in range(3)}
    assert said == {0: "One", 1: "Two", 2: ""}
    assert told[6]["delta"]["tool_calls"][0]["function"] == {"arguments": "{}", "name": "look"}
    with_evidence = [number for number, chunk in enumerate(chunks) if "trace_id" in chunk]
    assert with_evidence == [len(chunks) - 1]
    assert chunks[-1]["usage"] == usage["usage"]
    assert usage["choices"] == []


@given(st.lists(st.text()))
def test_one_answer_among_several_reads_as_if_it_were_alone(pieces: list[str]) -> None:
    events: list[Event] = [Delta(piece) for piece in pieces]
    finished: Finished = replace(FINISHED, text="".join(pieces))
    alone = stream(STARTED, NOTHING, *events, finished)
    two = replace(finished, others=(Choice("Other", (), (), FinishReason.STOP),))
    among = payloads(stream(STARTED, NOTHING, *events, two, framer=UnionFramer(choices=2))[:-1])
    first = [chunk["choices"][0]["delta"] for chunk in among if chunk["choices"][0]["index"] == 0]
    assert first == [chunk["choices"][0]["delta"] for chunk in payloads(alone[:-1])]


def test_a_refusal_stands_apart_only_where_that_is_asked_for() -> None:
    said = Delta("I cannot.", refusal=True)
    refused = replace(FINISHED, text="I cannot.", refusal=True)
    apart = payloads(stream(STARTED, NOTHING, said, refused, framer=UnionFramer(separate_refusals=True))[:-1])
    assert apart[1]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": "I cannot."}
    together = payloads(stream(STARTED, NOTHING, said, refused)[:-1])
    assert together[1]["choices"][0]["delta"] == {"role": "assistant", "content": "I cannot."}
