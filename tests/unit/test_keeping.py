"""What is kept of a completion, and what makes two completions the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.keeping import TITLE_CHARS, cache_key, keeps_trace, keeps_turn, may_cache, title_of
from app.core.ports import ThreadState, Turn
from app.core.types import Ask, Caller, Logging, Message, Retrieval, Sampling

ASK = Ask(Caller(1), (Message("user", "Q?"),), cache=True)
ARGUMENTS: dict[str, Any] = {
    "ask": ASK,
    "messages": ASK.messages,
    "thread": ThreadState("t", ()),
    "system_prompt": None,
    "models": ("a/b",),
    "retrieval": Retrieval((1, 2), 3, 0.5),
    "index_version": "1:1",
}
CHANGES: list[dict[str, Any]] = [
    {"messages": (Message("user", "Q!"),)},
    {"messages": (Message("system", "Q?"),)},
    {"thread": ThreadState("t", (Turn(1, "a", "b"),))},
    {"system_prompt": ""},
    {"models": ("a/c",)},
    {"models": ("a/b", "a/c")},
    {"retrieval": None},
    {"retrieval": Retrieval((1,), 3, 0.5)},
    {"retrieval": Retrieval((2, 1), 3, 0.5)},
    {"retrieval": Retrieval((1, 2), 4, 0.5)},
    {"retrieval": Retrieval((1, 2), 3, 0.6)},
    {"index_version": "1:2"},
    {"ask": replace(ASK, choices=2)},
    {"ask": replace(ASK, sampling=Sampling(temperature=0))},
    {"ask": replace(ASK, sampling=Sampling(seed=0))},
    {"ask": replace(ASK, sampling=Sampling(stop=("x",)))},
    {"ask": replace(ASK, tools=({"type": "function", "function": {"name": "f"}},))},
    {"ask": replace(ASK, tool_choice="none")},
    {"ask": replace(ASK, response_format={"type": "json_object"})},
    {"ask": replace(ASK, passed_on={"logit_bias": {"1": 5}})},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_whatever_can_change_the_answer_changes_the_key(change: dict[str, Any]) -> None:
    keys = [cache_key(**ARGUMENTS), *(cache_key(**ARGUMENTS | each) for each in CHANGES)]
    assert keys.count(cache_key(**ARGUMENTS | change)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"log": Logging(name="other", tags=("a",), metadata={"k": 1}, target="x", trace_id="t")},
        {"session": "other"},
        {"caller": Caller(1, user="somebody")},
        {"dialect": "other"},
    ],
)
def test_what_cannot_change_the_answer_does_not(change: dict[str, Any]) -> None:
    assert cache_key(**ARGUMENTS | {"ask": replace(ASK, **change)}) == cache_key(**ARGUMENTS)


@given(rate=st.floats(0, 1), root=st.uuids().map(str), part=st.uuids().map(str))
def test_a_tree_of_traces_is_kept_whole_or_not_at_all(rate: float, root: str, part: str) -> None:
    kept = keeps_trace(Logging(sample_rate=rate), root)
    assert keeps_trace(Logging(sample_rate=rate, root_id=root, parent_id=part), part) is kept
    assert keeps_trace(Logging(sample_rate=rate, parent_id=root), part) is kept
    if kept:
        assert keeps_trace(Logging(sample_rate=min(1.0, rate * 1.5 + 0.01)), root)


def test_the_share_kept_is_the_share_asked_for() -> None:
    kept = sum(keeps_trace(Logging(sample_rate=0.25), f"root {n}") for n in range(4000))
    assert abs(kept - 1000) < 120
    assert not any(keeps_trace(Logging(sample_rate=0), f"root {n}") for n in range(50))


def test_what_must_not_be_written_down_is_neither_remembered_nor_cached() -> None:
    for log in (Logging(omit_inputs=True), Logging(omit_outputs=True)):
        secret = replace(ASK, log=log, session="chat")
        assert not keeps_turn(secret, traced=True)
        assert not may_cache(secret)
    assert may_cache(ASK)
    assert not may_cache(replace(ASK, cache=False))
    assert not may_cache(replace(ASK, provider_key="sk"))
    assert keeps_turn(replace(ASK, session="chat"), traced=False)
    assert not keeps_turn(ASK, traced=True)
    assert keeps_turn(replace(ASK, remember=True), traced=True)
    assert not keeps_turn(replace(ASK, remember=True), traced=False)


@given(st.text(max_size=400))
def test_a_title_is_one_short_line_of_the_question(question: str) -> None:
    title = title_of(question)
    assert len(title) <= TITLE_CHARS
    assert title == " ".join(title.split())
    assert " ".join(question.split()).startswith(title.removesuffix("…"))
