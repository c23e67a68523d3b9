"""What documented fields do where no other test asks: bookkeeping, sampling, and what is not to be written down."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.api.library import PAGES, QUESTION, Library, make_key, make_project, upload
from tests.api.parea import BASE, COMPLETION, body, fault, log
from tests.doubles.openai_server import OpenAIServer, say
from tests.doubles.service import RunningService

USER = {"X-User-ID": "fields"}


@pytest.fixture(autouse=True)
def model(model_server: OpenAIServer) -> Iterator[OpenAIServer]:
    model_server.clear()
    model_server.script(*[say("Rain.")] * 3)
    yield model_server
    model_server.clear()


def ok(response: httpx2.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


def everything(service: RunningService) -> str:
    """All that the database holds, as text."""
    with contextlib.closing(sqlite3.connect(service.settings.data_dir / "footnote.sqlite")) as database:
        return "\n".join(database.iterdump())


def test_gists_temperature_reaches_the_model(service: RunningService, model: OpenAIServer) -> None:
    with service.client(make_key(service, make_project(service, "Warm"))) as client:
        shelf = client.post("/v1/repositories", json={"name": "Tools"}).json()["id"]
        upload(client, shelf, "tools.md", PAGES["tools.md"])
        assert client.patch("/v1/project", json={"model": "openai/gpt-test"}).status_code == 200
        ok(client.post("/v1/chat", json={"user_prompt": QUESTION, "temperature": 0.3}, headers=USER))
    assert model.requests[-1].body["temperature"] == 0.3


def test_related_questions_are_as_many_and_as_long_as_asked(api: httpx2.Client, library: Library) -> None:
    asked: dict[str, Any] = {"user_prompt": QUESTION, "inclusion_list": [str(library.repository)]}
    place = ok(api.post("/v1/chat", json=asked, headers=USER))
    where = {"thread_id": place["thread_id"], "turn_id": place["turn_id"], "question": QUESTION}
    for most, longest in ((1, 14), (3, 6)):
        asked = {**where, "num_recommended_queries": most, "max_words_question": longest}
        found = ok(api.post("/v1/questions/related", json=asked, headers=USER))["questions"]["recommended_queries"]
        assert len(found["questions"]) <= most
        assert all(len(question.split()) <= longest for question in found["questions"])


def test_pareas_parameters_reach_the_model(api: httpx2.Client, model: OpenAIServer) -> None:
    sampling = {"top_p": 0.5, "frequency_penalty": 0.25, "presence_penalty": -0.25}
    shape = {"response_format": {"type": "json_object"}}
    params = {**sampling, **shape, "temp": 0.125, "max_length": 9, "model": "openai/gpt-test", "safe_prompt": False}
    model.clear()
    model.script(say("{}"))
    assert ok(api.post(COMPLETION, json=body(llm_configuration={"model_params": params})))["content"] == "{}"
    sent = model.requests[-1].body
    assert {name: sent[name] for name in (*sampling, *shape)} == {**sampling, **shape}
    assert (sent["temperature"], sent["max_completion_tokens"]) == (0.125, 9)
    safe = body(llm_configuration={"model_params": {"safe_prompt": True}})
    assert "Mistral" in fault(api.post(COMPLETION, json=safe), 422, "llm_configuration", "model_params", "safe_prompt")


def test_parea_searches_where_it_is_told(api: httpx2.Client, library: Library) -> None:
    for threshold, refused in ((0.1, False), (1, True)):
        where = {"ids": [library.repository], "limit": 1, "similarity_threshold": threshold}
        answer = ok(api.post(COMPLETION, json=body(QUESTION, model="footnote/extractive", repositories=where)))
        assert (answer["refused"], len(answer["document_chunks"])) == (refused, 0 if refused else 1)


@pytest.mark.parametrize(("id_name", "title"), [("trace_id", "trace_name"), ("inference_id", "name")])
@pytest.mark.parametrize("path", [COMPLETION, f"{COMPLETION}/stream"])
def test_what_a_completion_says_of_itself_is_kept(api: httpx2.Client, path: str, id_name: str, title: str) -> None:
    mine, root, parent = (str(uuid.uuid4()) for _ in range(3))
    project = ok(api.post(f"{BASE}/project", json={"name": f"p-{mine}"}))
    run = {"name": "e", "run_name": mine, "project_uuid": project["uuid"]}
    experiment = ok(api.post(f"{BASE}/experiment", json=run))["uuid"]
    said = {
        "end_user_identifier": "ann",
        "metadata": {"purpose": "testing"},
        "tags": ["weather"],
        "target": "Snow.",
        "experiment_uuid": experiment,
        "parent_trace_id": parent,
        "root_trace_id": root,
    }
    place = {"project_name": project["name"]} if title == "name" else {"project_uuid": project["uuid"]}
    named = {id_name: mine, title: "forecast"}
    assert api.post(path, json=body("Weather?", **said, **named, **place)).status_code == 200
    kept = ok(api.get(f"{BASE}/trace_log/{mine}"))
    assert {name: kept[name] for name in said} == said
    assert (kept["trace_id"], kept["trace_name"], kept["project_uuid"]) == (mine, "forecast", project["uuid"])


def test_what_is_omitted_is_nowhere(api: httpx2.Client, service: RunningService, model: OpenAIServer) -> None:
    question, answer = (f"word-{uuid.uuid4()}" for _ in range(2))
    model.clear()
    model.script(*[say(answer)] * 4)
    asked = body("Is it {{what}}?", llm_inputs={"what": question})
    for omitted, kept in (("log_omit", ()), ("log_omit_inputs", (answer,)), ("log_omit_outputs", (question,))):
        before = everything(service)
        ok(api.post(COMPLETION, json={**asked, omitted: True}))
        after = everything(service)
        for word in (question, answer):
            assert (after.count(word) > before.count(word)) == (word in kept), (omitted, word)
    ok(api.post(COMPLETION, json=asked))
    assert everything(service).count(question) > after.count(question)


def test_a_sample_of_none_keeps_nothing(api: httpx2.Client) -> None:
    for rate, status in ((0, 404), (1, 200)):
        answer = ok(api.post(COMPLETION, json=body(log_sample_rate=rate)))
        assert api.get(f"{BASE}/trace_log/{answer['trace_id']}").status_code == status


def test_a_providers_key_is_used_once(api: httpx2.Client, service: RunningService, model: OpenAIServer) -> None:
    key = f"sk-{uuid.uuid4()}"
    ok(api.post(COMPLETION, json=body(provider_api_key=key)))
    assert model.requests[-1].headers["authorization"] == f"Bearer {key}"
    ok(api.post(COMPLETION, json=body()))
    assert model.requests[-1].headers["authorization"] == "Bearer sk-test"
    assert key not in everything(service)


def test_a_parea_stream_may_say_that_it_is_one(api: httpx2.Client) -> None:
    for stream in (True, False):
        answer = api.post(f"{COMPLETION}/stream", json=body(stream=stream))
        assert answer.headers["content-type"].startswith("text/event-stream")


def test_all_of_a_feedback_is_kept(api: httpx2.Client) -> None:
    mine = str(uuid.uuid4())
    ok(api.post(f"{BASE}/trace_log", json=log(mine)))
    said = {"score": 0.5, "name": "tone", "target": "Yes.", "comment": "Too short."}
    for name in ("trace_id", "inference_id"):
        kept = ok(api.post(f"{BASE}/feedback", json={**said, name: mine}))
        assert {each: kept[each] for each in said} == said
        assert kept["trace_id"] == mine


def test_all_of_a_log_is_kept(api: httpx2.Client) -> None:
    mine, parent, root = (str(uuid.uuid4()) for _ in range(3))
    project = ok(api.post(f"{BASE}/project", json={"name": f"p-{mine}"}))["uuid"]
    experiment = ok(api.post(f"{BASE}/experiment", json={"name": "e", "run_name": mine}))["uuid"]
    said = {
        "trace_id": mine,
        "parent_trace_id": parent,
        "root_trace_id": root,
        "trace_name": "step",
        "start_timestamp": "2026-07-24T18:05:17+00:00",
        "end_timestamp": "2026-07-24T18:05:19+00:00",
        "latency": 1.5,
        "time_to_first_token": 0.25,
        "configuration": {"model": "m", "provider": "p"},
        "inputs": {"q": "x"},
        "output": "y",
        "output_for_eval_metrics": "z",
        "target": "t",
        "error": "broke",
        "status": "error",
        "input_tokens": 2,
        "output_tokens": 3,
        "total_tokens": 9,
        "cost": 0.5,
        "feedback_score": 0.75,
        "tags": ["a"],
        "metadata": {"k": "v"},
        "end_user_identifier": "ann",
        "session_id": "s",
        "deployment_id": "d",
        "experiment_uuid": experiment,
        "project_uuid": project,
        "cache_hit": True,
        "apply_eval_frac": 0.5,
        "images": [{"url": "u"}],
        "comments": [{"comment": "c"}],
        "annotations": {"1": {"tone": 1}},
        "depth": 4,
        "execution_order": 5,
    }
    score = {"name": "tone", "score": 0.5, "reason": "because"}
    assert ok(api.post(f"{BASE}/trace_log", json={**said, "scores": [score], "log_sample_rate": 1.0})) is None
    kept = ok(api.get(f"{BASE}/trace_log/{mine}"))
    assert {name: kept.get(name) for name in said} == said
    assert [{name: each[name] for name in score} for each in kept["scores"]] == [score]
    scored_by_name = log(mine, evaluation_metric_names=["x"])
    assert fault(api.post(f"{BASE}/trace_log", json=scored_by_name), 422, "evaluation_metric_names")


def test_an_update_may_name_the_root(api: httpx2.Client) -> None:
    mine, root = str(uuid.uuid4()), str(uuid.uuid4())
    ok(api.post(f"{BASE}/trace_log", json=log(mine)))
    update = {"trace_id": mine, "root_trace_id": root, "field_name_to_value_map": {"output": "y"}}
    ok(api.put(f"{BASE}/trace_log", json=update))
    kept = ok(api.get(f"{BASE}/trace_log/{mine}"))
    assert (kept["root_trace_id"], kept["output"]) == (root, "y")
