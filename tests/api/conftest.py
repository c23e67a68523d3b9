"""One service for all route tests, with small limits, a scripted model behind it, and two projects in it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from app.core.types import Scope
from tests.api.library import PAGES, Library, make_key, make_project, upload
from tests.doubles.openai_server import OpenAIServer
from tests.doubles.service import RunningService, running_service

LIMITS = {
    "max_request_bytes": 65_536,
    "graphql_max_chars": 20_000,
    "max_upload_bytes": 200_000,
    "max_upload_request_bytes": 1_000_000,
    "max_files_per_upload": 5,
    "model_retries": 0,
    "max_embedding_inputs": 20,
    "max_embedding_tokens": 2_000,
    "models": ("ollama/qwen3:8b", "openai/org/mine", "openai/gpt-4o-mini"),
    "prices": {"openai/org/mine": {"input": 0.5, "output": 1.5, "context_length": 8192}},
}


# A package's, not a session's: the job engine is one a process, and other folders' tests start their own.
@pytest.fixture(scope="package")
def model_server() -> Iterator[OpenAIServer]:
    """What the service calls for models named `openai/...`."""
    with OpenAIServer() as server:
        yield server


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory, model_server: OpenAIServer) -> Iterator[RunningService]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", model_server.url)
        patch.setenv("OPENAI_API_KEY", "sk-test")
        with running_service(tmp_path_factory.mktemp("data"), **LIMITS) as running:
            yield running


@pytest.fixture(scope="package")
def api(service: RunningService) -> Iterator[httpx2.Client]:
    """With the admin key, in project 1."""
    with service.client() as client:
        yield client


@pytest.fixture(scope="package")
def nobody(service: RunningService) -> Iterator[httpx2.Client]:
    """With no key."""
    with service.client(None) as client:
        yield client


@pytest.fixture(scope="package")
def stranger(service: RunningService) -> Iterator[httpx2.Client]:
    """With a good key of another project."""
    project = make_project(service, "Strangers")
    with service.client(make_key(service, project)) as client:
        yield client


@pytest.fixture(scope="package")
def reader(service: RunningService) -> Iterator[httpx2.Client]:
    """With a key of project 1 that may only read."""
    with service.client(make_key(service, 1, Scope.READ)) as client:
        yield client


@pytest.fixture(scope="package")
def library(api: httpx2.Client) -> Library:
    """A repository that holds two indexed documents; tests only read it."""
    repository = api.post("/v1/repositories", json={"name": "Library"}).json()["id"]
    tools, hours = (upload(api, repository, name, text) for name, text in PAGES.items())
    return Library(repository, tools["id"], hours["id"], tools["job"]["id"])


@pytest.fixture
def repository(api: httpx2.Client) -> Iterator[int]:
    """An empty repository of the test's own."""
    number = api.post("/v1/repositories", json={"name": "Own"}).json()["id"]
    yield number
    api.delete(f"/v1/repositories/{number}")
