"""Prem's own clients read the service's answers, sources, streams and errors."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from tests.clients.corpus import (
    ANSWER,
    HOSTILE_ANSWER,
    HOSTILE_QUESTION,
    LEDGER_QUESTION,
    QUESTION,
    UNKNOWN_PROJECT,
    UNKNOWN_REPOSITORY,
    UNKNOWN_TEMPLATE,
    assert_sources,
    user,
)
from tests.clients.prem_clients import EVERY_CLIENT, ask, text_of
from tests.clients.service_process import Service
from tests.clients.vendor_process import ClientProcess

READ_BYTES = 64 * 1024  # premai parses what it reads at once
pytestmark = [pytest.mark.peer, EVERY_CLIENT]


def test_a_whole_answer_has_its_sources(client: ClientProcess, service: Service, repository_id: int) -> None:
    answer = ask(client, service, "sync", messages=user(QUESTION), repositories={"ids": [repository_id]})
    (choice,) = answer["choices"]
    assert choice["message"]["role"] == "assistant"
    assert ANSWER in choice["message"]["content"]
    assert "[1]" in choice["message"]["content"]
    assert choice["message"]["tool_calls"] is None
    assert choice["finish_reason"] == "stop"
    assert_sources(answer["document_chunks"], repository_id, "sparky.md")
    assert uuid.UUID(answer["trace_id"])
    assert answer["provider_name"]
    assert answer["provider_id"]
    assert answer["model"]
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


def test_a_stream_is_the_whole_answer_in_pieces(client: ClientProcess, service: Service, repository_id: int) -> None:
    request: dict[str, Any] = {"messages": user(QUESTION), "repositories": {"ids": [repository_id], "limit": 2}}
    whole = ask(client, service, "sync", **request)
    streamed = ask(client, service, "stream", **request)
    assert text_of(streamed) == whole["choices"][0]["message"]["content"]
    assert streamed["document_chunks"] == whole["document_chunks"]
    assert uuid.UUID(streamed["trace_id"]) != uuid.UUID(whole["trace_id"])
    assert [chunk["choices"][0]["finish_reason"] for chunk in streamed["chunks"]][-1] == "stop"
    assert streamed["chunks"][-1]["usage"]["total_tokens"] > 0


def test_limit_and_threshold_choose_the_sources(client: ClientProcess, service: Service, repository_id: int) -> None:
    one = {"ids": [repository_id], "limit": 1, "similarity_threshold": 0.0}
    assert len(ask(client, service, "sync", messages=user(QUESTION), repositories=one)["document_chunks"]) == 1
    none = {"ids": [repository_id], "similarity_threshold": 1.0}
    assert ask(client, service, "sync", messages=user(QUESTION), repositories=none)["document_chunks"] == []


def test_words_of_the_wire_in_sources_and_answer_arrive_intact(
    client: ClientProcess, service: Service, repository_id: int
) -> None:
    request: dict[str, Any] = {"messages": user(HOSTILE_QUESTION), "repositories": {"ids": [repository_id]}}
    whole = ask(client, service, "sync", **request)
    streamed = ask(client, service, "stream", **request)
    assert HOSTILE_ANSWER in text_of(streamed)
    assert text_of(streamed) == whole["choices"][0]["message"]["content"]
    assert uuid.UUID(streamed["trace_id"])
    assert_sources(streamed["document_chunks"], repository_id, "relay.txt")
    assert HOSTILE_ANSWER in streamed["document_chunks"][0]["content"]


def test_more_sources_than_a_line_holds_all_arrive(client: ClientProcess, service: Service, ledger_id: int) -> None:
    everything = {"ids": [ledger_id], "limit": 50, "similarity_threshold": 0.0}
    request: dict[str, Any] = {"messages": user(LEDGER_QUESTION), "repositories": everything}
    whole = ask(client, service, "sync", **request)["document_chunks"]
    streamed = ask(client, service, "stream", **request)["document_chunks"]
    assert len(json.dumps(whole)) > READ_BYTES
    assert [chunk["chunk_id"] for chunk in streamed] == [chunk["chunk_id"] for chunk in whole]
    for cut, uncut in zip(streamed, whole, strict=True):
        assert cut["content"]
        assert uncut["content"].startswith(cut["content"])


def test_a_template_is_filled_in(client: ClientProcess, service: Service, repository_id: int) -> None:
    template = service.post(
        "/v1/templates", json={"name": "dog", "content": "Where does ${name} charge its battery at ${when}?"}
    )
    message = {"role": "user", "template_id": template["id"], "params": {"name": "Sparky", "when": "night"}}
    answer = ask(client, service, "sync", messages=[message], repositories={"ids": [repository_id]})
    assert ANSWER in answer["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"key": "fn-wrong-0123456789abcdef"}, 401, "AuthenticationError"),
        ({"repositories": {"ids": [UNKNOWN_REPOSITORY]}}, 404, "ProviderNotFoundError"),
        ({"project_id": UNKNOWN_PROJECT}, 404, "ProviderNotFoundError"),
        ({"messages": [{"role": "user", "template_id": UNKNOWN_TEMPLATE}]}, 404, "ProviderNotFoundError"),
        ({"model": "footnote/no-such-model"}, 404, "ModelNotFoundError"),
        ({"messages": "not a list"}, 400, "ValidationError"),
        ({"messages": []}, 400, "ValidationError"),
        ({"repositories": {"limit": 0}}, 400, "ValidationError"),
        ({"repositories": {"similarity_threshold": 1.5}}, 400, "ValidationError"),
        ({"repositories": {"ids": []}}, 400, "ValidationError"),
        ({"project_id": "1"}, 400, "ValidationError"),
    ],
    ids=[
        "wrong-key",
        "unknown-repository",
        "unknown-project",
        "unknown-template",
        "unknown-model",
        "messages-no-list",
        "no-messages",
        "limit-zero",
        "threshold-above-one",
        "no-repositories",
        "project-as-text",
    ],
)
def test_an_error_says_what_is_wrong(
    client: ClientProcess, service: Service, change: Mapping[str, Any], status: int, code: str
) -> None:
    outcome = ask(client, service, "sync", **{"messages": user(QUESTION), **change})
    error = outcome["error"]
    assert error.get("status", status) == status  # prem-sdk throws the body alone
    assert error["code"] == code
    assert error["message"]
