"""OpenAI's and Prem's own clients read the list of models, each in its own format."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients import openai_clients, prem_clients
from tests.clients.service_process import Service
from tests.clients.vendor_process import ClientProcess

EXTRACTIVE = "footnote/extractive"
EMBEDDING = "footnote/all-MiniLM-L6-v2"
pytestmark = pytest.mark.peer
OPENAI = pytest.mark.parametrize("client", openai_clients.PROCESSES, ids=["openai-python", "openai-node"])


def ask(client: ClientProcess, service: Service, mode: str, **request: Any) -> dict[str, Any]:
    return client.ask(service.url, service.key, mode, request)


@OPENAI
def test_openais_clients_list_and_retrieve(client: ClientProcess, service: Service) -> None:
    models = {model["id"]: model for model in ask(client, service, "models")["models"]}
    assert {EXTRACTIVE, EMBEDDING} <= models.keys()
    for name in (EXTRACTIVE, EMBEDDING):
        model = ask(client, service, "model", model=name)
        assert model == models[name]
        assert (model["object"], model["owned_by"]) == ("model", "footnote")
        assert model["pricing"]["input_per_million_tokens"] == 0
        assert model["capabilities"]["embeddings"] is (name == EMBEDDING)
    assert ask(client, service, "model", model="default")["id"] == EXTRACTIVE


@OPENAI
def test_openais_clients_are_told_of_no_model_by_type(client: ClientProcess, service: Service) -> None:
    error = ask(client, service, "model", model="openai/nobody-knows-me")
    assert (error["error"], error["status"], error["code"]) == ("NotFoundError", 404, "model_not_found")


@prem_clients.EVERY_CLIENT
def test_prems_clients_list_and_retrieve(client: ClientProcess, service: Service) -> None:
    models = {model["name"]: model for model in ask(client, service, "models")["models"]}
    assert models[EXTRACTIVE]["model_type"] == "text2text"
    assert models[EMBEDDING]["model_type"] == "text2vector"
    for name in (EXTRACTIVE, EMBEDDING):
        assert ask(client, service, "model", id=models[name]["id"]) == models[name]
        assert models[name]["model_provider"] == "prem"
        assert models[name]["deprecated"] is False


@prem_clients.EVERY_CLIENT
def test_prems_clients_are_told_of_no_model(client: ClientProcess, service: Service) -> None:
    error = ask(client, service, "model", id=1)["error"]
    assert error.get("status", 404) == 404  # prem-sdk throws the body alone
    assert error["code"] == "ModelNotFoundError"
