"""OpenAI's chat completions over HTTP: what reaches the provider, several answers, refusals, headers, paths."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.api.library import QUESTION, Library
from tests.api.refusals import assert_error
from tests.api.test_completions import PATH, chunks_of
from tests.dialects.test_openai_request import PASSED
from tests.doubles.openai_server import DONE, OpenAIServer, Reply, delta, finish, refuse, say
from tests.doubles.service import RunningService

HEAD: dict[str, Any] = {"model": "openai/gpt", "messages": [{"role": "user", "content": QUESTION}]}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "loan", "schema": {"type": "object", "required": ["who"]}, "strict": True},
}


@pytest.fixture
def model(model_server: OpenAIServer) -> Iterator[OpenAIServer]:
    """The provider, without a script and without requests."""
    model_server.clear()
    yield model_server
    model_server.clear()


def ask(api: httpx2.Client, path: str = PATH, /, **fields: Any) -> httpx2.Response:
    return api.post(path, json={**HEAD, **fields})


def nowhere(library: Library) -> dict[str, Any]:
    """Where nothing is similar enough to be evidence."""
    return {"ids": [library.repository], "similarity_threshold": 1}


class TestWhatReachesTheProvider:
    @pytest.mark.parametrize("stream", [False, True])
    def test_passed_fields(self, api: httpx2.Client, model: OpenAIServer, stream: bool) -> None:
        model.script(say("Yes."))
        assert ask(api, **PASSED, stream=stream).status_code == 200
        sent = model.requests[-1].body
        assert {name: sent[name] for name in PASSED} == PASSED

    def test_honoured_fields(self, api: httpx2.Client, model: OpenAIServer) -> None:
        model.script(say('{"who": 1}'))
        sampling = {"temperature": 0, "top_p": 0.5, "seed": 4, "frequency_penalty": -1, "presence_penalty": 1}
        fields = {**sampling, "stop": ["END"], "max_tokens": 9, "response_format": SCHEMA}
        kept_here = {"user": "ada", "metadata": {"run": "4"}, "store": True}
        answer = ask(api, **fields, **kept_here).json()
        sent = model.requests[-1].body
        assert {name: sent[name] for name in sampling} == sampling
        assert (sent["stop"], sent["max_completion_tokens"], sent["response_format"]) == (["END"], 9, SCHEMA)
        assert not kept_here.keys() & sent.keys()
        trace = api.get(f"/v1/traces/{answer['trace_id']}").json()
        assert (trace["detail"]["user"], trace["detail"]["metadata"]) == ("ada", {"run": "4"})

    def test_no_limit(self, api: httpx2.Client, model: OpenAIServer) -> None:
        model.script(say("Yes."))
        ask(api, max_tokens=0, n=1)
        assert not {"max_tokens", "max_completion_tokens", "n"} & model.requests[-1].body.keys()

    def test_a_field_that_the_provider_refuses(self, api: httpx2.Client, model: OpenAIServer) -> None:
        fault = {"message": "Unsupported parameter.", "param": "verbosity", "code": "unsupported_parameter"}
        model.script(Reply([json.dumps({"error": fault}).encode()], 400, {}, "application/json"))
        assert_error(ask(api, verbosity="low"), 400, says="Unsupported parameter", field="verbosity")

    @pytest.mark.parametrize("field", ["logit_bias", "verbosity"])
    def test_the_extractive_model_refuses_what_it_cannot_heed(
        self, api: httpx2.Client, library: Library, field: str
    ) -> None:
        fields = {name: value for name, value in PASSED.items() if name not in ("logit_bias", "verbosity")}
        where = {"ids": [library.repository], "similarity_threshold": 0.1}
        extractive = {"model": "footnote/extractive", "repositories": where}
        assert ask(api, **extractive, **fields, seed=1, temperature=1.5).status_code == 200
        assert_error(ask(api, **extractive, **{field: PASSED[field]}), 400, field=field)


class TestSeveralAnswers:
    def test_whole(self, api: httpx2.Client, model: OpenAIServer) -> None:
        model.script(say("One."), say("Two."), say("Three.", reason="length"))
        answer = ask(api, n=3, seed=10).json()
        assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
        assert {choice["message"]["content"] for choice in answer["choices"]} == {"One.", "Two.", "Three."}
        assert sorted(choice["finish_reason"] for choice in answer["choices"]) == ["length", "stop", "stop"]
        assert answer["usage"] == {"prompt_tokens": 21, "completion_tokens": 9, "total_tokens": 30}
        assert sorted(request.body["seed"] for request in model.requests) == [10, 11, 12]

    @pytest.mark.parametrize("more", [{}, {"project_id": 1}], ids=["openai", "prem"])
    def test_streamed(self, api: httpx2.Client, model: OpenAIServer, more: dict[str, int]) -> None:
        model.script(say("One", "."), say("Two", "."))
        chunks = chunks_of(ask(api, n=2, stream=True, **more).text)
        said = dict.fromkeys(range(2), "")
        for chunk in chunks:
            (choice,) = chunk["choices"]
            said[choice["index"]] += choice["delta"]["content"]
        assert set(said.values()) == {"One.", "Two."}
        assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[-2:]] == ["stop", "stop"]
        assert [number for number, chunk in enumerate(chunks) if "usage" in chunk] == [len(chunks) - 1]

    def test_as_many_refusals(self, api: httpx2.Client, library: Library) -> None:
        answer = ask(api, n=3, repositories=nowhere(library)).json()
        assert len({choice["message"]["content"] for choice in answer["choices"]}) == 1
        assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]


class TestFormats:
    def test_a_misfit_is_an_error_that_is_not_to_be_tried_again(self, api: httpx2.Client, model: OpenAIServer) -> None:
        model.script(say('{"whom": 1}'))
        response = ask(api, response_format=SCHEMA)
        answer = assert_error(response, 502, says="who", field="response_format")
        assert response.headers["x-should-retry"] == "false"
        assert response.headers["x-request-id"] == answer["trace_id"]

    def test_without_evidence_the_refusal_stands_apart(self, api: httpx2.Client, library: Library) -> None:
        request = {"response_format": SCHEMA, "repositories": nowhere(library)}
        message = ask(api, **request).json()["choices"][0]["message"]
        assert message["content"] is None
        assert "I found nothing" in message["refusal"]
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks_of(ask(api, **request, stream=True).text)]
        assert "".join(each.get("refusal", "") for each in deltas) == message["refusal"]
        assert {each["content"] for each in deltas} == {""}

    def test_a_models_own_refusal_is_no_misfit(self, api: httpx2.Client, model: OpenAIServer) -> None:
        model.script(Reply([delta({"refusal": "I will "}), delta({"refusal": "not."}), finish(), DONE]))
        message = ask(api, response_format=SCHEMA).json()["choices"][0]["message"]
        assert (message["content"], message["refusal"]) == (None, "I will not.")


class TestHeaders:
    def test_every_response_names_its_request(self, api: httpx2.Client, model: OpenAIServer) -> None:
        model.script(say("Yes."), say("Yes."))
        whole = ask(api)
        assert whole.headers["x-request-id"] == whole.json()["trace_id"]
        stream = ask(api, stream=True)
        assert stream.headers["x-request-id"] == chunks_of(stream.text)[-1]["trace_id"]
        seen = {api.get(path).headers["x-request-id"] for path in ("/", "/v1/models", "/nowhere", "/v1/prompt")}
        assert len({uuid.UUID(each) for each in seen}) == 4

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_provider_that_says_when_to_come_again(
        self, api: httpx2.Client, model: OpenAIServer, stream: bool
    ) -> None:
        model.script(refuse(429, "slow down", headers={"retry-after-ms": "32500"}))
        response = ask(api, stream=stream)
        error = assert_error(response, 429, says="slow down")["error"]
        assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
        assert (response.headers["retry-after"], response.headers["retry-after-ms"]) == ("33", "32500")
        assert "x-should-retry" not in response.headers

    def test_errors_that_pass_and_errors_that_stay(self, api: httpx2.Client, model: OpenAIServer) -> None:
        model.script(refuse(500), refuse(401), refuse(429, code="insufficient_quota"))
        told = [ask(api).headers.get("x-should-retry") for _ in range(3)]
        assert told == [None, "false", "false"]

    def test_types_and_codes(self, api: httpx2.Client, nobody: httpx2.Client, model: OpenAIServer) -> None:
        def error(response: httpx2.Response) -> tuple[int, str, str, str | None]:
            told = response.json()["error"]
            return response.status_code, told["type"], told["code"], told["param"]

        assert error(ask(nobody)) == (401, "invalid_request_error", "invalid_api_key", None)
        assert error(ask(api, n=0)) == (400, "invalid_request_error", "invalid_request", "n")
        assert error(ask(api, model="footnote/nope")) == (404, "invalid_request_error", "model_not_found", "model")
        model.script(refuse(503))
        assert error(ask(api)) == (502, "server_error", "provider_error", None)


class TestPaths:
    @pytest.mark.parametrize("prefix", ["/v1", "/openai/v1", "/api/v1"])
    def test_openai(self, api: httpx2.Client, model: OpenAIServer, prefix: str) -> None:
        model.script(say("Yes."))
        answer = ask(api, f"{prefix}/chat/completions").json()
        assert answer["choices"][0]["message"]["content"] == "Yes."
        assert answer["system_fingerprint"].startswith("fp_")

    @pytest.mark.parametrize("prefix", ["/openai/v1", "/api/v1"])
    def test_openai_alone(self, api: httpx2.Client, model: OpenAIServer, prefix: str) -> None:
        path = f"{prefix}/chat/completions"
        no_model = {"project_id": 1, "messages": HEAD["messages"]}
        assert_error(api.post(path, json=no_model), 400, field="model")
        model.script(say("Yes."))
        assert "system_fingerprint" in ask(api, path, project_id=999_999).json()  # not OpenAI's, so it is ignored

    def test_prem_alone(self, api: httpx2.Client, model: OpenAIServer) -> None:
        assert_error(ask(api, "/prem/v1/chat/completions"), 400, field="project_id")
        model.script(say("Yes."))
        answer = ask(api, "/prem/v1/chat/completions", project_id=1).json()
        assert answer["choices"][0]["message"]["template_id"] is None

    def test_the_schema_shows_each_once(self, api: httpx2.Client) -> None:
        schema = api.get("/openapi.json").json()
        paths = schema["paths"]
        for path, name in (("/openai/v1", "OpenAIRequest"), ("/prem/v1", "PremRequest")):
            content = paths[f"{path}/chat/completions"]["post"]["requestBody"]["content"]["application/json"]
            assert content["schema"] == {"$ref": f"#/components/schemas/{name}"}
            assert "messages" in schema["components"]["schemas"][name]["properties"]
        assert "/api/v1/chat/completions" not in paths


def test_off_the_record_leaves_nothing_behind(api: httpx2.Client, model: OpenAIServer, service: RunningService) -> None:
    secret, said = f"question-{uuid.uuid4()}", f"answer-{uuid.uuid4()}"
    model.script(say(said), say(said))
    for stream in (False, True):
        fields = {"store": False, "session_id": "private", "metadata": {"run": "kept"}, "stream": stream}
        assert said in ask(api, messages=[{"role": "user", "content": secret}], **fields).text
    folder = service.settings.data_dir
    written = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert any(b"kept" in each for each in written)
    assert not [each for each in written if secret.encode() in each or said.encode() in each]


def test_who_answered_and_at_what_cost(api: httpx2.Client, model: OpenAIServer) -> None:
    model.script(say("Yes."), say("Yes."))
    answer = ask(api).json()
    assert (answer["model"], answer["provider_name"], answer["provider_id"]) == ("openai/gpt", "openai", "openai")
    assert (answer["attempts"], answer["cached"], answer["cost"]) == ([], False, None)  # nobody knows its price
    last = chunks_of(ask(api, stream=True).text)[-1]
    assert (last["attempts"], last["cached"]) == ([], False)
