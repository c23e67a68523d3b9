"""schemathesis asks the running service all that its OpenAPI document allows, and much that it does not.

As a command of its own: what this process has imported would change what hypothesis draws: the same, every time.
It has a project and a key of its own, so that what it deletes and changes is nobody else's.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.api.library import PAGES, QUESTION, make_key, make_project, upload
from tests.doubles.service import RunningService

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
LEFT_OUT = {
    "/v1/prompt/stream": "it never ends; its beginning is looked at below",
}
EXAMPLES = 10  # of each route, beside those of the document
LONGEST_S = 300  # only ever spent by a test that is about to fail


@pytest.fixture(scope="module")
def key(service: RunningService) -> str:
    return make_key(service, make_project(service, "Schemathesis"))


@pytest.fixture(scope="module")
def client(service: RunningService, key: str) -> Iterator[httpx2.Client]:
    """In a project that has some of everything."""
    with service.client(key, headers={"x-user-id": "somebody"}) as client:
        repository = client.post("/v1/repositories", json={"name": "Handbook"}).json()["id"]
        for name, text in PAGES.items():
            upload(client, repository, name, text)
        client.post("/v1/prompts", json={"name": "borrowing", "messages": [{"content": "How long may I keep {{it}}?"}]})
        client.post("/v1/chat", json={"user_prompt": QUESTION}).raise_for_status()
        client.post("/v1/chat", json={"user_prompt": "Who painted the ceiling?"}).raise_for_status()
        parea = "/api/parea/v1"
        client.post(f"{parea}/experiment", json={"name": "e", "run_name": "1"}).raise_for_status()
        client.post(
            f"{parea}/collection", json={"name": "d", "test_cases": [{"inputs": {"q": "x"}}]}
        ).raise_for_status()
        yield client


@pytest.mark.slow
def test_no_answer_is_a_surprise(service: RunningService, client: httpx2.Client, key: str, tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/openapi.json"),
        *("--header", f"Authorization: Bearer {key}"),
        *("--checks", ",".join(CHECKS)),
        *("--phases", "examples,fuzzing"),
        *("--max-examples", str(EXAMPLES)),
        *("--generation-deterministic", "--continue-on-failure", "--no-shrink", "--no-color"),
        *("--warnings", "off"),
        *("--suppress-health-check", "all"),  # `/v1/models/{model}` has a slash in it, which most drawn texts have not
        *(part for path in LEFT_OUT for part in ("--exclude-path", path)),
    ]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]
    operations = [each for path in client.get("/openapi.json").json()["paths"].values() for each in path]
    assert f"Tested: {len(operations) - len(LEFT_OUT)}" in run.stdout


def test_what_never_ends_begins_as_documented(client: httpx2.Client) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/prompt/stream"]["get"]
    with client.stream("GET", "/v1/prompt/stream", params={"projectId": "borrowing"}) as answer:
        assert answer.status_code == 200
        media_type = answer.headers["content-type"].partition(";")[0]
        assert media_type in operation["responses"]["200"]["content"]
        assert next(answer.iter_lines()).startswith("data: {")
    assert client.get("/v1/prompt/stream", params={"projectId": "nothing"}).status_code == 404
