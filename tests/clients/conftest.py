"""One real service for all clients, with two small files in it and a scripted model server behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.corpus import FILES
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
    """A repository that holds the corpus, ingested and searchable."""
    repository = service.post("/v1/repositories", json={"name": "Vendors' clients"})
    for name, text in FILES.items():
        service.post(
            f"/v1/repositories/{repository['id']}/documents",
            params={"wait": "true"},
            files={"file": (name, text.encode(), "text/plain")},
        )
    number = repository["id"]
    assert isinstance(number, int)
    return number
