"""/v1/models in OpenAI's format, and /v1/models/ in Prem's."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.api.library import make_key, make_project
from tests.api.refusals import NOT_THERE, assert_error, assert_needs_key
from tests.doubles.service import RunningService

EXTRACTIVE = "footnote/extractive"
EMBEDDING = "footnote/hashing"
PREM_PROVIDERS = {"openai", "azure", "anthropic", "prem", "groq", "proxy-prem-ai"}
PREFIXES = ["/v1", "/openai/v1", "/api/v1"]


def models_of(client: httpx2.Client, prefix: str = "/v1") -> dict[str, dict[str, Any]]:
    response = client.get(f"{prefix}/models")
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["object"] == "list"
    return {model["id"]: model for model in body["data"]}


class TestOpenAI:
    @pytest.mark.parametrize("prefix", PREFIXES)
    def test_lists_ours_first_and_what_is_named(self, api: httpx2.Client, prefix: str) -> None:
        models = models_of(api, prefix)
        assert list(models)[:2] == [EXTRACTIVE, EMBEDDING]
        assert {"ollama/qwen3:8b", "openai/org/mine", "openai/gpt-4o-mini"} <= models.keys()
        for model in models.values():
            assert model["object"] == "model"
            assert model["owned_by"] == model["id"].partition("/")[0]
            assert type(model["created"]) is int

    def test_says_what_is_known_and_null_for_the_rest(self, api: httpx2.Client) -> None:
        models = models_of(api)
        ours = {"currency": "USD", "input_per_million_tokens": 0.5, "output_per_million_tokens": 1.5}
        assert models["openai/org/mine"]["pricing"] == ours
        assert models["openai/org/mine"]["context_length"] == 8192
        assert models["openai/gpt-4o-mini"]["context_length"] == 128_000
        assert models["openai/gpt-4o-mini"]["pricing"]["input_per_million_tokens"] == 0.15
        assert models["openai/gpt-4o-mini"]["capabilities"] == {
            "text_input": True,
            "text_output": True,
            "embeddings": False,
            "streaming": True,
            "tools": None,
        }
        assert models[EMBEDDING]["capabilities"]["embeddings"] is True
        assert models[EMBEDDING]["dimensions"] == 384
        assert models[EXTRACTIVE]["context_length"] is None

    @pytest.mark.parametrize("prefix", PREFIXES)
    @pytest.mark.parametrize("escape", ["/", "%2F"])
    @pytest.mark.parametrize("model", [EXTRACTIVE, "openai/org/mine", "ollama/qwen3:8b"])
    def test_one_is_as_it_is_listed(self, api: httpx2.Client, prefix: str, escape: str, model: str) -> None:
        response = api.get(f"{prefix}/models/{model.replace('/', escape)}")
        assert response.status_code == 200, response.text
        assert response.json() == models_of(api)[model]

    @pytest.mark.parametrize("prefix", PREFIXES)
    @pytest.mark.parametrize(
        "model", ["gpt-4o", "openai/gpt-4o", "footnote/other", "nobody/x", "footnote%2Fextractive/", "a//b", "%00"]
    )
    def test_another_is_not_found(self, api: httpx2.Client, prefix: str, model: str) -> None:
        body = assert_error(api.get(f"{prefix}/models/{model}"), 404, says="GET /v1/models")
        assert body["error"]["code"] == "model_not_found"
        assert body["code"] == "ModelNotFoundError"

    def test_default_is_the_projects(self, service: RunningService) -> None:
        with service.client(make_key(service, make_project(service, "Defaults"))) as own:
            assert own.get("/v1/models/default").json()["id"] == EXTRACTIVE
            own.patch("/v1/project", json={"model": "ollama/nobody-named-me"})
            chosen = own.get("/v1/models/default").json()
            assert chosen["id"] == "ollama/nobody-named-me"
            assert models_of(own)["ollama/nobody-named-me"] == chosen
            own.patch("/v1/project", json={"model": "nobody/x"})
            assert_error(own.get("/v1/models/default"), 404, says="'nobody/x' cannot be called")
            assert "nobody/x" not in models_of(own)

    def test_a_projects_default_is_its_own_affair(self, service: RunningService, api: httpx2.Client) -> None:
        with service.client(make_key(service, make_project(service, "Secret"))) as own:
            own.patch("/v1/project", json={"model": "ollama/secret"})
            assert "ollama/secret" in models_of(own)
        assert "ollama/secret" not in models_of(api)
        assert_error(api.get("/v1/models/ollama/secret"), 404)

    @pytest.mark.parametrize("path", ["models", "models/footnote/extractive", "models/default"])
    @pytest.mark.parametrize("prefix", PREFIXES)
    def test_needs_a_key(self, nobody: httpx2.Client, prefix: str, path: str) -> None:
        assert_needs_key(nobody, "GET", f"{prefix}/{path}")

    def test_reading_is_enough(self, reader: httpx2.Client) -> None:
        assert EXTRACTIVE in models_of(reader)


class TestPrem:
    def test_the_array_is_the_same_list(self, api: httpx2.Client) -> None:
        array = api.get("/v1/models/").json()
        assert isinstance(array, list)
        assert {model["name"]: model["id"] for model in array} == {
            name: model["number"] for name, model in models_of(api).items()
        }
        for model in array:
            assert 1 <= model["id"] < 2**31
            assert model["model_provider"] in PREM_PROVIDERS
            assert model["deprecated"] in (True, False)
        kinds = {model["name"]: model["model_type"] for model in array}
        assert kinds[EXTRACTIVE] == "text2text"
        assert kinds[EMBEDDING] == "text2vector"

    def test_one_by_its_number(self, api: httpx2.Client) -> None:
        for model in api.get("/v1/models/").json():
            assert api.get(f"/v1/models/{model['id']}/").json() == model
        providers = {model["name"]: model["model_provider"] for model in api.get("/v1/models/").json()}
        assert providers["openai/gpt-4o-mini"] == "openai"
        assert providers["ollama/qwen3:8b"] == "prem"

    def test_another_number_is_not_found(self, api: httpx2.Client) -> None:
        for number in (NOT_THERE, 0, -1, 10**30):
            assert assert_error(api.get(f"/v1/models/{number}/"), 404)["code"] == "ModelNotFoundError"
        assert_error(api.get("/v1/models/abc/"), 400, field="number")
        assert_error(api.get(f"/v1/models/{'9' * 5000}/"), 400, field="number")

    @pytest.mark.parametrize("prefix", PREFIXES[1:])
    def test_is_only_where_its_clients_look(self, api: httpx2.Client, prefix: str) -> None:
        assert_error(api.get(f"{prefix}/models/"), 404)

    def test_needs_a_key(self, nobody: httpx2.Client) -> None:
        assert_needs_key(nobody, "GET", "/v1/models/")
        assert_needs_key(nobody, "GET", "/v1/models/1/")
