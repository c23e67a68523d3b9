"""What each of Prem's clients shows of a refusal: where nothing is shown, it is the client that looks away."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.corpus import user
from tests.clients.prem_clients import CLIENTS, EVERY_CLIENT, ask, is_node, text_of
from tests.clients.service_process import Service
from tests.clients.vendor_process import ClientProcess
from tests.doubles.openai_server import CUT, OpenAIServer, refuse, say

pytestmark = pytest.mark.peer

MODEL = "openai/gpt-test"
ATTEMPTS = 3  # the first, and `FOOTNOTE_MODEL_RETRIES`


def assert_still_answers(client: ClientProcess, service: Service, model_server: OpenAIServer) -> None:
    model_server.clear()
    model_server.script(say("Still ", "here."))
    assert text_of(ask(client, service, "stream", model=MODEL, messages=user("Who is Sparky?"))) == "Still here."


@EVERY_CLIENT
@pytest.mark.parametrize(
    ("answered", "status", "code"),
    [
        (401, 502, "ProviderAPIStatusError"),  # the service's key is refused, not the client's
        (429, 429, "RateLimitError"),
        (500, 502, "ProviderAPIStatusError"),
    ],
)
def test_a_providers_refusal_comes_through(
    client: ClientProcess, service: Service, model_server: OpenAIServer, answered: int, status: int, code: str
) -> None:
    model_server.script(*[refuse(answered, "provider says no", headers={"retry-after": "0"})] * ATTEMPTS)
    error = ask(client, service, "sync", model=MODEL, messages=user("Who is Sparky?"))["error"]
    assert error.get("status", status) == status  # prem-sdk throws the body alone
    assert error["statusCode"] == status
    assert error["code"] == code
    assert error["message"]
    assert service.get(f"/v1/traces/{error['trace_id']}")["outcome"] == "error"
    assert_still_answers(client, service, model_server)


@EVERY_CLIENT
@pytest.mark.parametrize("wrong", [{"key": "fn-wrong-0123456789abcdef"}, {"model": "footnote/none"}, {"messages": []}])
def test_of_a_refused_stream_only_prem_sdk_shows_why(
    client: ClientProcess, service: Service, model_server: OpenAIServer, wrong: Any
) -> None:
    """premai looks at no status of a stream: it is empty (0.3.25: over with a None), and without a trace."""
    outcome = ask(client, service, "stream", **{"messages": user("Who is Sparky?"), **wrong})
    if is_node(client):
        body = outcome["error"]["unread"]
        assert body["message"]
        assert body["statusCode"] in (400, 401, 404)
    else:
        assert (outcome["chunks"], outcome["trace_id"]) == ([], None)
        assert ("raised" in outcome) is (client is CLIENTS["premai-0.3.25"])
    assert_still_answers(client, service, model_server)


@EVERY_CLIENT
def test_of_a_stream_that_breaks_off_no_client_shows_more_than_half(
    client: ClientProcess, service: Service, model_server: OpenAIServer
) -> None:
    """No finish reason says so, and the trace says why."""
    model_server.script(say("Half ", CUT))
    streamed = ask(client, service, "stream", model=MODEL, messages=user("Who is Sparky?"))
    assert text_of(streamed) == "Half "
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in streamed["chunks"])
    if client is CLIENTS["premai-0.3.25"]:
        assert "KeyError" in streamed["raised"]  # an error event is no completion
    else:
        assert service.get(f"/v1/traces/{streamed['trace_id']}")["outcome"] == "error"
    assert_still_answers(client, service, model_server)


@EVERY_CLIENT
def test_a_million_characters_are_too_long_a_question(client: ClientProcess, service: Service) -> None:
    error = ask(client, service, "sync", messages=user("Who is Sparky? " * 70_000))["error"]
    assert error["code"] == "ValidationError"
    assert "32000" in error["message"]


def test_without_a_key_only_prem_sdk_sends_anything(service: Service) -> None:
    for name, client in CLIENTS.items():
        request = {"project_id": 1, "messages": user("Who is Sparky?")}
        if is_node(client):
            assert client.ask(service.url, "", "sync", request)["error"]["code"] == "AuthenticationError"
        else:  # "Bearer " with nothing after it is no header to httpx
            assert "Illegal header value" in client.ask(service.url, "", "stream", request)["raised"], name
