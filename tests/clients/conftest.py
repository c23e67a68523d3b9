"""One real service for all clients, with two small files in it and a scripted model server behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.clients.corpus import FILES, LEDGER
from tests.clients.service_process import Service, running_service
from tests.doubles.openai_server import OpenAIServer


@pytest.fixture(scope="session")
def model_server() -> Iterator[OpenAIServer]:
    """The OpenAI-compatible server that the service calls for models named `openai/...`."""
    with OpenAIServer() as server:
        yield server


@pytest.fixture(scope="session")
def service(model_server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The real service, run as its own process with default settings but for the model server."""
    environment = {"OPENAI_BASE_URL": model_server.url, "OPENAI_API_KEY": "sk-test"}
    with running_service(tmp_path_factory.mktemp("service"), environment) as running:
        yield running


@pytest.fixture(scope="session")
def repository_id(service: Service) -> int:
    """A repository that holds two small files, ingested and searchable."""
    return _repository(service, "Vendors' clients", FILES)


@pytest.fixture(scope="session")
def ledger_id(service: Service) -> int:
    """A repository of sixty long paragraphs that are all alike."""
    return _repository(service, "Ledger", LEDGER)


def _repository(service: Service, name: str, files: Mapping[str, str]) -> int:
    number = service.post("/v1/repositories", json={"name": name})["id"]
    assert isinstance(number, int)
    for file, text in files.items():
        service.post(
            f"/v1/repositories/{number}/documents",
            params={"wait": "true"},
            files={"file": (file, text.encode(), "text/plain")},
        )
    return number
