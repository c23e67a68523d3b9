"""What only some installations say to browsers: which other origins may call, and that all traffic is TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.service import running_service

OURS, OTHER = "https://chat.example", "https://elsewhere.example"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}


def test_an_origin_that_is_named_may_call_and_no_other(tmp_path: Path) -> None:
    settings = {"run_jobs": False, "cors_origins": f" {OURS}, https://app.example ", "behind_tls": True}
    with running_service(tmp_path, **settings) as service, service.client() as client:
        asked = client.options("/v1/chat/completions", headers={"origin": OURS, **PREFLIGHT})
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == OURS
        assert "authorization" in asked.headers["access-control-allow-headers"]
        answered = client.get("/v1/repositories", headers={"origin": OURS})
        assert answered.headers["access-control-allow-origin"] == OURS
        assert answered.headers["strict-transport-security"].startswith("max-age=")
        refused = client.options("/v1/chat/completions", headers={"origin": OTHER, **PREFLIGHT})
        assert refused.status_code == 400
        assert "access-control-allow-origin" not in client.get("/v1/repositories", headers={"origin": OTHER}).headers


def test_what_we_did_not_expect_is_in_the_log_and_not_in_the_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_service(tmp_path, run_jobs=False) as service, service.client() as client:
        assert client.post("/graphql", json={"query": "{ todos { id } }"}).json() == {"data": {"todos": []}}
        for path in tmp_path.glob("footnote.sqlite*"):
            path.write_bytes(b"this is no database, and was never one" * 100)
        answer = client.post("/graphql", json={"query": "{ todos { id } }"})
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "unavailable"
    assert "sqlite" not in answer.text.lower()
    logged = [record for record in caplog.records if getattr(record, "trace_id", "") == error["extensions"]["trace_id"]]
    assert [record.exc_info is not None for record in logged] == [True]
