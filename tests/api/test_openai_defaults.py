"""What OpenAI's clients get without a word about documents or providers: the project's and the service's defaults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.api.library import QUESTION, Library, make_key, make_project, upload
from tests.api.refusals import assert_error
from tests.doubles.openai_server import OpenAIServer, say
from tests.doubles.service import RunningService, running_service

PATH = "/v1/chat/completions"


def ask(api: httpx2.Client, **fields: Any) -> httpx2.Response:
    return api.post(PATH, json={"model": "default", "messages": [{"role": "user", "content": QUESTION}], **fields})


@pytest.fixture(scope="module")
def launched(service: RunningService) -> Iterator[httpx2.Client]:
    """With a key of a project that says where to search, how, and with which words before it."""
    project = make_project(service, "Launched")
    with service.client(make_key(service, project)) as client:
        repository = client.post("/v1/repositories", json={"name": "Tools"}).json()["id"]
        upload(client, repository, "saw.txt", "Only members who hold a safety certificate may borrow the chainsaw.")
        says = {
            "model": "openai/launched",
            "system_prompt": "Be kind.",
            "repository_ids": [repository],
            "retrieval_limit": 1,
            "similarity_threshold": 0.1,
        }
        assert client.patch("/v1/project", json=says).status_code == 200
        yield client


def test_the_projects_model_prompt_and_repositories(launched: httpx2.Client, model_server: OpenAIServer) -> None:
    model_server.clear()
    model_server.script(say("Members [1]."))
    answer = ask(launched).json()
    sent = model_server.requests[-1].body
    assert (sent["model"], answer["model"]) == ("launched", "openai/launched")
    assert sent["messages"][0]["content"].startswith("Be kind.")
    assert [chunk["document_name"] for chunk in answer["document_chunks"]] == ["saw.txt"]


def test_the_request_goes_before_the_project(launched: httpx2.Client, model_server: OpenAIServer) -> None:
    model_server.clear()
    model_server.script(say("Whoever."))
    answer = ask(launched, model="openai/other", system_prompt="Be brief.", repositories={"ids": []}).json()
    sent = model_server.requests[-1].body
    assert sent["model"] == "other"
    assert sent["messages"][0] == {"role": "system", "content": "Be brief."}
    assert answer["document_chunks"] == []
    assert answer["retrieval"] is None


def test_the_services_model(api: httpx2.Client, library: Library) -> None:
    answer = ask(api, repositories={"ids": [library.repository], "similarity_threshold": 0.1}).json()
    assert answer["model"] == "footnote/extractive"
    assert "safety certificate" in answer["choices"][0]["message"]["content"]


def test_a_bare_name_needs_a_default_provider(
    api: httpx2.Client, model_server: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_error(ask(api, model="gpt-test"), 404, says="FOOTNOTE_DEFAULT_PROVIDER")
    monkeypatch.setenv("OPENAI_BASE_URL", model_server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    model_server.clear()
    model_server.script(say("Yes."))
    with running_service(tmp_path, default_provider="openai", run_jobs=False) as own, own.client() as client:
        answer = ask(client, model="gpt-test").json()
    assert (model_server.requests[-1].body["model"], answer["model"]) == ("gpt-test", "openai/gpt-test")
