"""Health, the pages for people, and what the service says of itself."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest

from tests.doubles.service import RunningService, running_service

PARTS = {"database", "vectors", "words", "embedder", "jobs"}


class TestHealth:
    def test_is_public_and_names_each_part(self, nobody: httpx2.Client) -> None:
        answer = nobody.get("/v1/health")
        assert answer.status_code == 200
        assert answer.json()["status"] == "healthy"
        assert answer.json()["services"].keys() == PARTS
        assert {part["status"] for part in answer.json()["services"].values()} == {"operational"}

    def test_a_part_that_does_not_work_is_named(self, tmp_path: Path) -> None:
        outside = {"run_jobs": False, "vector_url": "http://127.0.0.1:9"}  # a port that nobody listens on
        with running_service(tmp_path, **outside) as service, service.client(None) as client:
            answer = client.get("/v1/health")
        assert answer.status_code == 503
        parts = answer.json()["services"]
        assert answer.json()["status"] == "unhealthy"
        assert {name for name, part in parts.items() if part["status"] != "operational"} == {"vectors"}
        assert "http://127.0.0.1:9" in parts["vectors"]["error"]

    def test_a_database_that_is_gone_is_named(self, tmp_path: Path) -> None:
        with running_service(tmp_path, run_jobs=False) as service, service.client() as client:
            for path in tmp_path.glob("footnote.sqlite*"):
                path.write_bytes(b"this is no database, and was never one" * 100)
            answer = client.get("/v1/health")
            assert answer.status_code == 503
            assert answer.json()["services"]["database"]["status"] == "failed"
            refused = client.get("/v1/repositories")
            assert refused.status_code == 503
            assert refused.json()["trace_id"] == refused.headers["x-request-id"]


class TestPages:
    @pytest.mark.parametrize("path", ["/docs", "/redoc", "/graphql", "/"])
    def test_work_without_internet(self, nobody: httpx2.Client, path: str) -> None:
        page = nobody.get(path, headers={"accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")
        assets = re.findall(r"""(?:src|href)=["']([^"'#]+)["']""", page.text)
        for asset in assets:
            if asset.startswith("data:"):
                continue
            assert asset.startswith("/"), f"{asset} is not served from here"
            assert not asset.startswith("//")
            got = nobody.get(asset)
            assert got.status_code == 200, asset
            loaded = re.findall(r"""(?:@import\s+|url\()\s*["']?(https?:)?//[^"')]+""", got.text)
            assert loaded == [], f"{asset} loads {loaded}"

    def test_nothing_outside_the_folder_is_served(self, nobody: httpx2.Client) -> None:
        for path in ("/static/../main.py", "/static/%2e%2e/main.py", "/static/..%2fmain.py", "/static//etc/passwd"):
            assert nobody.get(path).status_code == 404

    def test_programs_get_a_word(self, nobody: httpx2.Client) -> None:
        assert nobody.get("/").json()["status"] == "ok"


class TestNoSuchRoute:
    def test_answers_in_the_envelope(self, api: httpx2.Client, service: RunningService) -> None:
        absent = api.get("/v1/nothing")
        assert (absent.status_code, absent.json()["error"]["code"]) == (404, "not_found")
        wrong = api.put("/v1/repositories")
        assert (wrong.status_code, wrong.json()["statusCode"]) == (405, 405)
