"""Reading streams, in any order a provider may send them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.types import Delta, FinishReason, Usage
from app.providers.chat_wire import AnswerReader, estimate_tokens
from tests.providers.prompts import ask


def chunk(delta: dict[str, Any] | None = None, reason: str | None = None, **fields: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
    head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}
    return {**head, **fields}


def call(index: int, id: str | None, name: str | None, arguments: str | None) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]}


def read(*chunks: dict[str, Any]) -> tuple[list[Delta], Delta]:
    reader = AnswerReader(ask())
    deltas = [reader.read(each) for each in chunks]
    return [delta for delta in deltas if delta is not None], reader.last()


@given(st.lists(st.text(max_size=9), max_size=9), st.integers(1, 5))
def test_text_survives_and_no_delta_is_empty(pieces: list[str], scale: int) -> None:
    chunks = [chunk({"content": piece}) for piece in pieces]
    deltas, last = read(*chunks, chunk({}, "stop"), chunk(usage=None))
    assert "".join(delta.text for delta in deltas) == "".join(pieces)
    assert all(delta.text for delta in deltas)
    assert last.usage is not None
    assert last.usage.completion_tokens == math.ceil(sum(map(len, pieces)) / 4)


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=6, unique=True).flatmap(
        lambda numbers: st.tuples(
            st.just(numbers),
            st.lists(st.tuples(st.sampled_from(numbers), st.text(min_size=1, max_size=5)), max_size=20),
        )
    )
)
def test_tool_calls_are_numbered_in_the_order_they_begin(
    drawn: tuple[list[int], list[tuple[int, str]]],
) -> None:
    numbers, pieces = drawn
    begun = [chunk(call(number, f"id{number}", f"name{number}", "")) for number in numbers]
    deltas, last = read(*begun, *[chunk(call(number, None, None, text)) for number, text in pieces])
    calls = [piece for delta in deltas for piece in delta.tool_calls]
    heads = [(piece.index, piece.id, piece.name) for piece in calls if piece.id is not None]
    assert heads == [(place, f"id{number}", f"name{number}") for place, number in enumerate(numbers)]
    for place, number in enumerate(numbers):
        received = "".join(piece.arguments for piece in calls if piece.index == place)
        assert received == "".join(text for wanted, text in pieces if wanted == number)
    assert last.finish_reason is FinishReason.TOOL_CALLS


def test_whole_calls_that_all_claim_number_nought_stay_apart() -> None:
    deltas, last = read(chunk(call(0, "a", "look", "{}")), chunk(call(0, "b", "find", "{}")), chunk({}, "stop"))
    assert [(c.index, c.id, c.name) for d in deltas for c in d.tool_calls] == [
        (0, "a", "look"),
        (1, "b", "find"),
    ]
    assert last.finish_reason is FinishReason.TOOL_CALLS


def test_an_id_said_in_every_fragment_is_passed_on_once() -> None:
    deltas, _ = read(chunk(call(3, "a", "look", "{")), chunk(call(3, "a", "look", "}")))
    assert [(c.index, c.id, c.name, c.arguments) for d in deltas for c in d.tool_calls] == [
        (0, "a", "look", "{"),
        (0, None, None, "}"),
    ]


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("tool_calls", FinishReason.TOOL_CALLS),
        ("function_call", FinishReason.TOOL_CALLS),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("eos", FinishReason.STOP),
    ],
)
def test_reasons(said: str, means: FinishReason) -> None:
    reader = AnswerReader(ask())
    assert not reader.complete
    reader.read(chunk({}, said))
    assert reader.complete
    assert reader.last().finish_reason is means


def test_a_refusal_is_what_the_model_answered() -> None:
    deltas, last = read(chunk({"refusal": "I will not."}), chunk({}, "content_filter"))
    assert deltas == [Delta(text="I will not.", refusal=True)]
    assert last.finish_reason is FinishReason.CONTENT_FILTER


def test_reasoning_says_nothing_to_the_reader() -> None:
    deltas, _ = read(chunk({"reasoning": {"content": "hm"}}), chunk({"content": "So."}))
    assert deltas == [Delta(text="So.")]


def test_the_last_usage_counts() -> None:
    counts = [{"prompt_tokens": 5, "completion_tokens": n, "total_tokens": 5 + n} for n in (1, 2)]
    _, last = read(chunk({"content": "a"}, usage=counts[0]), chunk({}, "stop", usage=counts[1]))
    assert last.usage == Usage(5, 2)


@pytest.mark.parametrize("count", ["7", 7.5, -1, 10**15, [7]])
def test_what_is_no_count_is_estimated(count: object) -> None:
    _, last = read(
        chunk({"content": "abcde"}), chunk({}, "stop", usage={"prompt_tokens": 1, "completion_tokens": count})
    )
    assert last.usage is not None
    assert last.usage.completion_tokens == 2


@pytest.mark.parametrize("wrong", [{"id": 7}, {"name": 7}, {"arguments": {"city": "Oslo"}}])
def test_a_call_that_is_no_text_is_no_chunk(wrong: dict[str, object]) -> None:
    said = {"id": "a", "name": "look", "arguments": "{}"} | wrong
    function = {"name": said["name"], "arguments": said["arguments"]}
    with pytest.raises(TypeError):
        read(chunk({"tool_calls": [{"index": 0, "id": said["id"], "function": function}]}))


@given(st.text())
def test_estimate(text: str) -> None:
    assert 4 * (estimate_tokens(text) - 1) < len(text) <= 4 * estimate_tokens(text) or not text
