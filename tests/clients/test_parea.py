"""parea-ai reads the service's answers, streams, deployments, logs and errors; nothing but its base URL is changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from tests.clients.corpus import ANSWER, HOSTILE_ANSWER, HOSTILE_QUESTION, QUESTION
from tests.clients.model_tools import TOOLS
from tests.clients.parea_client import ask
from tests.clients.service_process import Service
from tests.doubles.openai_server import CUT, DONE, OpenAIServer, Reply, call, finish, say

pytestmark = pytest.mark.peer
WHOLE = pytest.mark.parametrize("mode", ["completion", "acompletion"])
STREAM = pytest.mark.parametrize("mode", ["stream", "astream"])


def asked(question: str = "Who?", model: str = "gpt-test", provider: str = "openai", **more: Any) -> dict[str, Any]:
    """A completion as the SDK's dataclasses take it."""
    messages = [{"role": "user", "content": question}]
    configuration = {"model": model, "provider": provider, "messages": messages}
    return {"llm_configuration": {**configuration, **more.pop("llm_configuration", {})}, "cache": False, **more}


@pytest.fixture
def searched(service: Service, repository_id: int) -> Any:
    """The project searches the two small files: this client cannot name repositories."""
    before = service.get("/v1/project")["repository_ids"]
    service.patch("/v1/project", json={"repository_ids": [repository_id]})
    yield
    service.patch("/v1/project", json={"repository_ids": before})


@WHOLE
def test_a_whole_answer_comes_from_the_projects_documents(mode: str, service: Service, searched: None) -> None:
    answer = ask(service, mode, **asked(QUESTION, "extractive", "footnote"))
    assert ANSWER in answer["content"]
    assert (answer["model"], answer["provider"], answer["status"]) == ("extractive", "footnote", "success")
    assert answer["total_tokens"] == answer["input_tokens"] + answer["output_tokens"] > 0
    assert answer["latency"] > 0
    assert answer["error"] is None
    trace = service.get(f"/v1/traces/{answer['inference_id']}")
    assert trace["detail"]["document_chunks"]


@STREAM
def test_a_stream_is_the_answer_in_pieces(mode: str, service: Service, searched: None) -> None:
    heard = ask(service, mode, **asked(QUESTION, "extractive", "footnote"))
    chunks = heard["chunks"]
    assert "Error" not in heard["printed"]
    assert (chunks[0], chunks[-1]) == ("", "")  # the id before, the sources after
    assert ANSWER in "".join(chunks)


@STREAM
def test_words_of_the_wire_arrive_intact(mode: str, service: Service, searched: None) -> None:
    chunks = ask(service, mode, **asked(HOSTILE_QUESTION, "extractive", "footnote"))["chunks"]
    assert HOSTILE_ANSWER in "".join(chunks)


@STREAM
def test_many_and_long_pieces_arrive_each_and_whole(mode: str, service: Service, model_server: OpenAIServer) -> None:
    pieces = [f"{number} data: ID_START ✓ " for number in range(300)] + ["é" * 15_000]
    model_server.script(say(*pieces))
    assert "".join(ask(service, mode, **asked())["chunks"]) == "".join(pieces)
    # What follows is read by itself, as a packet is: nothing of it may be longer than one.
    model_server.script(say(*pieces))
    headers = {"x-api-key": service.key, "x-sdk-version": "0.2.220"}
    path = f"{service.url}/api/parea/v1/completion/stream"
    streamed = httpx2.post(path, json=asked(), headers=headers, timeout=60).content
    assert max(len(event) for event in streamed.split(b"\r\n\r\n")) < 1_400


@STREAM
def test_an_answer_that_breaks_off_raises(mode: str, service: Service, model_server: OpenAIServer) -> None:
    model_server.script(say("Half ", CUT))
    outcome = ask(service, mode, **asked())
    assert outcome["error"] == "RemoteProtocolError"


def test_inputs_functions_and_parameters_reach_the_model(service: Service, model_server: OpenAIServer) -> None:
    model_server.script(Reply([*call(0, "call_1", "find_shelf", ('{"title": "Emma"}',)), finish("tool_calls"), DONE]))
    function = TOOLS[0]["function"]
    configuration = {"functions": [function], "function_call": "auto", "model_params": {"temp": 0.25, "max_length": 7}}
    answer = ask(
        service,
        "completion",
        **asked("Where is {{title}}?", llm_inputs={"title": "Emma"}, llm_configuration=configuration),
    )
    (called,) = json.loads(answer["content"])
    assert called["function"] == {"name": "find_shelf", "arguments": {"title": "Emma"}}
    sent = model_server.requests[-1].body
    assert sent["messages"][-1]["content"] == "Where is Emma?"
    assert sent["tools"] == [{"type": "function", "function": function}]
    assert (sent["temperature"], sent["tool_choice"]) == (0.25, "auto")


