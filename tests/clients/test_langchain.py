"""LangChain's ChatPremAI: invoke, stream and templates as its users call them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.clients.corpus import ANSWER, QUESTION, assert_sources
from tests.clients.model_tools import CALLED, TOOLS, two_calls
from tests.clients.service_process import Service
from tests.clients.vendor_process import chat_arguments, run_python
from tests.doubles.openai_server import OpenAIServer

pytestmark = pytest.mark.peer


def ask(
    service: Service, mode: str, repository_id: int, *, model_name: str | None = None, **request: Any
) -> dict[str, Any]:
    """What ChatPremAI returned for a question about the corpus."""
    model = {
        "project_id": 1,
        "model": model_name,
        "repositories": {"ids": [repository_id], "limit": 3},
        "streaming": mode == "stream",  # unset, `stream` asks for a whole answer
    }
    arguments = chat_arguments(service.url, service.key, mode, {"model": model, **request})
    outcome: dict[str, Any] = json.loads(run_python("langchain", "langchain_chat.py", *arguments))
    return outcome


def test_invoke_answers_with_sources(service: Service, repository_id: int) -> None:
    answer = ask(service, "invoke", repository_id, question=QUESTION)
    assert ANSWER in answer["content"]
    assert answer["tool_calls"] == []
    assert_sources(answer["document_chunks"], repository_id, "sparky.md")


def test_stream_is_the_same_answer_in_pieces(service: Service, repository_id: int) -> None:
    whole = ask(service, "invoke", repository_id, question=QUESTION)
    pieces = ask(service, "stream", repository_id, question=QUESTION)["pieces"]
    assert "".join(pieces) == whole["content"]
    assert len(pieces) > 1


def test_a_template_is_filled_in_by_message_id(service: Service, repository_id: int) -> None:
    content = "Where does ${name} charge its battery at night?"
    template = service.post("/v1/templates", json={"name": "LangChain's dog", "content": content})
    answer = ask(
        service,
        "invoke",
        repository_id,
        question="Sparky",
        template={"id": template["id"], "param": "name"},
    )
    assert ANSWER in answer["content"]


def test_tool_calls_arrive_as_dictionaries(service: Service, repository_id: int, model_server: OpenAIServer) -> None:
    model_server.script(two_calls())
    answer = ask(service, "invoke", repository_id, question=QUESTION, tools=TOOLS, model_name="openai/gpt-test")
    assert [called["args"] for called in answer["tool_calls"]] == CALLED
