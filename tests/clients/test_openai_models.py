"""OpenAI's own clients in front of a real model server: tools, sampling and failures."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest

from tests.clients.corpus import user
from tests.clients.model_tools import CALLED, TOOLS, two_calls
from tests.clients.openai_clients import EVERY_CLIENT, Client
from tests.clients.service_process import Service
from tests.doubles.openai_server import CUT, OpenAIServer, say

pytestmark = [pytest.mark.peer, EVERY_CLIENT]

MODEL = "openai/gpt-test"


def test_tool_calls_have_text_as_arguments(client: Client, service: Service, model_server: OpenAIServer) -> None:
    model_server.script(two_calls())
    answer = client.ask(service, client.whole, model=MODEL, messages=user("Where are they?"), tools=TOOLS)
    assert model_server.requests[-1].body["tools"] == TOOLS
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == "tool_calls"
    calls = choice["message"]["tool_calls"]
    assert [called["id"] for called in calls] == ["call_emma", "call_ulysses"]
    assert [json.loads(called["function"]["arguments"]) for called in calls] == CALLED


def test_streamed_tool_calls_add_up(client: Client, service: Service, model_server: OpenAIServer) -> None:
    model_server.script(two_calls())
    streamed = client.ask(service, client.stream, model=MODEL, messages=user("Where are they?"), tools=TOOLS)
    arguments: defaultdict[int, str] = defaultdict(str)
    names = {}
    for chunk in streamed["chunks"]:
        for piece in chunk["choices"][0]["delta"].get("tool_calls") or ():
            arguments[piece["index"]] += piece["function"].get("arguments") or ""
            if piece["function"].get("name"):
                names[piece["index"]] = (piece["id"], piece["function"]["name"])
    assert names == {0: ("call_emma", "find_shelf"), 1: ("call_ulysses", "find_shelf")}
    assert [json.loads(arguments[index]) for index in (0, 1)] == CALLED
    assert streamed["chunks"][-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_model_that_breaks_off_raises_in_the_client(
    client: Client, service: Service, model_server: OpenAIServer
) -> None:
    model_server.script(say("Sparky ", "is ", CUT))
    outcome = client.ask(service, client.stream, model=MODEL, messages=user("Who is Sparky?"))
    assert outcome["error"] == "APIError"
    assert outcome["message"]


def test_sampling_reaches_the_model(client: Client, service: Service, model_server: OpenAIServer) -> None:
    model_server.script(say("Yes."))
    client.ask(service, client.whole, model=MODEL, messages=user("Sure?"), temperature=0.25, seed=7, stop=["\n"])
    sent = model_server.requests[-1].body
    assert (sent["temperature"], sent["seed"], sent["stop"]) == (0.25, 7, ["\n"])
