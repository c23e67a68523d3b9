"""Prem's repositories and documents: both generations of paths and of bodies."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.api.library import holdings
from tests.api.refusals import NOT_THERE, assert_error, assert_hidden, assert_needs_key
from tests.doubles.service import RunningService

REPOSITORIES = ("/v1/repositories/", "/api/repositories/repositories/")
DOCUMENTS = ("/v1/repository/{}/document", "/api/repositories/repository/{}/document")
TEXT = b"The reading room opens at ten on Saturdays."


@pytest.fixture(params=REPOSITORIES)
def repositories(request: pytest.FixtureRequest) -> str:
    path: str = request.param
    return path


@pytest.fixture(params=DOCUMENTS)
def documents(request: pytest.FixtureRequest) -> str:
    path: str = request.param
    return path


def form(name: str, content: bytes = TEXT) -> dict[str, Any]:
    return {"files": {"file": (name, content)}}


class TestRepositories:
    def test_need_a_key_that_may_write(self, nobody: httpx2.Client, reader: httpx2.Client, repositories: str) -> None:
        assert_needs_key(nobody, "POST", repositories, json={"name": "x"})
        assert_error(reader.post(repositories, json={"name": "x"}), 403)

    def test_one_is_made_and_is_one_of_ours(self, api: httpx2.Client, repositories: str) -> None:
        asked = {"name": "Minutes", "organization": "Council", "description": "2026"}
        made = api.post(repositories, json=asked)
        assert made.status_code == 201
        number = made.json()["id"]
        assert made.json() == {"id": number, **asked}
        assert api.get(f"/v1/repositories/{number}").json()["organization"] == "Council"
        bare = api.post(repositories, json={"name": "Minutes", "organization": "Council"}).json()
        assert bare["id"] != number
        assert bare["description"] is None

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "name"),
            ({"name": ""}, "name"),
            ({"name": 5}, "name"),
            ({"name": "x" * 201}, "name"),
            ({"name": "x", "organization": 5}, "organization"),
            ({"name": "x", "description": []}, "description"),
        ],
    )
    def test_wrong_values(
        self, api: httpx2.Client, service: RunningService, repositories: str, body: Any, field: str
    ) -> None:
        before = holdings(service)
        assert assert_error(api.post(repositories, json=body), 400, field=field)["code"] == "ValidationError"
        assert holdings(service) == before

    def test_ours_without_the_slash_is_as_it_was(self, api: httpx2.Client) -> None:
        made = api.post("/v1/repositories", json={"name": "Ours"}).json()
        assert made["document_count"] == 0
        assert made["id"] in [each["id"] for each in api.get("/v1/repositories").json()]


class TestDocuments:
    def test_need_a_key_that_may_write(
        self, nobody: httpx2.Client, reader: httpx2.Client, repository: int, documents: str
    ) -> None:
        assert_needs_key(nobody, "POST", documents.format(repository), **form("a.txt"))
        assert_error(reader.post(documents.format(repository), **form("a.txt")), 403)

    def test_a_strangers_repository_is_not_there(
        self, stranger: httpx2.Client, repository: int, documents: str
    ) -> None:
        assert_hidden(stranger, "POST", documents, repository, **form("a.txt"))
        text = {"name": "a", "content": "b", "document_type": "text"}
        assert_hidden(stranger, "POST", documents, repository, json=text)

    def test_a_file_is_taken_and_then_found(self, api: httpx2.Client, repository: int, documents: str) -> None:
        taken = api.post(documents.format(repository), **form("room.md"))
        assert taken.status_code == 201, taken.text
        shown = taken.json()
        assert shown.pop("status") in ("UPLOADED", "COMPLETED")
        number = shown["document_id"]
        assert shown | {"chunk_count": 0} == {
            "repository_id": repository,
            "document_id": number,
            "name": "room.md",
            "document_type": "txt",
            "error": None,
            "chunk_count": 0,
        }
        job = api.get(f"/v1/documents/{number}").json()["job"]["id"]
        with api.stream("GET", f"/v1/jobs/{job}/events") as events:
            events.read()  # until the job ends
        done = api.get(f"/v1/repository/{repository}/document/{number}").json()
        assert (done["status"], done["chunk_count"], done["error"]) == ("COMPLETED", 1, None)
        again = api.post(documents.format(repository), **form("another name.md"))
        assert again.status_code == 201
        assert again.json() == done

    @pytest.mark.parametrize("told", ["text", "txt"])
    def test_a_text_as_json(self, api: httpx2.Client, repository: int, documents: str, told: str) -> None:
        text = {"name": "notes", "content": "Grüße aus dem Lesesaal 🎄", "document_type": told}
        taken = api.post(documents.format(repository), json=text)
        assert taken.status_code == 201, taken.text
        assert (taken.json()["name"], taken.json()["document_type"]) == ("notes", told)
        stored = api.get(f"/v1/documents/{taken.json()['document_id']}/content").content
        assert stored.decode() == text["content"]

    @pytest.mark.parametrize(
        ("name", "kind"),
        [("a.pdf", "pdf"), ("a.DOCX", "docx"), ("a.md", "txt"), ("a.py", "txt"), ("pdf", "txt"), ("a.html", "txt")],
    )
    def test_a_type_every_client_knows(self, api: httpx2.Client, repository: int, name: str, kind: str) -> None:
        shown = api.post(DOCUMENTS[0].format(repository), **form(name, name.encode())).json()
        assert shown["document_type"] == kind

    def test_a_file_that_cannot_be_read_has_failed(self, api: httpx2.Client, repository: int) -> None:
        shown = api.post(DOCUMENTS[0].format(repository), **form("broken.pdf", b"%PDF-1.7 nothing")).json()
        job = api.get(f"/v1/documents/{shown['document_id']}").json()["job"]["id"]
        with api.stream("GET", f"/v1/jobs/{job}/events") as events:
            events.read()
        failed = api.get(f"/v1/repository/{repository}/document/{shown['document_id']}").json()
        assert (failed["status"], failed["chunk_count"], failed["document_type"]) == ("FAILED", 0, "pdf")
        assert failed["error"]

    @pytest.mark.parametrize(
        ("request_", "status", "says"),
        [
            ({}, 400, "field `file`"),  # prem-sdk without a form
            ({"content": b"", "headers": {"content-type": "application/json"}}, 400, "field `file`"),
            ({"files": {"attachment": ("a.txt", b"x")}}, 400, "field `file`"),
            ({"files": {"file": (None, b"no file")}}, 400, "field `file`"),
            ({"files": [("file", ("a.txt", b"x")), ("file", ("b.txt", b"y"))]}, 400, "many files"),
            ({"files": {"file": ("empty.txt", b"")}}, 400, "empty"),
            ({"files": {"file": ("..", b"x")}}, 400, "no name"),
            ({"files": {"file": ("big.txt", b"x" * 200_001)}}, 413, "FOOTNOTE_MAX_UPLOAD_BYTES"),
            ({"content": b"--x", "headers": {"content-type": "multipart/form-data"}}, 400, "boundary"),
            ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "JSON"),
            ({"json": []}, 400, "object"),
            ({"json": {"name": "a", "document_type": "text"}}, 400, "content"),
            ({"json": {"name": "a", "content": "", "document_type": "text"}}, 400, "content"),
            ({"json": {"content": "b", "document_type": "text"}}, 400, "name"),
            ({"json": {"name": "..", "content": "b"}}, 400, "name"),
            ({"json": {"name": "a", "content": "b", "document_type": "pdf"}}, 400, "document_type"),
            ({"json": {"name": "a", "content": "b" * 70_000}}, 413, "FOOTNOTE_MAX_REQUEST_BYTES"),
        ],
    )
    def test_nothing_half_written(
        self,
        api: httpx2.Client,
        service: RunningService,
        repository: int,
        documents: str,
        request_: Any,
        status: int,
        says: str,
    ) -> None:
        before = holdings(service)
        refused = assert_error(api.post(documents.format(repository), **request_), status, says=says)
        assert refused["code"] == "ValidationError"
        assert holdings(service) == before

    def test_an_unknown_repository(self, api: httpx2.Client, documents: str) -> None:
        for number in (NOT_THERE, 0, -1, 2**31, 2**63):
            assert_error(api.post(documents.format(number), **form("a.txt")), 404)

    def test_a_document_of_another_repository_is_not_there(
        self, api: httpx2.Client, stranger: httpx2.Client, repository: int
    ) -> None:
        number = api.post(DOCUMENTS[0].format(repository), **form("a.txt")).json()["document_id"]
        other = api.post("/v1/repositories", json={"name": "Other"}).json()["id"]
        assert_error(api.get(f"/v1/repository/{other}/document/{number}"), 404)
        assert_hidden(stranger, "GET", f"/v1/repository/{repository}/document/{{}}", number)
