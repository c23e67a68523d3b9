"""OpenAI's own clients and its newer fields: formats, several answers, hints for the provider, errors worth a retry."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.clients.corpus import QUESTION, user
from tests.clients.openai_clients import EVERY_CLIENT, Client, text_of
from tests.clients.service_process import Service
from tests.doubles.openai_server import DONE, OpenAIServer, Reply, delta, finish, refuse, say

pytestmark = [pytest.mark.peer, EVERY_CLIENT]

MODEL = "openai/gpt-test"
LOAN = {"who": "Ada", "days": 5}
HINTS: dict[str, Any] = {
    "logit_bias": {"50256": -100},
    "parallel_tool_calls": False,
    "prompt_cache_key": "key",
    "reasoning_effort": "low",
    "safety_identifier": "hash",
    "service_tier": "flex",
    "verbosity": "low",
}


@pytest.mark.parametrize("way", ["parse", "add_up"])
def test_an_answer_is_parsed_into_the_clients_own_type(
    client: Client, service: Service, model_server: OpenAIServer, way: str
) -> None:
    written = json.dumps(LOAN)
    model_server.script(say(written[:9], written[9:]))
    outcome = client.ask(service, getattr(client, way), model=MODEL, messages=user("Who?"))
    assert outcome == {"parsed": [LOAN], "refusals": [None]}
    sent = model_server.requests[-1].body["response_format"]
    assert sent["json_schema"]["schema"]["required"] == ["who", "days"]


@pytest.mark.parametrize("way", ["parse", "add_up"])
def test_without_evidence_there_is_a_refusal_to_parse(
    client: Client, service: Service, repository_id: int, way: str
) -> None:
    nowhere = {"ids": [repository_id], "similarity_threshold": 1}
    outcome = client.ask(service, getattr(client, way), model=MODEL, messages=user(QUESTION), repositories=nowhere)
    assert outcome["parsed"] == [None]
    assert "I found nothing" in outcome["refusals"][0]


def test_a_models_refusal_is_the_clients_refusal(client: Client, service: Service, model_server: OpenAIServer) -> None:
    model_server.script(Reply([delta({"refusal": "I will not."}), finish(), DONE]))
    outcome = client.ask(service, client.parse, model=MODEL, messages=user("Who?"))
    assert outcome == {"parsed": [None], "refusals": ["I will not."]}


def test_an_answer_that_does_not_fit_is_an_error_and_not_asked_for_again(
    client: Client, service: Service, model_server: OpenAIServer
) -> None:
    model_server.script(say('{"who": "Ada"}'))
    outcome = client.ask(service, client.parse, model=MODEL, messages=user("Who?"))  # would try twice more by itself
    assert (outcome["error"], outcome["status"], outcome["param"]) == ("InternalServerError", 502, "response_format")
    assert len(model_server.requests) == 1


def test_three_answers(client: Client, service: Service, model_server: OpenAIServer) -> None:
    model_server.script(say("One."), say("Two."), say("Three."))
    answer = client.ask(service, client.whole, model=MODEL, messages=user("Well?"), n=3)
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert {choice["message"]["content"] for choice in answer["choices"]} == {"One.", "Two.", "Three."}


def test_three_streamed_answers(client: Client, service: Service, model_server: OpenAIServer) -> None:
    model_server.script(say("O", "ne."), say("T", "wo."), say("Thr", "ee."))
    chunks = client.ask(service, client.stream, model=MODEL, messages=user("Well?"), n=3)["chunks"]
    said = {
        text_of({"chunks": [chunk for chunk in chunks if chunk["choices"][0]["index"] == number]})
        for number in range(3)
    }
    assert said == {"One.", "Two.", "Three."}
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[-3:]] == ["stop"] * 3
    assert chunks[-1]["usage"]["total_tokens"] == 30


def test_hints_reach_the_provider(client: Client, service: Service, model_server: OpenAIServer) -> None:
    model_server.script(say("Yes."))
    client.ask(service, client.whole, model=MODEL, messages=user("Sure?"), **HINTS)
    sent = model_server.requests[-1].body
    assert {name: sent[name] for name in HINTS} == HINTS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("logprobs", True),
        ("functions", [{"name": "look", "parameters": {}}]),
        ("modalities", ["text", "audio"]),
        ("web_search_options", {}),
        ("prediction", {"type": "content", "content": "x"}),
    ],
)
def test_what_is_refused_is_refused_by_name(client: Client, service: Service, field: str, value: Any) -> None:
    outcome = client.ask(service, client.whole, messages=user(QUESTION), **{field: value})
    assert (outcome["error"], outcome["status"], outcome["param"]) == ("BadRequestError", 400, field)
    assert uuid.UUID(outcome["request_id"])


def test_a_limit_says_when_to_come_again(client: Client, service: Service, model_server: OpenAIServer) -> None:
    model_server.script(refuse(429, "slow down", headers={"retry-after": "30"}))  # longer than the service waits
    outcome = client.ask(service, client.whole, model=MODEL, messages=user("Well?"), max_retries=0)
    assert (outcome["error"], outcome["status"], outcome["retry_after"]) == ("RateLimitError", 429, "30")
    assert (outcome["code"], outcome["type"]) == ("rate_limit_exceeded", "requests")


@pytest.mark.parametrize("mode", ["whole", "stream"])
@pytest.mark.parametrize(
    "reply",
    [
        refuse(401, "bad key"),
        refuse(418),
        Reply([b"data: {not json\n\n"]),
        Reply([b"<html>"], content_type="text/html"),
    ],
    ids=["wrong-key", "teapot", "rubbish", "html"],
)
def test_a_failing_provider_is_a_server_error_and_the_next_request_works(
    client: Client, service: Service, model_server: OpenAIServer, mode: str, reply: Reply
) -> None:
    model_server.script(*[reply] * 3)
    request: dict[str, Any] = {"model": MODEL, "messages": user("Well?")}
    outcome = client.ask(service, getattr(client, mode), **request, max_retries=0)
    assert (outcome["error"], outcome["status"]) == ("InternalServerError", 502)
    assert uuid.UUID(outcome["request_id"])
    trace = service.get(f"/v1/traces/{outcome['request_id']}")
    assert (trace["outcome"], trace["detail"]["error"]) == ("error", outcome["message"])
    model_server.clear()
    model_server.script(say("Yes."))
    assert client.ask(service, client.whole, **request)["choices"][0]["message"]["content"] == "Yes."


@pytest.mark.parametrize("base", ["/openai/v1", "/api/v1"])
def test_other_paths(client: Client, service: Service, repository_id: int, base: str) -> None:
    where = {"ids": [repository_id]}
    answer = client.ask(service, client.whole, messages=user(QUESTION), repositories=where, base=base)
    assert answer["document_chunks"]
    chunks = client.ask(service, client.stream, messages=user(QUESTION), repositories=where, base=base)["chunks"]
    assert text_of({"chunks": chunks}) == answer["choices"][0]["message"]["content"]
