"""OpenAI's own clients read the service's answers, sources, streams and typed errors."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from tests.clients.corpus import (
    ANSWER,
    HOSTILE_ANSWER,
    HOSTILE_QUESTION,
    QUESTION,
    UNKNOWN_REPOSITORY,
    assert_sources,
    user,
)
from tests.clients.openai_clients import EVERY_CLIENT, MODEL, Client, text_of
from tests.clients.service_process import Service

pytestmark = [pytest.mark.peer, EVERY_CLIENT]


def test_a_whole_answer_has_its_sources(client: Client, service: Service, repository_id: int) -> None:
    answer = client.ask(service, client.whole, messages=user(QUESTION), repositories={"ids": [repository_id]})
    assert answer["object"] == "chat.completion"
    assert answer["model"] == MODEL
    (choice,) = answer["choices"]
    assert choice["message"]["role"] == "assistant"
    assert ANSWER in choice["message"]["content"]
    assert choice["finish_reason"] == "stop"
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    assert_sources(answer["document_chunks"], repository_id, "sparky.md")
    assert uuid.UUID(answer["trace_id"])


def test_a_stream_is_the_whole_answer_in_pieces(client: Client, service: Service, repository_id: int) -> None:
    request: dict[str, Any] = {"messages": user(QUESTION), "repositories": {"ids": [repository_id]}}
    whole = client.ask(service, client.whole, **request)
    chunks = client.ask(service, client.stream, **request)["chunks"]
    assert text_of({"chunks": chunks}) == whole["choices"][0]["message"]["content"]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert chunks[-1]["usage"]["total_tokens"] > 0
    assert chunks[-1]["document_chunks"] == whole["document_chunks"]
    assert uuid.UUID(chunks[-1]["trace_id"])


def test_usage_comes_last_and_alone_when_asked_for(client: Client, service: Service, repository_id: int) -> None:
    streamed = client.ask(
        service,
        client.stream,
        messages=user(QUESTION),
        repositories={"ids": [repository_id]},
        stream_options={"include_usage": True},
    )
    *before, last = streamed["chunks"]
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] > 0
    assert all(len(chunk["choices"]) == 1 for chunk in before)


def test_words_of_the_wire_in_an_answer_arrive_intact(client: Client, service: Service, repository_id: int) -> None:
    request: dict[str, Any] = {"messages": user(HOSTILE_QUESTION), "repositories": {"ids": [repository_id]}}
    streamed = client.ask(service, client.stream, **request)
    assert HOSTILE_ANSWER in text_of(streamed)
    assert HOSTILE_ANSWER in streamed["chunks"][-1]["document_chunks"][0]["content"]


@pytest.mark.parametrize(
    ("change", "error", "status"),
    [
        ({"key": "fn-wrong-0123456789abcdef"}, "AuthenticationError", 401),
        ({"repositories": {"ids": [UNKNOWN_REPOSITORY]}}, "NotFoundError", 404),
        ({"model": "footnote/no-such-model"}, "NotFoundError", 404),
        ({"messages": "not a list"}, "BadRequestError", 400),
    ],
    ids=["wrong-key", "unknown-repository", "unknown-model", "invalid"],
)
@pytest.mark.parametrize("mode", ["whole", "stream"])
def test_an_error_is_of_its_type(
    client: Client, service: Service, mode: str, change: Mapping[str, Any], error: str, status: int
) -> None:
    outcome = client.ask(service, getattr(client, mode), **{"messages": user(QUESTION), **change})
    assert outcome["error"] == error
    assert outcome["status"] == status
    assert outcome["message"]
    assert outcome["code"]
