"""A client that leaves in mid-stream frees the model, and the trace says that it left."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tests.clients import langchain_client, openai_clients, prem_clients
from tests.clients.corpus import user
from tests.clients.service_process import Service
from tests.doubles.openai_server import OpenAIServer, say

pytestmark = pytest.mark.peer

PATIENCE_S = 30.0  # only ever spent by a test that is about to fail
MODEL = "openai/gpt-test"
Ask = Callable[[Service, str], dict[str, Any]]


def _through_premai(name: str, service: Service, question: str) -> dict[str, Any]:
    client = prem_clients.CLIENTS[name]
    return prem_clients.ask(client, service, "hang-up", model=MODEL, messages=user(question))


def _through_openai(name: str, service: Service, question: str) -> dict[str, Any]:
    return openai_clients.CLIENTS[name].ask(service, "hang-up", model=MODEL, messages=user(question))


def _through_langchain(service: Service, question: str) -> dict[str, Any]:
    return langchain_client.ask(service, "hang-up", question, model=MODEL)


# prem-sdk is missing: it offers no way to leave
CLIENTS: Mapping[str, Ask] = {
    "premai-0.3.107": partial(_through_premai, "premai-0.3.107"),
    "premai-0.3.76": partial(_through_premai, "premai-0.3.76"),
    "openai-python": partial(_through_openai, "python"),
    "openai-node": partial(_through_openai, "node"),
    "langchain": _through_langchain,
}


@pytest.mark.parametrize("ask", CLIENTS.values(), ids=CLIENTS)
async def test_hanging_up_frees_the_model(ask: Ask, service: Service, model_server: OpenAIServer) -> None:
    question = f"Who is Sparky? {uuid.uuid4()}"
    model_server.script(say("Sparky ", model_server.gate(), "never said"))
    assert ask(service, question) == {"heard": "Sparky "}
    assert await model_server.requests[-1].client_gone()
    trace = service.get(f"/v1/traces/{_trace_of(service, question)}")
    assert trace["outcome"] == "cancelled"
    assert trace["detail"]["answer"] == "Sparky "


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_hanging_up_before_the_first_word_frees_the_model_too(
    stream: bool, service: Service, model_server: OpenAIServer
) -> None:
    question = f"Who is Sparky? {uuid.uuid4()}"
    gate = model_server.gate()
    model_server.script(replace(say("never said"), before_headers=gate))
    _, connection = await asyncio.open_connection(service.address.hostname, service.address.port)
    connection.write(_request(service, {"model": MODEL, "messages": user(question), "stream": stream}))
    assert await gate.reached()
    connection.close()
    assert await model_server.requests[-1].client_gone()
    assert service.get(f"/v1/traces/{_trace_of(service, question)}")["outcome"] == "cancelled"


def _request(service: Service, body: Mapping[str, Any]) -> bytes:
    """A chat completion as it goes over the wire; no client lets go of a request as plainly as a bare socket."""
    content = json.dumps(body).encode()
    head = [
        "POST /v1/chat/completions HTTP/1.1",
        f"Host: {service.address.netloc}",
        f"Authorization: Bearer {service.key}",
        f"Content-Length: {len(content)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + content


def _trace_of(service: Service, question: str) -> str:
    """The id of the question's trace; waits for it, because the service writes it after the client has gone."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for trace in service.get("/v1/traces")["traces"]:
            if trace["question"] == question:
                return str(trace["id"])
    raise AssertionError("no trace was written")
