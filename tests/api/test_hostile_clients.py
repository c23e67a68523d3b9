"""A client that hangs up, in every format: the model is let go at once, and the trace says what happened."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.api.hostile import WAYS, Way, said
from tests.api.library import holdings
from tests.doubles.openai_server import OpenAIServer, say
from tests.doubles.service import ADMIN_KEY, RunningService

PATIENCE_S = 30.0  # only ever spent by a test that is about to fail
STREAMS = [way for way in WAYS if way.stream]


@pytest.fixture(params=WAYS, ids=lambda way: way.name)
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found


@pytest.fixture(autouse=True)
def _nothing_is_remembered_and_the_next_request_works(
    way: Way, service: RunningService, api: httpx2.Client, model_server: OpenAIServer
) -> Iterator[None]:
    model_server.clear()
    before = holdings(service)
    yield
    assert holdings(service) == before
    model_server.clear()
    model_server.script(say("Fine."))
    answer = way.post(api, way.body(said("Are you well?")))
    assert (answer.status_code, way.words(answer.content)) == (200, "Fine.")


async def ask(way: Way, service: RunningService, question: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The request on a bare connection: no client lets go as plainly."""
    address = urlsplit(service.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    content = json.dumps(way.body(said(question))).encode()
    headers = {
        "host": address.netloc,
        "authorization": f"Bearer {ADMIN_KEY}",
        "content-length": str(len(content)),
        **way.headers,
    }
    head = [f"POST {way.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    writer.write("\r\n".join(head).encode() + content)
    return reader, writer


def trace_of(api: httpx2.Client, question: str) -> dict[str, Any]:
    """The question's trace; waits for it, because the service writes it after the client has gone."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for trace in api.get("/v1/traces", params={"limit": 5}).json()["traces"]:
            if trace["question"] == question:
                found: dict[str, Any] = api.get(f"/v1/traces/{trace['id']}").json()
                return found
    raise AssertionError("no trace was written")


async def test_before_the_first_word(
    way: Way, service: RunningService, api: httpx2.Client, model_server: OpenAIServer
) -> None:
    question, gate = f"Is anybody there? {uuid.uuid4()}", model_server.gate()
    model_server.script(replace(say("never said"), before_headers=gate))
    _, connection = await ask(way, service, question)
    assert await gate.reached()
    connection.close()
    assert await model_server.requests[-1].client_gone()
    trace = trace_of(api, question)
    assert (trace["outcome"], trace["detail"]["answer"]) == ("cancelled", "")


@pytest.mark.parametrize("way", STREAMS, ids=lambda way: way.name, indirect=True)
async def test_in_the_middle_of_the_stream(
    way: Way, service: RunningService, api: httpx2.Client, model_server: OpenAIServer
) -> None:
    question = f"Is anybody there? {uuid.uuid4()}"
    model_server.script(say("I am ", model_server.gate(), "never said"))
    reader, connection = await ask(way, service, question)
    await reader.readuntil(b"I am ")
    connection.close()
    assert await model_server.requests[-1].client_gone()
    trace = trace_of(api, question)
    assert (trace["outcome"], trace["detail"]["answer"]) == ("cancelled", "I am ")


async def test_while_a_whole_answer_is_being_written(
    way: Way, service: RunningService, api: httpx2.Client, model_server: OpenAIServer
) -> None:
    if way.stream:
        pytest.skip("see above")
    question, gate = f"Is anybody there? {uuid.uuid4()}", model_server.gate()
    model_server.script(say("I am ", gate, "never said"))
    _, connection = await ask(way, service, question)
    assert await gate.reached()
    connection.close()
    assert await model_server.requests[-1].client_gone()
    assert trace_of(api, question)["outcome"] == "cancelled"
