"""A session's earlier turns reach the model, through every client, and nobody else's do."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from tests.clients import langchain_client, openai_clients, prem_clients
from tests.clients.corpus import user
from tests.clients.model_tools import TOOLS, two_calls
from tests.clients.service_process import Service
from tests.doubles.openai_server import CUT, OpenAIServer, say

pytestmark = pytest.mark.peer

MODEL = "openai/gpt-test"
Ask = Callable[[Service, str, str, bool], object]  # service, session, question, as a stream?


def _through_prem(name: str, service: Service, session: str, question: str, stream: bool) -> object:
    request: dict[str, Any] = {"model": MODEL, "messages": user(question), "session_id": session}
    return prem_clients.ask(prem_clients.CLIENTS[name], service, "stream" if stream else "sync", **request)


def _through_openai(name: str, service: Service, session: str, question: str, stream: bool) -> object:
    client = openai_clients.CLIENTS[name]
    extras = client.extras({"session_id": session})
    mode = client.stream if stream else client.whole
    return client.ask(service, mode, model=MODEL, messages=user(question), **extras)


def _through_langchain(service: Service, session: str, question: str, stream: bool) -> object:
    mode = "stream" if stream else "invoke"
    return langchain_client.ask(service, mode, question, model=MODEL, bind={"session_id": session})


CLIENTS: Mapping[str, Ask] = {
    **{name: partial(_through_prem, name) for name in prem_clients.CLIENTS},
    **{f"openai-{name}": partial(_through_openai, name) for name in openai_clients.CLIENTS},
    "langchain": _through_langchain,
}


@pytest.mark.parametrize("ask", CLIENTS.values(), ids=CLIENTS)
def test_a_session_remembers_its_turns(ask: Ask, service: Service, model_server: OpenAIServer) -> None:
    session = _new_session()
    model_server.script(say("It is ", "yellow."), say("It is a dog."), say("Under the stairs."))
    ask(service, session, "What colour is Sparky?", True)
    ask(service, session, "And what is it?", False)
    ask(service, session, "And where?", True)
    assert _conversation(model_server) == [
        ("user", "What colour is Sparky?"),
        ("assistant", "It is yellow."),
        ("user", "And what is it?"),
        ("assistant", "It is a dog."),
        ("user", "And where?"),
    ]


def test_sessions_do_not_share_their_turns(service: Service, model_server: OpenAIServer) -> None:
    model_server.script(say("It is yellow."), say("Who?"))
    ask = CLIENTS["premai-0.3.107"]
    ask(service, _new_session(), "What colour is Sparky?", False)
    ask(service, _new_session(), "And what is it?", False)
    assert _conversation(model_server) == [("user", "And what is it?")]


def test_an_answer_that_broke_off_is_not_remembered(service: Service, model_server: OpenAIServer) -> None:
    model_server.script(say("It is ", CUT), say("Who?"))
    ask, session = CLIENTS["premai-0.3.107"], _new_session()
    ask(service, session, "What colour is Sparky?", True)
    ask(service, session, "And what is it?", False)
    assert _conversation(model_server) == [("user", "And what is it?")]


def test_a_tools_results_continue_the_session(service: Service, model_server: OpenAIServer) -> None:
    client, session = openai_clients.CLIENTS["python"], _new_session()
    question = user("Where are they?")
    request: dict[str, Any] = {"model": MODEL, "tools": TOOLS, "extra_body": {"session_id": session}}
    model_server.script(two_calls(), say("On shelf 3."), say("You asked where they are."))

    called = client.ask(service, "sync", messages=question, **request)["choices"][0]["message"]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": json.dumps({"shelf": 3})}
        for call in called["tool_calls"]
    ]
    reply = {"role": "assistant", "content": None, "tool_calls": called["tool_calls"]}
    client.ask(service, "sync", messages=[*question, reply, *results], **request)
    roles = [message["role"] for message in model_server.requests[-1].body["messages"]]
    assert roles == ["user", "assistant", "tool", "tool"]  # the question once, and no empty answer before it

    client.ask(service, "sync", messages=user("What did I ask?"), **request)
    assert _conversation(model_server) == [
        ("user", "Where are they?"),
        ("assistant", "On shelf 3."),
        ("user", "What did I ask?"),
    ]


def _new_session() -> str:
    return f"session-{uuid.uuid4()}"


def _conversation(model_server: OpenAIServer) -> list[tuple[str, str]]:
    """Roles and texts of the last request that reached the model, without its system message."""
    sent = model_server.requests[-1].body["messages"]
    return [(message["role"], message["content"]) for message in sent if message["role"] != "system"]
