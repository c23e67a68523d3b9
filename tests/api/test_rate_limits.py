"""Limits at the real service: the request too many is refused in every format, and every answer tells what is left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.core.types import Scope
from app.settings import Settings
from tests.api.gist_users import asked, assert_gist_error
from tests.api.library import QUESTION, make_key
from tests.api.refusals import assert_error
from tests.doubles.service import RunningService, running_service

LIMIT = 3
ANN = {"X-User-ID": "ann"}
COMPLETIONS = "/v1/chat/completions"
OPENAI: dict[str, Any] = {"model": "default", "messages": [{"role": "user", "content": QUESTION}]}
PREM: dict[str, Any] = {"project_id": 1, "messages": [{"role": "user", "content": QUESTION}]}
RATE = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    limits = {"rate_limit": f"{LIMIT}/day", "failed_key_limit": f"{LIMIT}/day", "run_jobs": False}
    with running_service(tmp_path_factory.mktemp("limited"), **limits) as running:
        yield running


@pytest.fixture
def client(service: RunningService) -> Iterator[httpx2.Client]:
    """With a key of its own, that may still send three requests."""
    with service.client(make_key(service, 1, Scope.READ, Scope.WRITE)) as fresh:
        yield fresh


def use_up(client: httpx2.Client) -> None:
    for _ in range(LIMIT):
        assert client.get("/v1/repositories").status_code == 200


def assert_limited(response: httpx2.Response) -> None:
    assert 86_000 < int(response.headers["retry-after"]) <= 86_400
    assert [response.headers[name] for name in RATE[:2]] == [str(LIMIT), "0"]
    assert "x-should-retry" not in response.headers  # it does help to come again


def test_every_answer_to_a_known_key_tells_what_is_left(client: httpx2.Client) -> None:
    answers = [
        client.get("/v1/repositories"),
        client.get("/v1/repositories/999999"),  # an error
        client.post(COMPLETIONS, json={"model": "default", "messages": []}),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 400]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0"]
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {str(LIMIT)}
    assert all(time.time() < int(answer.headers["x-ratelimit-reset"]) <= time.time() + 86_401 for answer in answers)
    assert answers[0].headers["x-ratelimit-reset"] == answers[2].headers["x-ratelimit-reset"]


def test_who_is_not_known_is_told_nothing(service: RunningService) -> None:
    with service.client(None) as nobody:
        for answer in (nobody.get("/v1/health"), nobody.get("/v1/repositories"), nobody.get("/nowhere")):
            assert not set(RATE) & set(answer.headers)


@pytest.mark.parametrize("body", [OPENAI, PREM], ids=["openai", "prem"])
@pytest.mark.parametrize("stream", [True, False])
def test_one_too_many_in_prems_and_openais_words(client: httpx2.Client, body: dict[str, Any], stream: bool) -> None:
    use_up(client)
    refused = client.post(COMPLETIONS, json=body | {"stream": stream})
    shown = assert_error(refused, 429, says="Come again in")
    assert (shown["code"], shown["error"]["code"]) == (
        "RateLimitError",
        "rate_limit_exceeded",
    )  # what their own servers say
    assert_limited(refused)


def test_one_too_many_in_gists_words(client: httpx2.Client) -> None:
    use_up(client)
    for refused in (
        client.post(COMPLETIONS, json=asked(QUESTION), headers=ANN),
        client.post("/v1/chat", json={"user_prompt": QUESTION}, headers=ANN),
        client.get("/v1/threads", headers=ANN),
    ):
        shown = assert_gist_error(refused, 429, says="Come again in")
        assert (shown["error"], shown["code"]) == ("Too Many Requests", "rate_limited")
        assert_limited(refused)


def test_one_too_many_in_fastapis_words(client: httpx2.Client) -> None:
    use_up(client)
    for refused in (client.get("/v1/repositories"), client.post("/api/parea/v1/project", json={"name": "mine"})):
        assert "Come again in" in refused.json()["detail"]
        assert_limited(refused)


def test_a_stream_tells_too(client: httpx2.Client) -> None:
    with client.stream("POST", COMPLETIONS, json=OPENAI | {"stream": True}) as answer:
        assert answer.headers["x-ratelimit-remaining"] == "2"
        assert "data:" in answer.read().decode()


def test_the_admin_key_is_counted_as_well(service: RunningService) -> None:
    with service.client() as admin:
        statuses = [admin.get("/v1/repositories").status_code for _ in range(LIMIT + 1)]
    assert statuses == [*[200] * LIMIT, 429]


def test_guessing_keys_is_stopped_but_not_those_who_have_one(service: RunningService, client: httpx2.Client) -> None:
    assert client.get("/v1/repositories").status_code == 200
    with service.client("fn-a-guess") as guesser:
        statuses = [guesser.get("/v1/repositories").status_code for _ in range(LIMIT + 1)]
        refused = guesser.post(COMPLETIONS, json=OPENAI)
    assert statuses == [*[401] * LIMIT, 429]
    assert_error(refused, 429, says="wrong keys")
    assert int(refused.headers["retry-after"]) > 86_000
    assert not set(RATE) & set(refused.headers)
    assert client.get("/v1/repositories").status_code == 200
    with service.client(make_key(service, 1)) as newcomer:
        assert newcomer.get("/v1/repositories").status_code == 429


def test_the_defaults_limit_but_not_one_person(tmp_path: Path) -> None:
    limits = {"rate_limit": Settings().rate_limit, "failed_key_limit": Settings().failed_key_limit}
    with running_service(tmp_path, run_jobs=False, **limits) as service, service.client() as admin:
        answer = admin.get("/v1/repositories")
    assert int(answer.headers["x-ratelimit-remaining"]) > 5_000
