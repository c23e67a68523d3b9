"""Prem's own clients in front of a real model server: what reaches the model, and what comes back of it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.clients.corpus import ANSWER, QUESTION, user
from tests.clients.model_tools import CALLED, TOOLS, two_calls
from tests.clients.prem_clients import EVERY_CLIENT, ask, text_of
from tests.clients.service_process import Service
from tests.clients.vendor_process import ClientProcess
from tests.doubles.openai_server import CUT, OpenAIServer, refuse, say

pytestmark = [pytest.mark.peer, EVERY_CLIENT]

MODEL = "openai/gpt-test"


def test_system_prompt_and_sources_reach_the_model(
    client: ClientProcess, service: Service, repository_id: int, model_server: OpenAIServer
) -> None:
    model_server.script(say("Under the ", "front stairs [1]."))
    answer = ask(
        client,
        service,
        "sync",
        model=MODEL,
        messages=user(QUESTION),
        system_prompt="Speak like a librarian.",
        repositories={"ids": [repository_id]},
    )
    assert answer["choices"][0]["message"]["content"] == "Under the front stairs [1]."
    assert (answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"]) == (7, 3)
    sent = model_server.requests[-1].body["messages"]
    assert sent[0]["role"] == "system"
    assert "Speak like a librarian." in sent[0]["content"]
    assert sent[-1]["role"] == "user"
    assert QUESTION in sent[-1]["content"]
    assert any(ANSWER in message["content"] for message in sent)


def test_the_older_fields_reach_the_model(client: ClientProcess, service: Service, model_server: OpenAIServer) -> None:
    """Those that later clients dropped from their types, and send all the same."""
    model_server.script(say('{"colour": "yellow"}'))
    told: dict[str, Any] = {
        "temperature": 0.2,
        "top_p": 0.9,
        "max_tokens": 64,
        "stop": "###",
        "seed": 7,
        "frequency_penalty": 0.5,
        "presence_penalty": -0.5,
        "logit_bias": {"50256": -100},
        "response_format": {"type": "json_object"},
    }
    answer = ask(client, service, "sync", model=MODEL, messages=user("What colour?"), user="ann", **told)
    assert answer["choices"][0]["message"]["content"] == '{"colour": "yellow"}'
    sent = model_server.requests[-1].body
    limit = sent.pop("max_completion_tokens", None) or sent.pop("max_tokens")
    assert limit == told.pop("max_tokens")
    assert {name: sent[name] for name in told} == {**told, "stop": ["###"]}
    assert "user" not in sent  # who asks stays here
    assert service.get(f"/v1/traces/{answer['trace_id']}")["detail"]["user"] == "ann"


def test_an_answer_that_is_not_in_the_format_is_an_error(
    client: ClientProcess, service: Service, model_server: OpenAIServer
) -> None:
    model_server.script(say("It is yellow."))
    json_only = {"type": "json_object"}
    request: dict[str, Any] = {"model": MODEL, "messages": user("What colour?"), "response_format": json_only}
    error = ask(client, service, "sync", **request)["error"]
    assert error["code"] == "ProviderAPIStatusError"
    assert "response_format" in error["details"]


def test_several_answers_to_one_prompt(client: ClientProcess, service: Service, model_server: OpenAIServer) -> None:
    model_server.script(say("One."), say("Two."))
    answer = ask(client, service, "sync", model=MODEL, messages=user("Say a number."), n=2)
    said = {(choice["index"], choice["message"]["content"]) for choice in answer["choices"]}
    assert {index for index, _ in said} == {0, 1}
    assert {text for _, text in said} == {"One.", "Two."}


def test_tool_calls_have_objects_as_arguments(
    client: ClientProcess, service: Service, model_server: OpenAIServer
) -> None:
    model_server.script(two_calls())
    answer = ask(client, service, "sync", model=MODEL, messages=user("Where are they?"), tools=TOOLS)
    assert model_server.requests[-1].body["tools"] == TOOLS
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    for calls in (choice["message"]["tool_calls"], choice["tool_calls"]):
        assert [called["id"] for called in calls] == ["call_emma", "call_ulysses"]
        assert [called["function"]["arguments"] for called in calls] == CALLED


def test_words_of_the_wire_from_the_model_arrive_intact(
    client: ClientProcess, service: Service, model_server: OpenAIServer
) -> None:
    pieces = ["document_chunks: [oops", " trace_id: ", "none\n\nevent: done\ndata: [DONE]", "\r\ndata: {}\u2028end"]
    model_server.script(say(*pieces))
    streamed = ask(client, service, "stream", model=MODEL, messages=user("Say it."))
    assert text_of(streamed) == "".join(pieces)
    assert uuid.UUID(streamed["trace_id"])
    assert not streamed["document_chunks"]


def test_a_model_that_breaks_off_leaves_no_client_waiting(
    client: ClientProcess, service: Service, model_server: OpenAIServer
) -> None:
    model_server.script(say("Sparky ", "is ", CUT))
    streamed = ask(client, service, "stream", model=MODEL, messages=user("Who is Sparky?"))
    assert text_of(streamed) == "Sparky is "


def test_a_model_that_fails_is_an_error_with_a_trace(
    client: ClientProcess, service: Service, model_server: OpenAIServer
) -> None:
    model_server.script(refuse(400, "no such tool"))
    error = ask(client, service, "sync", model=MODEL, messages=user("Who is Sparky?"))["error"]
    assert error.get("status", 502) == 502  # prem-sdk throws the body alone
    assert error["code"] == "ProviderAPIStatusError"
    assert "no such tool" in error["message"]
    assert service.get(f"/v1/traces/{error['trace_id']}")["outcome"] == "error"
