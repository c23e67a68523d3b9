"""/v1/traces and /v1/project and /v1/templates."""

from __future__ import annotations

import uuid

import httpx2
import pytest

from tests.api.library import QUESTION, Library
from tests.api.refusals import NOT_THERE, assert_error, assert_hidden, assert_needs_key


def asked(api: httpx2.Client, library: Library) -> str:
    """The trace id of a fresh completion."""
    body = {
        "project_id": 1,
        "messages": [{"role": "user", "content": QUESTION}],
        "repositories": {"ids": [library.repository], "similarity_threshold": 0.1},
    }
    answer = api.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    trace: str = answer.json()["trace_id"]
    return trace


class TestTraces:
    def test_need_a_key(self, nobody: httpx2.Client, api: httpx2.Client, library: Library) -> None:
        assert_needs_key(nobody, "GET", "/v1/traces")
        assert_needs_key(nobody, "GET", f"/v1/traces/{asked(api, library)}")

    def test_are_hidden_from_strangers(self, stranger: httpx2.Client, api: httpx2.Client, library: Library) -> None:
        trace = asked(api, library)
        assert_hidden(stranger, "GET", "/v1/traces/{}", trace)
        assert trace not in stranger.get("/v1/traces").text

    def test_one(self, api: httpx2.Client, library: Library) -> None:
        trace = api.get(f"/v1/traces/{asked(api, library)}").json()
        assert (trace["outcome"], trace["question"], trace["model"]) == ("stop", QUESTION, "footnote/extractive")
        assert trace["detail"]["document_chunks"][0]["repository_id"] == library.repository
        assert "safety certificate" in trace["detail"]["answer"]
        assert trace["detail"]["timings_ms"]["total"] > 0

    def test_pages(self, api: httpx2.Client, library: Library) -> None:
        made = [asked(api, library) for _ in range(3)]
        first = api.get("/v1/traces", params={"limit": 2}).json()
        second = api.get("/v1/traces", params={"limit": 1, "before": first["next_before"]}).json()
        assert [trace["id"] for trace in first["traces"] + second["traces"]] == made[::-1]

    def test_bad_pages(self, api: httpx2.Client) -> None:
        for name, value in (("limit", 0), ("limit", 201)):
            assert_error(api.get("/v1/traces", params={name: value}), 400, field=name)

    def test_failures_are_kept_too(self, api: httpx2.Client) -> None:
        body = {"model": "nobody/nothing", "messages": [{"role": "user", "content": "hi"}]}
        refused = assert_error(api.post("/v1/chat/completions", json=body), 404)
        trace = api.get(f"/v1/traces/{refused['trace_id']}").json()
        assert trace["outcome"] == "error"
        assert trace["detail"]["error"] == refused["message"]


class TestProject:
    def test_needs_a_key(self, nobody: httpx2.Client) -> None:
        assert_needs_key(nobody, "GET", "/v1/project")
        assert_needs_key(nobody, "PATCH", "/v1/project", json={"name": "x"})

    @pytest.mark.parametrize("field", ["limit", "repositories", "threshold", "foo"])
    def test_a_mistyped_setting_is_refused_by_name(self, api: httpx2.Client, field: str) -> None:
        assert_error(api.patch("/v1/project", json={field: 3}), 400, field=field)

    def test_curl_needs_no_content_type(self, api: httpx2.Client) -> None:
        for kind in ("application/x-www-form-urlencoded", "text/plain; charset=utf-8", ""):
            changed = api.patch("/v1/project", content='{"name": "by curl"}', headers={"content-type": kind})
            assert (changed.status_code, changed.json()["name"]) == (200, "by curl")

    def test_is_ones_own(self, stranger: httpx2.Client) -> None:
        assert stranger.get("/v1/project").json()["name"] == "Strangers"
        assert_error(stranger.get("/v1/project", headers={"x-footnote-project": "1"}), 404)

    def test_the_admin_may_name_one(self, api: httpx2.Client, stranger: httpx2.Client) -> None:
        number = stranger.get("/v1/project").json()["id"]
        there = api.get("/v1/project", headers={"x-footnote-project": str(number)})
        assert there.json()["name"] == "Strangers"
        for wrong in ("0", "-1", "abc", "1.5"):
            response = api.get("/v1/project", headers={"x-footnote-project": wrong})
            assert_error(response, 400, field="X-Footnote-Project")

    def test_defaults_hold_where_a_request_is_silent(self, stranger: httpx2.Client) -> None:
        repository = stranger.post("/v1/repositories", json={"name": "Theirs"}).json()["id"]
        changed = stranger.patch(
            "/v1/project", json={"repository_ids": [repository], "retrieval_limit": 1, "similarity_threshold": 0}
        )
        assert changed.json()["repository_ids"] == [repository]
        found = stranger.post("/v1/retrieve", json={"query": "anything"})
        assert found.json()["retrieval"]["considered"] == 0
        nulls = {"repository_ids": None, "retrieval_limit": None, "similarity_threshold": None}
        assert stranger.patch("/v1/project", json=nulls).json()["retrieval_limit"] is None

    def test_wrong_values(self, api: httpx2.Client) -> None:
        wrong = [
            {"name": None},
            {"name": ""},
            {"retrieval_limit": 0},
            {"retrieval_limit": 501},
            {"similarity_threshold": 2},
            {"repository_ids": ["x"]},
        ]
        before = api.get("/v1/project").json()
        for values in wrong:
            assert_error(api.patch("/v1/project", json=values), 400)
        for number in (NOT_THERE, 2**31, 2**63):
            assert_error(api.patch("/v1/project", json={"repository_ids": [number]}), 404)
        assert api.get("/v1/project").json() == before


class TestTemplates:
    def test_need_a_key(self, nobody: httpx2.Client) -> None:
        assert_needs_key(nobody, "POST", "/v1/templates", json={"name": "x", "content": "y"})

    def test_a_reading_key_may_not(self, reader: httpx2.Client) -> None:
        assert_error(reader.post("/v1/templates", json={"name": "x", "content": "y"}), 403)

    def test_is_made(self, api: httpx2.Client) -> None:
        made = api.post("/v1/templates", json={"name": "x", "content": "Hello ${name}"})
        assert made.status_code == 201
        uuid.UUID(made.json()["id"])

    def test_wrong_values(self, api: httpx2.Client) -> None:
        for values in ({}, {"name": "x"}, {"name": "x", "content": ""}, {"name": 5, "content": "x"}):
            assert_error(api.post("/v1/templates", json=values), 400)
