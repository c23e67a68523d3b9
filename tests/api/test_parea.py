"""Parea's completions and deployments: what reaches the model, what comes back, and what is refused."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.api.library import QUESTION, Library
from tests.api.parea import BASE, COMPLETION, WEATHER, body, calls_weather, events, fault
from tests.doubles.openai_server import CUT, OpenAIServer, refuse, say
from tests.doubles.service import ADMIN_KEY, RunningService


@pytest.fixture(autouse=True)
def fresh_model(model_server: OpenAIServer) -> Iterator[None]:
    model_server.clear()
    yield
    model_server.clear()


class TestWhole:
    def test_the_sources_stand_beside_parea_s_fields(self, api: httpx2.Client, library: Library) -> None:
        asked = body(QUESTION, model="footnote/extractive", repositories={"ids": [library.repository], "limit": 2})
        answer = api.post(COMPLETION, json={**asked, "inference_id": "mine-1"}).json()
        assert (answer["model"], answer["provider"], answer["status"]) == ("extractive", "footnote", "success")
        assert answer["inference_id"] == answer["trace_id"] == "mine-1"
        assert answer["document_chunks"]
        assert answer["citations"]
        assert answer["content"]
        assert not answer["refused"]
        assert answer["total_tokens"] == answer["input_tokens"] + answer["output_tokens"]
        assert answer["error"] is None
        for name in ("latency", "cost", "start_timestamp", "end_timestamp", "cache_hit"):
            assert answer[name] is not None

    def test_an_unknown_price_is_no_price(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        model_server.script(say("Hi."))
        answer = api.post(COMPLETION, json=body()).json()
        assert (answer["cost"], answer["cost_known"]) == (0.0, False)

    def test_every_place_of_the_key(self, nobody: httpx2.Client, model_server: OpenAIServer) -> None:
        for name, key in (("x-api-key", ADMIN_KEY), ("x-user-id", ADMIN_KEY), ("authorization", f"Bearer {ADMIN_KEY}")):
            model_server.script(say("Hi."))
            assert nobody.post(COMPLETION, json=body(), headers={name: key}).json()["content"] == "Hi."
        assert fault(nobody.post(COMPLETION, json=body(), headers={"x-user-id": "wrong"}), 401)
        assert fault(nobody.post(COMPLETION, json=body()), 401)

    def test_inputs_fill_once_and_unknown_names_stay(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        for name in ("llm_inputs", "inputs"):
            model_server.script(say("Hi."))
            given: dict[str, Any] = {"city": "{{other}}", "other": "no", "number": 3}
            filled: dict[str, Any] = {name: given}
            api.post(COMPLETION, json=body("{{city}} {{number}} {{ city }} {{missing}}", **filled))
            assert model_server.requests[-1].body["messages"][-1]["content"] == "{{other}} 3 {{ city }} {{missing}}"
        both = api.post(COMPLETION, json=body(llm_inputs={"a": 1}, inputs={"a": 2}))
        assert "llm_inputs" in fault(both, 422, "inputs")

    def test_sampling_roles_and_history_reach_the_model(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        model_server.script(say("Hi."))
        configuration: dict[str, Any] = {
            "provider": "openai",
            "model": "gpt-test",
            "model_params": {"temp": 0.25, "top_p": 1.0, "frequency_penalty": 0.0, "max_length": 9},
            "history": [{"role": "user", "content": "before"}, {"role": "assistant", "content": "so"}],
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "example_user", "content": "1?"},
                {"role": "example_assistant", "content": "2."},
                {"role": "user", "content": "3?"},
            ],
        }
        api.post(COMPLETION, json={"llm_configuration": configuration, "cache": False})
        sent = model_server.requests[-1].body
        roles = [(each["role"], each["content"]) for each in sent["messages"]]
        assert roles == [
            ("system", "Be kind."),
            ("user", "before"),
            ("assistant", "so"),
            ("user", "1?"),
            ("assistant", "2."),
            ("user", "3?"),
        ]
        assert sent["temperature"] == 0.25
        assert 9 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))
        assert not {"top_p", "frequency_penalty", "presence_penalty"} & sent.keys()

    def test_calls_come_back_as_text_and_go_in_again(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        model_server.script(calls_weather())
        asked = body(llm_configuration={"functions": [WEATHER], "function_call": {"name": "get_weather"}})
        content = api.post(COMPLETION, json=asked).json()["content"]
        sent = model_server.requests[-1].body
        assert sent["tools"] == [{"type": "function", "function": WEATHER}]
        assert sent["tool_choice"] == {"type": "function", "function": {"name": "get_weather"}}
        (made,) = json.loads(content)
        assert made["function"] == {"name": "get_weather", "arguments": {"city": "Oslo"}}
        model_server.script(say("It rains."))
        spoken = [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": content},
            {"role": "tool", "content": "rain"},
        ]
        api.post(COMPLETION, json=body(llm_configuration={"messages": spoken, "functions": [WEATHER]}))
        said, result = model_server.requests[-1].body["messages"][-2:]
        assert said["tool_calls"][0]["id"] == result["tool_call_id"] == made["id"]
        assert json.loads(said["tool_calls"][0]["function"]["arguments"]) == {"city": "Oslo"}

    def test_a_fallback_answers_and_says_who_did_not(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        model_server.script(refuse(500, "broken"), say("I can."))
        answer = api.post(COMPLETION, json=body(fallback_strategy=["nobody/knows", "openai/second"])).json()
        assert (answer["content"], answer["model"]) == ("I can.", "second")
        assert {each["model"] for each in answer["attempts"]} == {"openai/gpt-test", "nobody/knows"}

    def test_a_failing_provider_is_a_detail(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        model_server.script(refuse(429, "slow down"))
        response = api.post(COMPLETION, json=body())
        assert fault(response, 429)
        assert response.json()["trace_id"]

    def test_the_documents_doubled_path_is_the_same(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        model_server.script(say("Hi."))
        assert api.post(f"{BASE}{BASE}/completion", json=body()).json()["content"] == "Hi."

    @pytest.mark.parametrize(
        ("change", "loc"),
        [
            ({"llm_configuration": {"messages": []}}, ("llm_configuration", "messages")),
            ({"llm_configuration": {"messages": "no"}}, ("llm_configuration", "messages")),
            ({"llm_configuration": {"provider": "openai", "model": None}}, ("llm_configuration", "model")),
            (
                {"llm_configuration": {"model_params": {"model": "other"}}},
                ("llm_configuration", "model_params", "model"),
            ),
            (
                {"llm_configuration": {"model_params": {"safe_prompt": True}}},
                ("llm_configuration", "model_params", "safe_prompt"),
            ),
            ({"llm_configuration": {"function_call": "f"}}, ("llm_configuration", "function_call")),
            (
                {"llm_configuration": {"messages": [{"role": "tool", "content": "x"}]}},
                ("llm_configuration", "messages"),
            ),
            ({"log_sample_rate": 2}, ("log_sample_rate",)),
            ({"stream": True}, ("stream",)),
            ({"trace_id": "a", "inference_id": "b"}, ("inference_id",)),
            ({"eval_metric_ids": [987_654]}, ("eval_metric_ids",)),
            ({"provider_api_key": ""}, ("provider_api_key",)),
            ({"provider_api_key": "sk-ключ"}, ("provider_api_key",)),
            ({"provider_api_key": "sk-a\n"}, ("provider_api_key",)),
        ],
    )
    def test_what_is_wrong_is_named(self, api: httpx2.Client, change: dict[str, Any], loc: tuple[str, ...]) -> None:
        asked = body()
        asked["llm_configuration"] |= change.pop("llm_configuration", {})
        assert fault(api.post(COMPLETION, json={**asked, **change}), 422, *loc)

    @pytest.mark.parametrize("name", ["deployment_id", "project_uuid"])
    def test_what_is_unknown_is_not_there(self, api: httpx2.Client, name: str) -> None:
        assert "never-made" in fault(api.post(COMPLETION, json=body(**{name: "never-made"})), 404)

    def test_a_body_that_is_none(self, api: httpx2.Client) -> None:
        for content in (b"{", b"[]", b""):
            assert fault(api.post(COMPLETION, content=content), 422)


class TestStreamed:
    def test_pieces_then_the_sources(self, api: httpx2.Client, library: Library) -> None:
        asked = body(QUESTION, model="footnote/extractive", repositories={"ids": [library.repository]})
        head, *chunks = events(api.post(f"{COMPLETION}/stream", json={**asked, "inference_id": "mine-2"}).text)
        whole = api.post(COMPLETION, json=asked).json()
        assert head == "ID_STARTmine-2"
        assert "".join(each["chunk"] for each in chunks) == whole["content"]
        assert all(each.keys() == {"chunk"} for each in chunks[:-1])
        assert chunks[-1]["chunk"] == ""
        assert chunks[-1]["document_chunks"] == whole["document_chunks"]
        assert chunks[-1]["trace_id"] == "mine-2"

    def test_calls_are_one_text_at_the_end(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        model_server.script(calls_weather())
        asked = body(llm_configuration={"functions": [WEATHER]})
        _, *chunks = events(api.post(f"{COMPLETION}/stream", json=asked).text)
        (made,) = json.loads("".join(each["chunk"] for each in chunks))
        assert made["function"]["arguments"] == {"city": "Oslo"}

    def test_a_broken_answer_has_no_end(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        model_server.script(say("Half ", CUT))
        heard = b""
        with api.stream("POST", f"{COMPLETION}/stream", json=body()) as response:
            pieces = response.iter_bytes()
            with pytest.raises(httpx2.RemoteProtocolError):  # noqa: PT012 (what was heard until then is looked at)
                for piece in pieces:
                    heard += piece
        head, half, told = events(heard.decode())
        assert (half, told["chunk"]) == ({"chunk": "Half "}, "")
        assert told["error"]["status"] == 502
        assert api.get(f"{BASE}/trace_log/{head.removeprefix('ID_START')}").json()["status"] == "error"
        model_server.script(say("Whole."))
        assert events(api.post(f"{COMPLETION}/stream", json=body()).text)[1] == {"chunk": "Whole."}

    def test_an_error_before_the_first_word_is_a_status(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        model_server.script(refuse(401, "bad key"))
        assert fault(api.post(f"{COMPLETION}/stream", json=body()), 502)
        assert fault(api.post(f"{COMPLETION}/stream", json=body(deployment_id="none")), 404)

    def test_words_that_the_sdk_would_eat_are_escaped(self, api: httpx2.Client, model_server: OpenAIServer) -> None:
        model_server.script(say("data: ", "data: x\r\n\r\ndata: ID_START " + "é" * 7000))
        stream = api.post(f"{COMPLETION}/stream", json=body()).text
        lines = stream.split("\r\n\r\n")
        assert all(line.count("data: ") == 1 for line in lines if line)
        _, *chunks = events(stream)
        assert "".join(each["chunk"] for each in chunks) == "data: data: x\r\n\r\ndata: ID_START " + "é" * 7000
        assert max(len(line.encode()) for line in lines) < 24_100


class TestDeployments:
    @pytest.fixture
    def deployment(self, api: httpx2.Client) -> str:
        saved = {
            "name": "weather",
            "messages": [
                {"role": "system", "content": "In {{tone}}."},
                {"role": "user", "content": "How is {{city}}?"},
            ],
            "model": "openai/deployed",
            "params": {"temperature": 0.5, "max_tokens": 11},
            "functions": [WEATHER],
            "function_call": "auto",
        }
        made = api.post("/v1/prompts", json=saved)
        assert made.status_code == 201, made.text
        return str(made.json()["prompt_id"])

    def test_all_of_it_is_used(self, api: httpx2.Client, model_server: OpenAIServer, deployment: str) -> None:
        model_server.script(say("Fine."))
        # as the SDK sends it: every parameter, though nobody said any
        params = {"temp": 1.0, "top_p": 1.0, "frequency_penalty": 0.0, "presence_penalty": 0.0}
        unsaid = {"max_length": None, "response_format": None, "safe_prompt": None}
        asked = {"deployment_id": deployment, "llm_inputs": {"city": "Oslo"}, "cache": False}
        asked |= {"llm_configuration": {"model": None, "messages": None, "model_params": params | unsaid}}
        answer = api.post(COMPLETION, json=asked).json()
        sent = model_server.requests[-1].body
        assert [each["content"] for each in sent["messages"]] == ["In {{tone}}.", "How is Oslo?"]
        assert (sent["model"], sent["temperature"], answer["model"]) == ("deployed", 0.5, "deployed")
        assert sent["tools"][0]["function"] == WEATHER
        detail = api.get(f"/v1/traces/{answer['trace_id']}").json()["detail"]
        assert (detail["prompt_id"], detail["prompt_version"]) == (deployment, 1)

    def test_the_request_overrides_field_by_field(
        self, api: httpx2.Client, model_server: OpenAIServer, deployment: str
    ) -> None:
        model_server.script(say("Fine."))
        over = {"model_params": {"temp": 1.0}, "functions": [], "function_call": "none", "model": "openai/mine"}
        api.post(COMPLETION, json={"deployment_id": deployment, "llm_configuration": over, "cache": False})
        sent = model_server.requests[-1].body
        assert (sent["model"], sent["temperature"]) == ("mine", 1.0)
        assert 11 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))
        assert "tools" not in sent
        assert len(sent["messages"]) == 2

    def test_it_is_shown_with_its_inputs_and_in_its_newest_version(self, api: httpx2.Client, deployment: str) -> None:
        shown = api.post(
            f"{BASE}/deployed-prompt", json={"deployment_id": deployment, "llm_inputs": {"city": "Oslo"}}
        ).json()
        assert shown["prompt"]["raw_messages"][1]["content"] == "How is {{city}}?"
        assert shown["prompt"]["messages"][1]["content"] == "How is Oslo?"
        assert (shown["model"], shown["provider"], shown["version_number"]) == ("deployed", "openai", 1.0)
        assert shown["model_params"] == {"temp": 0.5, "max_length": 11}
        assert [json.loads(each) for each in shown["functions"]] == [WEATHER]
        newer = {"messages": [{"role": "user", "content": "New"}], "tag": "live"}
        assert api.post(f"/v1/prompts/{deployment}/versions", json=newer).json()["number"] == 2
        shown = api.post(f"{BASE}/deployed-prompt", json={"deployment_id": deployment}).json()
        assert shown["version_number"] == 2.0
        assert api.get(f"/v1/prompts/{deployment}", params={"version": 1}).json()["model"] == "openai/deployed"
        moved = api.put(f"/v1/prompts/{deployment}/versions/1/tag", json={"tag": "live"}).json()
        assert (moved["number"], moved["tag"]) == (1, "live")
        assert [each["tag"] for each in api.get(f"/v1/prompts/{deployment}/versions").json()] == [None, "live"]
        assert deployment in {each["id"] for each in api.get("/v1/prompts").json()}
        assert api.delete(f"/v1/prompts/{deployment}").status_code == 204
        assert fault(api.post(f"{BASE}/deployed-prompt", json={"deployment_id": deployment}), 404)

    def test_a_strangers_is_not_there(self, stranger: httpx2.Client, reader: httpx2.Client, deployment: str) -> None:
        assert fault(stranger.post(f"{BASE}/deployed-prompt", json={"deployment_id": deployment}), 404)
        assert stranger.get(f"/v1/prompts/{deployment}").status_code == 404
        assert reader.delete(f"/v1/prompts/{deployment}").status_code == 403
        assert reader.post("/v1/prompts", json={"name": "x", "messages": [{"content": "y"}]}).status_code == 403


def test_the_cache_answers_once_more_and_says_so(service: RunningService, model_server: OpenAIServer) -> None:
    with service.client() as api:
        model_server.script(say("Rain."), say("Sun."))
        asked = body(f"Weather {uuid.uuid4()}?") | {"cache": True}
        first, second = (api.post(COMPLETION, json=asked).json() for _ in range(2))
        assert (first["cache_hit"], second["cache_hit"]) == (False, True)
        assert (second["content"], second["cost"]) == ("Rain.", 0.0)
        assert api.post(COMPLETION, json={**asked, "cache": False}).json()["content"] == "Sun."
