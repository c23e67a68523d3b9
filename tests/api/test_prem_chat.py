"""Prem's chat fields: what a project sets and a request overrides, templates, choices, and a degraded answer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from app.dialects.prem.request import EXAMPLE, FIELDS, PremRequest
from tests.api.library import PAGES, QUESTION, Library, make_key, make_project, upload
from tests.api.refusals import assert_error
from tests.doubles.openai_server import OpenAIServer, say
from tests.doubles.service import RunningService

PATH = "/v1/chat/completions"
MODEL = "openai/gpt-test"


@pytest.fixture
def project(service: RunningService) -> int:
    return make_project(service, "Launched")


@pytest.fixture
def mine(service: RunningService, project: int) -> Iterator[httpx2.Client]:
    """With a key of a project of the test's own."""
    with service.client(make_key(service, project)) as client:
        yield client


def sent(model_server: OpenAIServer) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in model_server.requests[-1].body["messages"]]


def ask(client: httpx2.Client, project: int = 1, question: str = QUESTION, **more: Any) -> httpx2.Response:
    return client.post(PATH, json={"project_id": project, "messages": [{"role": "user", "content": question}], **more})


class TestLaunched:
    """What the project says holds until the request says otherwise."""

    def test_model_prompt_and_repositories(self, mine: httpx2.Client, project: int, model_server: OpenAIServer) -> None:
        tools, hours = (mine.post("/v1/repositories", json={"name": name}).json()["id"] for name in PAGES)
        for number, (name, text) in zip((tools, hours), PAGES.items(), strict=True):
            upload(mine, number, name, text)
        launched = {
            "model": MODEL,
            "system_prompt": "Speak like a pirate.",
            "repository_ids": [tools],
            "retrieval_limit": 1,
            "similarity_threshold": 0.1,
        }
        assert mine.patch("/v1/project", json=launched).status_code == 200

        model_server.clear()
        model_server.script(say("Arr [1]."))
        answer = ask(mine, project).json()
        assert answer["choices"][0]["message"]["content"] == "Arr [1]."
        assert (answer["model"], answer["provider_name"]) == (MODEL, "openai")
        assert [chunk["repository_id"] for chunk in answer["document_chunks"]] == [tools]
        assert sent(model_server)[0][1].startswith("Speak like a pirate.")

        model_server.script(say("Good day [1]."))
        overridden = ask(
            mine,
            project,
            "When does the library open?",
            system_prompt="Speak like a judge.",
            repositories={"ids": [hours], "limit": 2, "similarity_threshold": 0},
        ).json()
        assert {chunk["repository_id"] for chunk in overridden["document_chunks"]} == {hours}
        assert sent(model_server)[0][1].startswith("Speak like a judge.")
        assert "pirate" not in json.dumps(sent(model_server))

        asked = len(model_server.requests)
        extractive = ask(mine, project, model="footnote/extractive").json()
        assert extractive["model"] == "footnote/extractive"
        assert len(model_server.requests) == asked


class TestMessages:
    def test_a_templates_message_has_its_text_too(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        template = api.post("/v1/templates", json={"name": "t", "content": "As ${who}: ${content}"}).json()["id"]
        message = {"role": "user", "content": "Who am I?", "template_id": template, "params": {"who": "ann", "x": 1}}
        model_server.clear()
        model_server.script(say("Ann."), say("Bob."), say("Own."))
        assert ask(api, model=MODEL, messages=[message]).status_code == 200
        assert sent(model_server)[-1] == ("user", "As ann: Who am I?")
        named = {"role": "user", "params": {"who": "bob", "content": "And I?"}}
        assert ask(api, model=MODEL, messages=[named], template_id=template).status_code == 200
        assert sent(model_server)[-1] == ("user", "As bob: And I?")

    def test_a_template_that_no_message_uses(self, api: httpx2.Client) -> None:
        assert_error(ask(api, template_id=str(uuid.uuid4())), 400, field="template_id")

    def test_text_parts_and_a_system_message(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        parts = [{"type": "text", "text": "Who"}, {"type": "text", "text": "am I?"}]
        messages = [{"role": "user", "content": parts}, {"role": "system", "content": "Be brief."}]
        model_server.clear()
        model_server.script(say("You."))
        assert ask(api, model=MODEL, messages=messages).status_code == 200
        assert sent(model_server) == [("system", "Be brief."), ("user", "Who\nam I?")]

    def test_own_history_beside_a_session_is_shown_once(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        session = str(uuid.uuid4())
        model_server.clear()
        model_server.script(say("It is a dog."), say("It is yellow."), say("Under the stairs."))
        ask(api, question="What is Sparky?", model=MODEL, session_id=session)
        ask(api, question="What colour?", model=MODEL, session_id=session)
        own = [
            {"role": "user", "content": "What colour?"},
            {"role": "assistant", "content": "Yellow."},
            {"role": "user", "content": "And where?"},
        ]
        ask(api, model=MODEL, session_id=session, messages=own)
        assert [text for _, text in sent(model_server)] == [
            "What is Sparky?",
            "It is a dog.",
            "What colour?",
            "Yellow.",
            "And where?",
        ]


class TestFields:
    def test_every_field_of_the_request_is_declared(self) -> None:
        """And nothing is declared that the request does not have."""
        declared = {name for name in FIELDS if "." not in name}
        assert declared == set(PremRequest.model_fields)
        assert set(EXAMPLE) <= declared

    @pytest.mark.parametrize(
        ("more", "field", "says"),
        [
            ({"tools": [{"type": "retrieval"}]}, "tools", "function"),
            ({"tools": [{"type": "function"}]}, "tools", "function"),
            ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools", "name"),
            (
                {"tools": [{"type": "function", "function": {"name": "x", "parameters": {"type": "<string>"}}}]},
                "tools",
                "parameters.type",
            ),
            ({"logit_bias": {"1": 101}}, "logit_bias", "100"),
            ({"n": 0}, "n", "n"),
            ({"n": 9}, "n", "At most 8"),
            ({"response_format": {"type": "xml"}}, "response_format", "xml"),
            ({"top_p": 1.1}, "top_p", "top_p"),
            ({"frequency_penalty": 3}, "frequency_penalty", "penalty"),
            ({"model": "nobody/nothing"}, "model", "nobody"),
        ],
    )
    def test_wrong_values_are_named(self, api: httpx2.Client, more: dict[str, Any], field: str, says: str) -> None:
        refused = ask(api, **more)
        assert_error(refused, 404 if field == "model" else 400, says=says, field=field)

    def test_a_limit_above_prems_own_is_taken(self, api: httpx2.Client, library: Library) -> None:
        where = {"ids": [library.repository], "limit": 50, "similarity_threshold": 0}
        answer = ask(api, repositories=where).json()
        assert len(answer["document_chunks"]) > 1
        assert_error(ask(api, repositories={**where, "limit": 51}), 400, field="repositories.limit")

    def test_several_answers_and_their_cost(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        model_server.clear()
        model_server.script(say("One."), say("Two."))
        answer = ask(api, model="openai/gpt-4o", n=2).json()
        assert sorted(choice["message"]["content"] for choice in answer["choices"]) == ["One.", "Two."]
        assert [choice["index"] for choice in answer["choices"]] == [0, 1]
        assert answer["usage"] == {"prompt_tokens": 14, "completion_tokens": 6, "total_tokens": 20}
        assert answer["cost"] > 0
        assert answer["attempts"] == []
