"""Promptrun's API: saved prompts fetched, followed, and in the place of a completion's messages."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.core.library import NewPromptVersion, PromptMessage, PromptVersion
from app.core.types import Caller
from tests.api.library import Library
from tests.api.refusals import NOT_THERE, assert_error, assert_hidden, assert_needs_key
from tests.doubles.openai_server import OpenAIServer, say
from tests.doubles.service import RunningService, running_service

PROMPT, STREAM, CHAT = "/v1/prompt", "/v1/prompt/stream", "/v1/chat/completions"
CALLER = Caller(1)


def new(content: str, **fields: Any) -> NewPromptVersion:
    return NewPromptVersion((PromptMessage("user", content),), **fields)


def create(service: RunningService, name: str, version: NewPromptVersion) -> PromptVersion:
    return asyncio.run(service.built.parts.prompts.create(CALLER, name, version))


def add(service: RunningService, prompt: PromptVersion, version: NewPromptVersion) -> PromptVersion:
    return asyncio.run(service.built.parts.prompts.add_version(CALLER, prompt.prompt_id, version))


def events(stream: httpx2.Response) -> Iterator[dict[str, Any]]:
    for line in stream.iter_lines():
        assert line.startswith(("data: {", ":")) or not line, line
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


@pytest.fixture
def saved(service: RunningService, request: pytest.FixtureRequest) -> PromptVersion:
    """The second of two versions; the first is tagged `live`."""
    first = create(service, request.node.name, new("Who may borrow the {{thing}}?", tag="live", model="openai/gpt"))
    return add(service, first, new("Who may borrow a {{thing}}, {{who}}?", note="politer", params={"seed": 4}))


class TestFetching:
    def test_the_newest_by_id_and_by_name(self, api: httpx2.Client, saved: PromptVersion) -> None:
        for which in (saved.prompt_id, saved.name):
            shown = api.get(PROMPT, params={"projectId": which}).json()
            assert (shown["version"], shown["versionMessage"], shown["tag"]) == (2, "politer", None)
            assert shown["prompt"] == "Who may borrow a {{thing}}, {{who}}?"
            assert shown["project"] == {"id": saved.prompt_id, "name": saved.name}
            assert shown["model"]["model"] == "footnote/extractive"  # the project's

    @pytest.mark.parametrize("which", [{"version": "1"}, {"version": "v1"}, {"tag": "live"}])
    def test_a_certain_one(self, api: httpx2.Client, saved: PromptVersion, which: dict[str, str]) -> None:
        shown = api.get(PROMPT, params={"projectId": saved.name, **which}).json()
        assert (shown["version"], shown["tag"], shown["model"]["model"]) == (1, "live", "openai/gpt")

    @pytest.mark.parametrize("path", [PROMPT, STREAM])
    def test_refusals(self, api: httpx2.Client, nobody: httpx2.Client, saved: PromptVersion, path: str) -> None:
        named = {"projectId": saved.name}
        assert_needs_key(nobody, "GET", path, params=named)
        assert_error(api.get(path), 400, field="projectId")
        assert_error(api.get(path, params={"projectId": ""}), 400, field="projectId")
        assert_error(api.get(path, params={"projectId": "a\0b"}), 400, field="projectId")
        assert_error(api.get(path, params={"projectId": "nothing"}), 404, says="nothing")
        assert_error(api.get(path, params={**named, "version": "last"}), 400, field="version")
        assert_error(api.get(path, params={**named, "version": "3"}), 404, says="3")
        assert_error(api.get(path, params={**named, "tag": "draft"}), 404, says="draft")
        assert_error(api.get(path, params={**named, "version": "2", "tag": "live"}), 404)

    @pytest.mark.parametrize("path", [PROMPT, STREAM])
    def test_a_strangers_prompt_is_not_there(self, stranger: httpx2.Client, saved: PromptVersion, path: str) -> None:
        assert_hidden(stranger, "GET", path + "?projectId={}", saved.prompt_id)
        assert_hidden(stranger, "GET", path + "?projectId={}", saved.name)


class TestFollowing:
    def test_each_new_version(self, api: httpx2.Client, service: RunningService, saved: PromptVersion) -> None:
        with api.stream("GET", STREAM, params={"projectId": saved.prompt_id}) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            told = events(stream)
            assert next(told)["version"] == 2
            add(service, saved, new("Third"))
            assert next(told)["prompt"] == "Third"
            add(service, saved, new("Fourth"))
            assert next(told)["prompt"] == "Fourth"

    def test_where_a_tag_moves(self, api: httpx2.Client, service: RunningService, saved: PromptVersion) -> None:
        with api.stream("GET", STREAM, params={"projectId": saved.name, "tag": "live"}) as stream:
            told = events(stream)
            assert next(told)["version"] == 1
            add(service, saved, new("Third, without the tag"))
            asyncio.run(service.built.parts.prompts.tag(CALLER, saved.prompt_id, 2, "live"))
            assert next(told)["version"] == 2

    def test_it_ends_with_the_prompt(self, api: httpx2.Client, service: RunningService, saved: PromptVersion) -> None:
        with api.stream("GET", STREAM, params={"projectId": saved.name}) as stream:
            told = events(stream)
            next(told)
            asyncio.run(service.built.parts.prompts.delete(CALLER, saved.prompt_id))
            assert list(told) == []

    def test_it_ends_with_the_service(self, tmp_path: Path) -> None:
        with contextlib.ExitStack() as open_while_it_stops:
            with running_service(tmp_path, run_jobs=False) as service:
                create(service, "mine", new("Hello"))
                client = open_while_it_stops.enter_context(service.client())
                asked = client.stream("GET", STREAM, params={"projectId": "mine"})
                told = events(open_while_it_stops.enter_context(asked))
                assert next(told)["prompt"] == "Hello"
            assert list(told) == []  # a connection cut off would raise


class TestCompleting:
    def asked(self, api: httpx2.Client, prompt: str, **fields: Any) -> httpx2.Response:
        request = {"model": "openai/gpt", "messages": [], **fields}
        return api.post(CHAT, json=request, headers={"HTTP-Prompt-Id": prompt})

    def test_the_saved_messages_are_the_conversation(
        self, api: httpx2.Client, model_server: OpenAIServer, saved: PromptVersion
    ) -> None:
        model_server.script(say("Members."), say("Members."), say("Members."))
        first = api.get(PROMPT, params={"projectId": saved.name, "version": "1"}).json()["id"]
        asked = ((saved.prompt_id, 2), (saved.name, 2), (first, 1))
        for prompt, number in asked:
            answer = self.asked(api, prompt, inputs={"thing": "saw"}).json()
            sent = model_server.requests[-1].body
            words = "Who may borrow a saw, {{who}}?" if number == 2 else "Who may borrow the saw?"
            assert sent["messages"] == [{"role": "user", "content": words}]
            assert sent.get("seed") == (4 if number == 2 else None)
            detail = api.get(f"/v1/traces/{answer['trace_id']}").json()["detail"]
            assert (detail["prompt_id"], detail["prompt_version"]) == (saved.prompt_id, number)
            assert detail["inputs"] == {"thing": "saw"}

    def test_its_model_answers_where_the_request_names_none(
        self, api: httpx2.Client, model_server: OpenAIServer, saved: PromptVersion
    ) -> None:
        first = api.get(PROMPT, params={"projectId": saved.name, "version": "1"}).json()["id"]
        model_server.script(say("Members."))
        request = {"messages": [], "inputs": {"thing": "drill"}}
        answer = api.post(CHAT, json=request, headers={"HTTP-Prompt-Id": first}).json()
        assert (answer["model"], answer["choices"][0]["message"]["content"]) == ("openai/gpt", "Members.")
        projects = api.post(CHAT, json=request, headers={"HTTP-Prompt-Id": saved.prompt_id}).json()
        assert projects["model"] == "footnote/extractive"

    def test_streamed(self, api: httpx2.Client, model_server: OpenAIServer, saved: PromptVersion) -> None:
        model_server.script(say("Members", "."))
        stream = self.asked(api, saved.prompt_id, stream=True, variables={"thing": "saw"})
        chunks = [json.loads(line[6:]) for line in stream.text.splitlines() if line.startswith("data: {")]
        assert "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks) == "Members."
        finished = [chunk for chunk in chunks if chunk["choices"][0]["finish_reason"]]
        assert [chunk["usage"]["total_tokens"] for chunk in finished] == [10]  # where Promptrun's SDK looks for it

    def test_messages_of_ones_own_are_kept_and_the_prompt_recorded(
        self, api: httpx2.Client, model_server: OpenAIServer, saved: PromptVersion
    ) -> None:
        model_server.script(say("Yes."))
        answer = self.asked(api, saved.prompt_id, messages=[{"role": "user", "content": "Mine?"}]).json()
        assert model_server.requests[-1].body["messages"] == [{"role": "user", "content": "Mine?"}]
        detail = api.get(f"/v1/traces/{answer['trace_id']}").json()["detail"]
        assert (detail["prompt_id"], detail["prompt_version"]) == (saved.prompt_id, 2)

    def test_refusals(
        self, api: httpx2.Client, stranger: httpx2.Client, saved: PromptVersion, library: Library
    ) -> None:
        for prompt in ("nothing", str(NOT_THERE), f"{saved.prompt_id}@3", f"{saved.prompt_id}@99999999999"):
            assert_error(self.asked(api, prompt), 404, field="HTTP-Prompt-Id")
        assert_error(self.asked(stranger, saved.prompt_id), 404, field="HTTP-Prompt-Id")
        assert_error(self.asked(api, saved.prompt_id, inputs=[1]), 400, field="inputs")
        assert_error(self.asked(api, ""), 400, field="messages")
        wrong = httpx2.post(
            str(api.base_url.join(CHAT)), json={"model": "m", "messages": []}, headers={"authorization": "Bearer fn-x"}
        )
        assert_error(wrong, 401)
