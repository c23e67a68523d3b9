"""Bad input in every format: a refusal in its own words that names what is wrong, and nothing left behind."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.api.hostile import MODEL, WAYS, Way, said
from tests.api.library import Library, holdings
from tests.api.refusals import NOT_THERE
from tests.doubles.openai_server import OpenAIServer, say
from tests.doubles.service import RunningService


@pytest.fixture(params=WAYS, ids=lambda way: way.name)
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(
    way: Way, service: RunningService, api: httpx2.Client, library: Library, model_server: OpenAIServer
) -> Any:
    """No row and no file of what was refused; and the next request works."""
    model_server.clear()
    before = holdings(service)
    yield
    assert holdings(service) == before
    model_server.clear()
    model_server.script(say("Fine."))
    answer = way.post(api, way.body(said("Are you well?")))
    assert (answer.status_code, way.words(answer.content)) == (200, "Fine.")


class TestKeys:
    @pytest.mark.parametrize("key", [None, "fn-nobody-has-this", "\u00e9"])
    def test_a_missing_or_wrong_one(self, way: Way, nobody: httpx2.Client, key: str | None) -> None:
        headers = {} if key is None else {"authorization": f"Bearer {key}".encode()}
        answer = way.post(nobody, way.body(said("Hello?")), headers=headers)
        if key is None and "parea" in way.name:  # there the key may also stand in `x-user-id`
            assert way.refusal(way.post(nobody, way.body(said("x")), headers={"x-user-id": "nobody's"}), 401)
        message, _ = way.refusal(answer, 401)
        assert "Authorization: Bearer" in message
        assert answer.headers["www-authenticate"] == "Bearer"

    def test_one_of_another_project_finds_nothing(self, way: Way, stranger: httpx2.Client, library: Library) -> None:
        def told(number: int) -> tuple[str, str | None]:
            prem = {"project_id": number} if way.name.startswith("prem") else {}
            body = way.body(said("Hello?"), repositories={"ids": [number]}) | prem
            message, field = way.refusal(way.post(stranger, body), 404)
            return re.sub(rf"\b{number}\b", "#", message), field

        assert told(library.repository) == told(NOT_THERE)


class TestUnknownThings:
    def test_a_model(self, way: Way, api: httpx2.Client) -> None:
        for model, says in (("nobody/nothing", "no provider 'nobody'"), ("footnote/nothing", "footnote/nothing")):
            message, _ = way.refusal(way.post(api, way.body(said("Hello?"), model=model)), 404)
            assert says in message

    @pytest.mark.parametrize("number", [NOT_THERE, 2**31, 2**63, 10**40])
    def test_a_repository(self, way: Way, api: httpx2.Client, number: int) -> None:
        answer = way.post(api, way.body(said("Hello?"), repositories={"ids": [number]}))
        status = 404 if number <= 2**63 else 400  # a number that no JSON reader takes for a whole one is none
        message, _ = way.refusal(answer, status)
        assert str(number) in message or "repositories.ids" in message

    def test_what_only_one_format_can_name(self, way: Way, api: httpx2.Client) -> None:
        nothing = str(uuid.uuid4())
        message, _ = way.refusal(NAMING[way.dialect](way, api, nothing), 404)
        assert nothing in message


def _by_template(way: Way, api: httpx2.Client, template: str) -> httpx2.Response:
    if way.name.startswith("prem"):
        return way.post(api, way.body([{"role": "user", "template_id": template, "params": {}}]))
    return way.post(api, way.body([]), headers={"HTTP-Prompt-Id": template})


def _by_thread(way: Way, api: httpx2.Client, thread: str) -> httpx2.Response:
    pointer = {"role": "assistant", "metadata": {"thread_id": thread, "turn_id": "1"}}
    return way.post(api, way.body([*said("And at night?"), pointer]))


def _by_deployment(way: Way, api: httpx2.Client, deployment: str) -> httpx2.Response:
    return way.post(api, {"deployment_id": deployment, "llm_inputs": {}, "cache": False})


NAMING: dict[str, Callable[[Way, httpx2.Client, str], httpx2.Response]] = {
    "union": _by_template,
    "gist": _by_thread,
    "parea": _by_deployment,
}


class TestBodies:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"\xff\xfe",
            b'{"messages": "\\ud800"}',
            b'{"temperature": NaN}',
            b'{"temperature": 1e999}',
            b"[" * 5_000,
            b"[" * 900 + b"]" * 900,
        ],
        ids=["empty", "cut", "binary", "half a character", "no number", "endless", "open", "deep"],
    )
    def test_that_are_no_json(self, way: Way, api: httpx2.Client, content: bytes) -> None:
        message, _ = way.refusal(way.post(api, content), 400)
        assert "JSON" in message or "nested" in message

    @pytest.mark.parametrize("content", [b"[]", b"null", b"5", b'"text"', b"true"])
    def test_that_are_no_object(self, way: Way, api: httpx2.Client, content: bytes) -> None:
        message, _ = way.refusal(way.post(api, content), 400)
        assert "object" in message

    def test_over_the_limit(self, way: Way, api: httpx2.Client) -> None:
        whole = json.dumps(way.body(said("x" * 70_000))).encode()
        message, _ = way.refusal(way.post(api, whole), 413)
        assert "FOOTNOTE_MAX_REQUEST_BYTES" in message

    def test_with_too_many_messages(self, way: Way, api: httpx2.Client) -> None:
        message, field = way.refusal(way.post(api, way.body(said("x") * 501)), 400)
        assert "500" in message
        assert (field or "").endswith("messages")


WRONG_MESSAGES = {
    "text": "hello",
    "number": 5,
    "object": {"role": "user"},
    "numbers": [5],
    "no role": [{"content": "x"}],
    "unknown role": [{"role": "robot", "content": "x"}],
    "content a number": [{"role": "user", "content": 5}],
    "content an object": [{"role": "user", "content": {"text": "x"}}],
    "none": [],
    "no user": [{"role": "system", "content": "Be brief."}],
    "blank": [{"role": "user", "content": " \n"}],
    "no content": [{"role": "user"}],
    "null": [{"role": "user", "content": None}],
}


class TestMessages:
    @pytest.mark.parametrize("messages", WRONG_MESSAGES.values(), ids=WRONG_MESSAGES)
    def test_of_a_wrong_shape(self, way: Way, api: httpx2.Client, messages: Any) -> None:
        if way.dialect == "parea" and messages == [{"content": "x"}]:
            pytest.skip("a message without a role is a user's, as Parea's SDK says")
        message, field = way.refusal(way.post(api, way.body(messages)), 400)
        assert "messages" in (field or "")
        assert message


WRONG_FIELDS: dict[str, tuple[Any, ...]] = {
    "repositories": ([], "all", 5, {"ids": 5}, {"ids": ["a"]}, {"ids": [1.5]}, {"ids": [True]}),
    "repositories.limit": ({"limit": 0}, {"limit": -1}, {"limit": "3"}, {"limit": 10**20}),
    "repositories.similarity_threshold": ({"similarity_threshold": 1.5}, {"similarity_threshold": "high"}),
}


class TestFields:
    @pytest.mark.parametrize(("field", "values"), WRONG_FIELDS.items(), ids=WRONG_FIELDS)
    def test_that_all_formats_have(self, way: Way, api: httpx2.Client, field: str, values: tuple[Any, ...]) -> None:
        for value in values:
            _, named = way.refusal(way.post(api, way.body(said("Hello?"), repositories=value)), 400)
            assert (named or "").startswith(field), value

    def test_a_model_that_is_no_text(self, way: Way, api: httpx2.Client) -> None:
        wrong: tuple[Any, ...] = (5, [], {}, True)
        for model in wrong:
            _, field = way.refusal(way.post(api, way.body(said("Hello?"), model=model)), 400)
            assert (field or "").endswith("model"), model

    def test_a_temperature_that_is_none(self, way: Way, api: httpx2.Client) -> None:
        wrong: tuple[Any, ...] = ("hot", 2.5, -1, [], {})
        for value in wrong:
            body = way.body(said("Hello?"), temperature=value)
            if way.dialect == "parea":
                body["llm_configuration"]["model_params"] = {"temp": value}
            _, field = way.refusal(way.post(api, body), 400)
            assert (field or "").endswith("temp" if way.dialect == "parea" else "temperature"), value

    def test_a_stream_that_is_no_yes_or_no(self, way: Way, api: httpx2.Client) -> None:
        wrong: tuple[Any, ...] = ("maybe", 5, [], {})
        for value in wrong:
            _, field = way.refusal(way.post(api, way.body(said("Hello?")) | {"stream": value}), 400)
            assert field == "stream", value


class TestPlaceholders:
    def test_one_without_a_value(self, way: Way, api: httpx2.Client, model_server: OpenAIServer) -> None:
        """Prem's become empty, the others' stay as they are: as each vendor's documents say."""
        if way.dialect == "gist":
            pytest.skip("Gist has no templates")
        written = "Who may borrow ${thing}?" if way.name.startswith("prem") else "Who may borrow {{thing}}?"
        made = api.post("/v1/prompts", json={"name": "t", "messages": [{"content": written}]}).json()["prompt_id"]
        try:
            model_server.script(say("Members."))
            body: dict[str, Any] = way.body([])
            headers = {}
            if way.name.startswith("prem"):
                body["messages"] = [{"role": "user", "template_id": made}]
            elif way.dialect == "union":
                headers = {"HTTP-Prompt-Id": made}
            else:
                body |= {"deployment_id": made, "llm_configuration": {"model": MODEL}}
            answer = way.post(api, body, headers=headers)
            assert answer.status_code == 200, answer.text
            asked = model_server.requests[-1].body["messages"][-1]["content"]
            assert asked == ("Who may borrow ?" if way.name.startswith("prem") else "Who may borrow {{thing}}?")
        finally:
            api.delete(f"/v1/prompts/{made}")

    def test_nothing_but_one_without_a_value(self, way: Way, api: httpx2.Client) -> None:
        if not way.name.startswith("prem"):
            pytest.skip("only Prem's placeholders become empty")
        made = api.post("/v1/templates", json={"name": "t", "content": "${thing}"}).json()["id"]
        _, field = way.refusal(way.post(api, way.body([{"role": "user", "template_id": made}])), 400)
        assert field == "messages.content"
        api.delete(f"/v1/prompts/{made}")
