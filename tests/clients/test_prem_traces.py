"""Prem's own clients read traces, put thumbs on answers, and are told what is not offered here."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.clients.corpus import ANSWER, QUESTION, user
from tests.clients.prem_clients import CLIENTS, PROJECT, ask, call, is_node
from tests.clients.service_process import Service
from tests.clients.vendor_process import ClientProcess

pytestmark = pytest.mark.peer

READERS = pytest.mark.parametrize("name", ["premai-0.3.107", "premai-0.3.76", "prem-sdk-0.3.100"])


def asked(client: ClientProcess, service: Service, repository_id: int) -> str:
    request: dict[str, Any] = {"messages": user(QUESTION), "repositories": {"ids": [repository_id]}}
    trace: str = ask(client, service, "sync", session_id="traced", **request)["trace_id"]
    return trace


def listed(client: ClientProcess, service: Service, **filters: Any) -> list[dict[str, Any]]:
    parameters = {"project_id": PROJECT, **filters}
    if is_node(client):
        return list(call(client, service, "traces.list", {"params": parameters})["items"])
    return list(call(client, service, "traces.list", **parameters)["items"])


def retrieved(client: ClientProcess, service: Service, trace: str) -> dict[str, Any]:
    return call(client, service, "traces.retrieve", *([trace] if is_node(client) else []), **by_name(client, id=trace))


def judged(client: ClientProcess, service: Service, **body: Any) -> dict[str, Any]:
    return call(client, service, "feedbacks.create", *([body] if is_node(client) else []), **by_name(client, **body))


def by_name(client: ClientProcess, **named: Any) -> dict[str, Any]:
    return {} if is_node(client) else named


@READERS
def test_a_completion_is_listed_and_looked_at(name: str, service: Service, repository_id: int) -> None:
    client = CLIENTS[name]
    trace = asked(client, service, repository_id)
    newest = listed(client, service)[0]
    assert newest["trace_id"] == trace
    assert newest["project_id"] == PROJECT
    assert newest["feedback"] is None
    assert newest["messages"][0] == {"role": "user", "content": QUESTION}
    assert ANSWER in newest["messages"][1]["content"]
    shown = retrieved(client, service, trace)
    assert shown["model"]["id"] == newest["model_id"]
    assert shown["model"]["name"] == "footnote/extractive"
    assert shown["project"]["project_id"] == PROJECT
    assert shown["session_id"] == "traced"
    assert shown["messages"] == newest["messages"]
    assert any(ANSWER in chunk["content"] for chunk in shown["document_chunks"])


@pytest.mark.parametrize("name", ["premai-0.3.107", "prem-sdk-0.3.100"])
def test_the_list_is_searched(name: str, service: Service, repository_id: int) -> None:
    client, word = CLIENTS[name], uuid.uuid4().hex
    ask(client, service, "sync", messages=user(f"Is {word} a word?"), repositories={"ids": [repository_id]})
    (found,) = listed(client, service, search=word.upper())
    assert word in found["messages"][0]["content"]


@READERS
def test_a_thumb_is_kept_and_taken_back(name: str, service: Service, repository_id: int) -> None:
    client = CLIENTS[name]
    trace = asked(client, service, repository_id)
    better = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "Under the stairs."}]
    feedback = {"positive": True, "messages": better}
    assert judged(client, service, trace_id=trace, feedback=feedback) == {"trace_id": trace, "feedback": feedback}
    kept = retrieved(client, service, trace)["feedback"]
    assert kept == {**feedback, "used_datapoint_messages": False}
    assert judged(client, service, trace_id=trace, feedback=None)["feedback"] is None
    assert retrieved(client, service, trace)["feedback"] is None


@READERS
def test_what_is_not_there_is_told(name: str, service: Service) -> None:
    client, unknown = CLIENTS[name], str(uuid.uuid4())
    for error in (
        retrieved(client, service, unknown)["error"],
        judged(client, service, trace_id=unknown, feedback={"positive": True})["error"],
    ):
        assert error["code"] == "ProviderNotFoundError"
        assert unknown in error["message"]
    nameless = judged(client, service, feedback={"positive": True})["error"]
    assert nameless["code"] == "ValidationError"
    assert "trace_id" in nameless["details"]


@pytest.mark.parametrize(
    ("name", "method", "parameters"),
    [
        ("premai-0.3.107", "v1.retrieve", {}),
        ("premai-0.3.107", "finetuning.create", {"job_id": "x"}),
        ("prem-sdk-0.3.100", "v1.retrieve", {}),
        ("premai-0.3.25", "datapoints.list", {}),
        ("premai-0.3.25", "finetuning.retrieve", {"job_id": "x"}),
    ],
)
def test_what_is_not_offered_says_why(name: str, method: str, parameters: dict[str, str], service: Service) -> None:
    error = call(CLIENTS[name], service, method, **parameters)["error"]
    assert error.get("status", 404) == 404
    assert "not part of Footnote" in error["message"]