def test_a_deployment_is_looked_at_and_used(service: Service, model_server: OpenAIServer) -> None:
    saved = {
        "name": "shelf finder",
        "messages": [{"role": "user", "content": "Where is {{title}}?"}],
        "model": "openai/deployed",
        "params": {"temperature": 0.5},
        "functions": [TOOLS[0]["function"]],
        "function_call": "auto",
    }
    deployment = service.post("/v1/prompts", json=saved)["prompt_id"]
    shown = ask(service, "prompt", deployment_id=deployment, llm_inputs={"title": "Emma"})
    assert shown["prompt"]["messages"] == [{"role": "user", "content": "Where is Emma?"}]
    assert json.loads(shown["functions"][0]) == TOOLS[0]["function"]
    assert (shown["model"], shown["version_number"], shown["model_params"]) == ("deployed", 1.0, {"temp": 0.5})
    model_server.script(say("On shelf 3."))
    answer = ask(service, "completion", deployment_id=deployment, llm_inputs={"title": "Emma"}, cache=False)
    assert (answer["content"], answer["model"]) == ("On shelf 3.", "deployed")
    sent = model_server.requests[-1].body
    assert (sent["temperature"], sent["messages"][-1]["content"]) == (0.5, "Where is Emma?")


def test_decorated_functions_are_a_tree_with_the_completion_inside(
    service: Service, model_server: OpenAIServer
) -> None:
    model_server.script(say("Emma."))
    made = ask(service, "traced", **asked())
    tree = ask(service, "log", trace_id=made["chain"])
    assert (tree["trace_name"], tree["output"], tree["status"]) == ("chain", "Emma.!", "success")
    assert (tree["metadata"], tree["end_user_identifier"]) == ({"who": "ann"}, "ann")
    (step,) = tree["children_logs"]
    assert (step["trace_id"], step["trace_name"], step["tags"]) == (made["step"], "step", ["inner"])
    (inner,) = step["children_logs"]
    assert (inner["output"], inner["configuration"]["model"]) == ("Emma.", "gpt-test")
    found = ask(
        service,
        "logs",
        project_name="vendors",
        filter_field="trace_name",
        filter_operator="equals",
        filter_value="chain",
    )
    assert made["chain"] in {each["trace_id"] for each in found["results"]}
    assert found["page"] == 1


def test_a_tree_outside_the_sample_is_kept_nowhere(service: Service, model_server: OpenAIServer) -> None:
    model_server.script(say("Emma."))
    made = ask(service, "traced", rate=0.0, **asked())
    for kept in ("chain", "step"):
        assert service.status(f"/v1/traces/{made[kept]}") == 404


def test_feedback_stands_in_the_log(service: Service, model_server: OpenAIServer) -> None:
    model_server.script(say("Emma."))
    answer = ask(service, "completion", **asked())
    given = {"trace_id": answer["inference_id"], "score": 0.75, "target": "Emma"}
    assert ask(service, "feedback", **given)["returned"] is None
    assert ask(service, "log", trace_id=answer["inference_id"])["feedback_score"] == 0.75


@pytest.mark.slow
def test_an_unknown_deployment_raises_after_three_attempts(service: Service) -> None:
    outcome = ask(service, "completion", deployment_id="never-made")
    assert (outcome["error"], outcome["cause"]) == ("RetryError", "HTTPStatusError")
    assert "404" in outcome["message"]


@pytest.mark.slow
def test_an_invalid_request_says_what_is_wrong(service: Service) -> None:
    outcome = ask(service, "completion", **asked(log_sample_rate=7.0))
    assert (outcome["error"], outcome["cause"]) == ("RetryError", "HTTPStatusError")
    assert "log_sample_rate" in outcome["message"]


@pytest.mark.parametrize(
    ("change", "error"),
    [({"deployment_id": "never-made"}, "HTTPStatusError"), ({"log_sample_rate": 7.0}, "ResponseNotRead")],
)
@STREAM
def test_a_stream_that_cannot_begin_raises(mode: str, service: Service, change: Mapping[str, Any], error: str) -> None:
    assert ask(service, mode, **asked(**change))["error"] == error


@pytest.mark.slow
def test_a_wrong_key_has_no_project(service: Service) -> None:
    assert ask(service, "project", key="fn-wrong-0123456789abcdef")["project_uuid"] == ""
