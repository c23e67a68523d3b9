"""LangChain's ChatPremAI: invoke, stream and templates as its users call them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.corpus import ANSWER, QUESTION, assert_sources
from tests.clients.langchain_client import ask
from tests.clients.model_tools import CALLED, TOOLS, two_calls
from tests.clients.service_process import Service
from tests.doubles.openai_server import OpenAIServer, say

pytestmark = pytest.mark.peer

MODEL = "openai/gpt-test"


def test_invoke_answers_with_sources(service: Service, repository_id: int) -> None:
    answer = ask(service, "invoke", QUESTION, repository_id)
    assert ANSWER in answer["content"]
    assert answer["tool_calls"] == []
    assert_sources(answer["document_chunks"], repository_id, "sparky.md")


def test_stream_is_the_same_answer_in_pieces(service: Service, repository_id: int) -> None:
    whole = ask(service, "invoke", QUESTION, repository_id)
    pieces = ask(service, "stream", QUESTION, repository_id)["pieces"]
    assert "".join(pieces) == whole["content"]
    assert len(pieces) > 1


def test_a_template_is_filled_in_by_message_id(service: Service, repository_id: int) -> None:
    content = "Where does ${name} charge its battery at night?"
    template = service.post("/v1/templates", json={"name": "LangChain's dog", "content": content})
    answer = ask(service, "invoke", "Sparky", repository_id, template={"id": template["id"], "param": "name"})
    assert ANSWER in answer["content"]


def test_tool_calls_arrive_as_dictionaries(service: Service, repository_id: int, model_server: OpenAIServer) -> None:
    model_server.script(two_calls())
    answer = ask(service, "invoke", QUESTION, repository_id, tools=TOOLS, model=MODEL)
    assert [called["args"] for called in answer["tool_calls"]] == CALLED


def test_a_stream_passes_the_models_pieces_on_as_they_come(
    service: Service, repository_id: int, model_server: OpenAIServer
) -> None:
    model_server.script(say("Under ", "the front ", "stairs [1]."))
    streamed = ask(service, "stream", QUESTION, repository_id, model=MODEL)
    assert [piece for piece in streamed["pieces"] if piece] == ["Under ", "the front ", "stairs [1]."]
    sent = model_server.requests[-1].body["messages"]
    assert "Answer from the sources." in sent[0]["content"]  # LangChain's system message
    assert ANSWER in sent[0]["content"]
    assert sent[-1] == {"role": "user", "content": QUESTION}


@pytest.mark.parametrize(
    ("wrong", "says"), [({"model": "footnote/none"}, "footnote/none"), ({"repository_id": 999_999}, "999999")]
)
def test_a_refusal_is_raised_with_its_message(service: Service, wrong: dict[str, Any], says: str) -> None:
    raised = ask(service, "invoke", QUESTION, **wrong)
    assert raised["raised"] == "UnexpectedStatus"
    assert says in raised["says"]
    # Of a stream premai shows no status, and LangChain misses its pieces.
    assert ask(service, "stream", QUESTION, **wrong) == {
        "raised": "ValueError",
        "says": "No generation chunks were returned",
    }
