"""Gist's requests: whose they are, which question they ask, after which answer; and what they are answered."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import AppError, InvalidRequestError, NotFoundError, RateLimitedError
from app.core.types import (
    Answer,
    Ask,
    Caller,
    Citation,
    Finished,
    FinishReason,
    Funnel,
    Json,
    Retrieved,
    Started,
    Usage,
    Verdict,
)
from app.dialects.envelopes import envelope_of
from app.dialects.gist.completions import GistDialect, turn_number
from app.dialects.gist.errors import gist_refusal
from tests.unit.sources import hit

GIST = GistDialect()
ANN = Caller(1, user="ann")
THREAD = "bfb5862e-1772-4f82-9297-7e533e0cca73"
QUESTION = {"role": "user", "content": "Why is the sky black at night?"}


def pointer(turn: str | int = "1", thread: str = THREAD, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "metadata": {"thread_id": thread, "turn_id": turn}, **more}


def parse(*messages: Any, **more: Any) -> Ask:
    ask, _ = GIST.parse({"messages": list(messages), **more}, ANN)
    return ask


def said(ask: Ask) -> list[tuple[str, str | None]]:
    return [(message.role, message.content) for message in ask.messages]


@pytest.mark.parametrize(
    ("body", "headers", "its"),
    [
        ({"messages": [QUESTION]}, {"x-user-id": "ann"}, True),
        ({"messages": [QUESTION, pointer()]}, {}, True),
        ({"messages": [pointer(), QUESTION]}, {}, True),
        ({"messages": [QUESTION]}, {}, False),
        ({"messages": [QUESTION], "model": "m"}, {"x-user-id": "ann"}, False),
        ({"messages": [QUESTION, pointer()], "project_id": 1}, {"x-user-id": "ann"}, False),
        ({}, {"x-user-id": "ann"}, True),
        ({"messages": [5, None, {"metadata": 5}, {"metadata": {"thread": 1}}]}, {}, False),
        ({"messages": "metadata.thread_id"}, {}, False),
    ],
)
def test_claims_what_names_a_user_or_points_into_a_thread(body: Any, headers: dict[str, str], its: bool) -> None:
    assert GIST.claims(body, headers) is its


def test_the_user_is_in_the_header() -> None:
    found = GIST.credentials({}, {"authorization": "Bearer key", "x-user-id": "ann"})
    assert (found.key, found.user, found.project_id) == ("key", "ann", None)


@pytest.mark.parametrize("user", ["", "  ", "x" * 201])
def test_a_request_without_a_user_is_refused(user: str) -> None:
    with pytest.raises(InvalidRequestError, match="X-User-ID") as refused:
        GIST.parse({"messages": [QUESTION]}, Caller(1, user=user))
    assert refused.value.field == "X-User-ID"


@pytest.mark.parametrize("turn", ["2", 2])
@given(random=st.randoms(use_true_random=False))
def test_a_follow_up_may_stand_in_any_order(turn: str | int, random: random.Random) -> None:
    messages = [QUESTION, pointer(turn), pointer(str(turn), content="what the thread has anyway")]
    random.shuffle(messages)
    ask = parse(*messages)
    assert said(ask) == [("user", QUESTION["content"])]
    assert (ask.thread_id, ask.after_turn) == (THREAD, 2)


def test_the_last_user_message_is_the_question_and_the_rest_comes_before_it() -> None:
    first, system = {"role": "user", "content": "Why is it blue?"}, {"role": "system", "content": "Be brief."}
    answer = {"role": "assistant", "content": "Scattering."}
    assert said(parse(first, QUESTION, answer, system)) == [
        ("user", "Why is it blue?"),
        ("assistant", "Scattering."),
        ("system", "Be brief."),
        ("user", "Why is the sky black at night?"),
    ]


def test_what_a_conversation_says_before_its_pointer_is_in_the_thread_already() -> None:
    first, system = {"role": "user", "content": "Why is it blue?"}, {"role": "system", "content": "Be brief."}
    ask = parse(system, first, pointer(content="Scattering."), QUESTION)
    assert said(ask) == [("system", "Be brief."), ("user", "Why is the sky black at night?")]


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([QUESTION, pointer("1"), pointer("2")], "different turns"),
        ([QUESTION, pointer("1"), pointer("1", thread="other")], "different turns"),
        ([pointer()], "role `user`"),
        ([], "role `user`"),
        ([QUESTION, {"role": "assistant"}], "metadata"),
        ([{"role": "user"}, QUESTION], "content"),
        ([QUESTION, {"role": "assistant", "metadata": {"thread_id": THREAD}}], "turn_id"),
        ([QUESTION, {"role": "assistant", "metadata": {"turn_id": "1"}}], "thread_id"),
        ([QUESTION, pointer(1.5)], "turn_id"),  # type: ignore[arg-type]
        ([QUESTION, pointer(True)], "turn_id"),
        ([QUESTION, pointer("one")], "turn_id"),
        ([QUESTION, pointer("-1")], "turn_id"),
        ([QUESTION, pointer("")], "turn_id"),
        ([{"role": "tool", "content": "x"}], "role"),
        ([{"role": "user", "content": 5}], "content"),
        (None, "messages"),
        ("hello", "messages"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(messages: Any, says: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        GIST.parse({"messages": messages}, ANN)
    assert says in refused.value.message
    assert refused.value.field


@pytest.mark.parametrize("turn", ["0", 2**31, "9" * 60])
def test_a_turn_that_no_thread_can_have(turn: str | int) -> None:
    if turn == "0":
        assert turn_number(turn) == 0  # for the store to say that it is not there
        return
    with pytest.raises(NotFoundError):
        turn_number(turn)


def test_every_field_reaches_the_ask() -> None:
    ask, stream = GIST.parse(
        {
            "messages": [QUESTION],
            "temperature": 0.3,
            "stream": True,
            "model": "test/model",
            "repositories": {"ids": [4, 5], "limit": 2, "similarity_threshold": 0.5},
            "system_prompt": "Be brief.",
            "max_tokens": 7,
            "unheard_of": 1,
        },
        ANN,
    )
    assert stream
    assert (ask.caller, ask.dialect, ask.model, ask.system_prompt) == (ANN, "gist", "test/model", "Be brief.")
    assert (ask.repository_ids, ask.limit, ask.similarity_threshold) == ((4, 5), 2, 0.5)
    assert (ask.sampling.temperature, ask.sampling.max_tokens) == (0.3, 7)
    plain, streams = GIST.parse({"messages": [QUESTION], "max_tokens": 0}, ANN)
    assert not streams
    assert (plain.repository_ids, plain.sampling.temperature, plain.sampling.max_tokens) == (None, None, None)
    assert (plain.thread_id, plain.after_turn) == (None, None)


@pytest.mark.parametrize("temperature", [-0.1, 1.1, "hot"])
def test_a_temperature_beyond_gists_is_refused(temperature: Any) -> None:
    with pytest.raises(InvalidRequestError, match="temperature"):
        parse(QUESTION, temperature=temperature)


def test_the_whole_answer() -> None:
    named: dict[str, Json] = {"url": "https://a.example/sky", "title": "Sky", "date": "2024"}
    one, two = replace(hit("The sky is blue."), attributes=named), hit("At night it is black.", number=2)
    uses = (
        Citation(2, Verdict.VERBATIM, 0, 4, two.document_id, "b.txt", 0, 4, "At n", "q2", two.text_sha256),
        Citation(1, Verdict.NORMALISED, 8, 12, one.document_id, "a.txt", 4, 7, "sky", "q1", one.text_sha256, page=3),
        Citation(2, Verdict.UNVERIFIED, 16, 20, two.document_id, "b.txt", 0, 21, two.content, "q3", two.text_sha256),
        Citation(7, Verdict.FABRICATED, 24, 28),
    )
    started = Started("trace", THREAD, 3, "test/model", "test", 17, "Why is the sky blue?")
    finished = Finished(
        "text", (), uses, Usage(5, 3), FinishReason.STOP, timings_ms={"total": 12.4}, model="other/model"
    )
    shown: Any = GIST.render(Answer(started, Retrieved((one, two), Funnel(considered=9)), finished))
    assert orjson.loads(orjson.dumps(shown)) == shown
    message = shown["choices"][0]["message"]
    assert (shown["object"], shown["model"], message["content"]) == ("chat.completion", "other/model", "text")
    assert message["metadata"] == {"thread_id": THREAD, "turn_id": "3"}
    assert (shown["threadId"], shown["turnId"], shown["title"]) == (THREAD, "3", "Why is the sky blue?")
    assert (shown["response_time"], shown["trace_id"]) == (12, "trace")
    assert [chunk["content"] for chunk in shown["document_chunks"]] == [one.content, two.content]
    first, second, made_up = shown["citations"]
    assert [each["citationId"] for each in shown["citations"]] == [1, 2, 7]
    assert (first["url"], first["domain"], first["title"], first["date"]) == (
        "https://a.example/sky",
        "a.example",
        "Sky",
        "2024",
    )
    assert (first["quote"], first["page"], first["verdict"], first["image"]) == ("sky", 3, "normalised", None)
    assert (second["url"], second["title"], second["first_words"]) == (None, "b.txt", two.content)
    assert [each["quote_sha256"] for each in second["ranges"]] == ["q2", "q3"]
    assert (made_up["verdict"], made_up["document_id"], made_up["publisher_id"]) == ("fabricated", None, None)
    assert len({each["id"] for each in shown["citations"]}) == 3
    assert first.keys() == second.keys() == made_up.keys()


@pytest.mark.parametrize(
    "error", [NotFoundError("Gone.", field="thread_id", trace_id="t"), RateLimitedError(), AppError()]
)
def test_errors_have_gists_three_fields(error: AppError) -> None:
    shown = gist_refusal(error)
    assert shown.status == shown.body["statusCode"] == error.status
    assert isinstance(shown.body["error"], str)
    assert shown.body["message"] == error.message
    assert shown.body["code"] == error.code
    assert ("field" in shown.body, "trace_id" in shown.body) == (error.field is not None, error.trace_id is not None)


@pytest.mark.parametrize(
    ("path", "gists"),
    [
        ("/v1/chat", True),
        ("/v1/chat/response/x/1", True),
        ("/v1/chat/citations/x/1", True),
        ("/v1/threads", True),
        ("/v1/threads/x", True),
        ("/v1/questions/related", True),
        ("/gist/v1/chat/completions", True),
        ("/v1/chat/completions", False),
        ("/v1/repositories", False),
        ("/openai/v1/chat/completions", False),
    ],
)
def test_errors_before_anybody_claims_the_request_go_by_the_path(path: str, gists: bool) -> None:
    assert (envelope_of(path) is gist_refusal) is gists
