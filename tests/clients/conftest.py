"""One real service for all clients, with two small files in it and a scripted model server behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.clients import langchain_client, openai_clients, parea_client, prem_clients
from tests.clients.corpus import FILES, LEDGER
from tests.clients.service_process import Service, running_service
from tests.doubles.openai_server import OpenAIServer

FOLDER = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps these tests in one process: they share the service and the clients, which take seconds to start."""
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.xdist_group("clients"))


@pytest.fixture(scope="session")
def scripted_models() -> Iterator[OpenAIServer]:
    """The OpenAI-compatible server that the service calls for models named `openai/...`."""
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def model_server(scripted_models: OpenAIServer) -> OpenAIServer:
    """That server without a script and without requests, whatever the test before left in it."""
    scripted_models.clear()
    return scripted_models


@pytest.fixture(scope="session")
def service(scripted_models: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The real service, run as its own process with default settings but for the model server."""
    environment = {"OPENAI_BASE_URL": scripted_models.url, "OPENAI_API_KEY": "sk-test"}
    with running_service(tmp_path_factory.mktemp("service"), environment) as running:
        yield running
        others = (*openai_clients.PROCESSES, langchain_client.PROCESS, parea_client.PROCESS)
        for process in (*prem_clients.CLIENTS.values(), *others):
            process.close()


@pytest.fixture(scope="session")
def repository_id(service: Service) -> int:
    """A repository that holds two small files, ingested and searchable."""
    return _repository(service, "Vendors' clients", FILES)


@pytest.fixture(scope="session")
def ledger_id(service: Service) -> int:
    """A repository of sixty long paragraphs that say the same."""
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
