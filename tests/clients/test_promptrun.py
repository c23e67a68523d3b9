"""The requests of Promptrun's SDK: a prompt fetched, followed, and asked with."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.clients.corpus import user
from tests.clients.service_process import Service
from tests.clients.vendor_process import ClientProcess, node_command
from tests.doubles.openai_server import OpenAIServer, say

pytestmark = pytest.mark.peer

PROCESS = ClientProcess(partial(node_command, "promptrun.mjs"))
MODEL = "openai/gpt-test"


@pytest.fixture(scope="module", autouse=True)
def _end_the_client(service: Service) -> Iterator[None]:
    yield
    PROCESS.close()


@pytest.fixture
def prompt_id(service: Service, request: pytest.FixtureRequest) -> str:
    """A saved prompt of one version."""
    made = service.post(
        "/v1/prompts",
        json={
            "name": request.node.name,
            "messages": [{"role": "user", "content": "Who is {{name}}?"}],
            "params": {"temperature": 0.25},
            "tag": "live",
        },
    )
    number: str = made["prompt_id"]
    return number


def asked(service: Service, mode: str, **request: Any) -> dict[str, Any]:
    return PROCESS.ask(service.url, request.pop("key", service.key), mode, request)


def test_a_prompt(service: Service, prompt_id: str) -> None:
    prompt = asked(service, "prompt", projectId=prompt_id, tag="live")
    assert (prompt["prompt"], prompt["version"], prompt["tag"], prompt["temperature"]) == (
        "Who is {{name}}?",
        1,
        "live",
        0.25,
    )
    assert prompt.keys() >= {"id", "createdAt", "updatedAt", "versionMessage", "user", "project", "model"}
    assert prompt["project"]["id"] == prompt_id


def test_it_is_followed(service: Service, prompt_id: str) -> None:
    added = {"messages": [{"role": "user", "content": "And who is {{name}}?"}]}
    followed = asked(service, "follow", projectId=prompt_id, add=added)["versions"]
    assert [version["version"] for version in followed] == [1, 2]
    assert [version["prompt"] for version in followed] == ["Who is {{name}}?", "And who is {{name}}?"]


def test_it_is_asked_with(service: Service, model_server: OpenAIServer, prompt_id: str) -> None:
    version = asked(service, "prompt", projectId=prompt_id)["id"]
    model_server.script(say("A ", "dog."), say("A ", "cat."))
    cached = asked(service, "complete", model=MODEL, messages=[], promptId=version, variables={"name": "Sparky"})
    assert (cached["text"], cached["usage"]["total_tokens"]) == ("A dog.", 10)
    sent = model_server.requests[-1].body
    assert (sent["messages"], sent["temperature"]) == ([{"role": "user", "content": "Who is Sparky?"}], 0.25)
    own = asked(service, "complete", model=MODEL, messages=user("Who is Tom?"), promptId=version)
    assert own["text"] == "A cat."
    assert model_server.requests[-1].body["messages"] == user("Who is Tom?")


@pytest.mark.parametrize("mode", ["prompt", "follow"])
def test_errors(service: Service, prompt_id: str, mode: str) -> None:
    assert asked(service, mode, projectId=prompt_id, key="fn-wrong-0123456789abcdef")["status"] == 401
    assert asked(service, mode, projectId="nothing")["status"] == 404
    refused = asked(service, "complete", model=MODEL, messages=[], promptId="nothing")
    assert (refused["status"], refused["body"]["error"]["param"]) == (404, "HTTP-Prompt-Id")
