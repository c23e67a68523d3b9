"""premai 0.5 and later speak OpenAI's format under /api/v1: the last of them, as it is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.clients.corpus import ANSWER, QUESTION, assert_sources, user
from tests.clients.model_tools import CALLED, TOOLS, two_calls
from tests.clients.service_process import Service
from tests.clients.vendor_process import ClientProcess, python_command
from tests.doubles.openai_server import OpenAIServer

pytestmark = pytest.mark.peer

PROCESS = ClientProcess(partial(python_command, "premai-studio", "premai_studio.py"))


@pytest.fixture(scope="module", autouse=True)
def _end_the_client(service: Service) -> Iterator[None]:
    yield
    PROCESS.close()


def ask(service: Service, mode: str = "chat", **request: Any) -> dict[str, Any]:
    key = request.pop("key", service.key)
    return PROCESS.ask(service.url, key, mode, {"model": "footnote/extractive", "messages": user(QUESTION), **request})


def test_an_answer_has_its_sources(service: Service, repository_id: int) -> None:
    answer = ask(service, extra_body={"repositories": {"ids": [repository_id]}}, max_completion_tokens=200, stop=["@"])
    assert ANSWER in answer["choices"][0]["message"]["content"]
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert_sources(answer["document_chunks"], repository_id, "sparky.md")


def test_a_stream_is_text_to_this_client(service: Service, repository_id: int) -> None:
    streamed = ask(service, "raw", stream=True, extra_body={"repositories": {"ids": [repository_id]}})["text"]
    assert streamed.startswith('event: completion\ndata: {"id":"chatcmpl-')
    assert "event: done\ndata:[DONE]\n" in streamed


def test_tools(service: Service, model_server: OpenAIServer) -> None:
    model_server.script(two_calls())
    answer = ask(service, model="openai/gpt-test", tools=TOOLS, tool_choice="auto")
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert [call["function"]["name"] for call in choice["message"]["tool_calls"]] == ["find_shelf"] * len(CALLED)


@pytest.mark.parametrize(
    ("change", "error", "status"),
    [
        ({"key": "fn-wrong-0123456789abcdef"}, "AuthenticationError", 401),
        ({"model": "footnote/no-such-model"}, "NotFoundError", 404),
        ({"temperature": 3}, "BadRequestError", 400),
    ],
    ids=["wrong-key", "unknown-model", "invalid"],
)
def test_an_error_is_of_its_type(service: Service, change: dict[str, Any], error: str, status: int) -> None:
    outcome = ask(service, **change)
    assert (outcome["error"], outcome["status"]) == (error, status)
    assert outcome["message"]
