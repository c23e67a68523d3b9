"""The requests that Promptrun and the chatbot document, as printed there but for host and key."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.clients.corpus import ANSWER, QUESTION
from tests.clients.service_process import Service, running_service
from tests.clients.vendor_process import VENDORS
from tests.doubles.anthropic_server import AnthropicServer, answer, text

CURL, CONVERSATION, CHATBOT = (
    (VENDORS / "sh" / name).read_text()
    for name in ("document_002.sh", "document_002_conversation.json", "document_001.json")
)
FACT = "A day on Venus is longer than its year."


@pytest.fixture(scope="module")
def provider() -> Iterator[AnthropicServer]:
    with AnthropicServer() as server:
        yield server


@pytest.fixture(scope="module")
def promptrun(provider: AnthropicServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service whose `anthropic/...` models are scripted."""
    environment = {"ANTHROPIC_BASE_URL": provider.url, "ANTHROPIC_API_KEY": "sk-test"}
    with running_service(tmp_path_factory.mktemp("promptrun"), environment) as running:
        yield running


def test_the_curl_of_document_002(promptrun: Service, provider: AnthropicServer) -> None:
    shell, curl = shutil.which("bash"), shutil.which("curl")
    if not shell or not curl:
        if os.environ.get("FOOTNOTE_REQUIRE_PEERS") == "1":
            pytest.fail("the documented line needs bash and curl")
        pytest.skip("the documented line needs bash and curl")
    provider.script(answer(text(0, FACT)))
    line = CURL.replace("https://api.promptrun.ai", promptrun.url).replace("<API_KEY>", promptrun.key)
    assert line.count(promptrun.url) == line.count(promptrun.key) == 1
    printed = subprocess.run([shell, "-c", line], capture_output=True, text=True, check=True, timeout=60).stdout
    _assert_documented(json.loads(printed), FACT)
    sent = provider.requests[-1].body
    assert (sent["model"], sent["temperature"], sent["top_p"]) == ("claude-3.5-haiku", 0.5, 1)
    assert sent["messages"] == [{"role": "user", "content": "Tell me a fun fact about space."}]


def test_the_conversation_of_document_002(promptrun: Service, provider: AnthropicServer) -> None:
    provider.script(answer(text(0, "Nobody is sure.")))
    _assert_documented(promptrun.post("/v1/chat/completions", content=CONVERSATION.encode()), "Nobody is sure.")
    roles = [message["role"] for message in provider.requests[-1].body["messages"]]
    assert roles == ["user", "assistant", "user"]


def test_the_request_of_document_001(service: Service, repository_id: int) -> None:
    """Its values are names of types; a model, a role and a question take their places, and nothing else changes."""
    request: dict[str, Any] = json.loads(CHATBOT)
    assert (request["max_tokens"], request["n"]) == (0, 1)
    request |= {"model": "default", "messages": [{"role": "user", "content": QUESTION}]}
    answered = service.post("/v1/chat/completions", json=request)
    assert ANSWER in answered["choices"][0]["message"]["content"]
    as_printed = httpx2.post(
        f"{service.url}/v1/chat/completions", content=CHATBOT, headers={"Authorization": f"Bearer {service.key}"}
    )
    assert as_printed.status_code == 400
    assert as_printed.json()["error"]["param"] == "messages.role"


def _assert_documented(completion: dict[str, Any], said: str) -> None:
    assert completion["id"].startswith("chatcmpl-")
    assert completion["object"] == "chat.completion"
    assert isinstance(completion["created"], int)
    assert completion["model"] == "anthropic/claude-3.5-haiku"
    (choice,) = completion["choices"]
    assert choice["index"] == 0
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"] == said
    assert completion["usage"]["total_tokens"] > 0
