"""/v1/documents: list, look, read as text, as bytes and as chunks, delete."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx2
import pytest

from tests.api.library import PAGES, Library, holdings, upload
from tests.api.refusals import assert_error, assert_hidden, assert_needs_key
from tests.doubles.service import RunningService

READING = ["/v1/documents/{}", "/v1/documents/{}/text", "/v1/documents/{}/content", "/v1/documents/{}/chunks"]


@pytest.mark.parametrize("path", READING)
class TestEveryReading:
    def test_needs_a_key(self, nobody: httpx2.Client, library: Library, path: str) -> None:
        assert_needs_key(nobody, "GET", path.format(library.tools))

    def test_is_hidden_from_strangers(self, stranger: httpx2.Client, library: Library, path: str) -> None:
        assert_hidden(stranger, "GET", path, library.tools)


class TestList:
    def test_needs_a_key(self, nobody: httpx2.Client, library: Library) -> None:
        assert_needs_key(nobody, "GET", f"/v1/repositories/{library.repository}/documents")

    def test_is_hidden_from_strangers(self, stranger: httpx2.Client, library: Library) -> None:
        assert_hidden(stranger, "GET", "/v1/repositories/{}/documents", library.repository)

    def test_pages(self, api: httpx2.Client, library: Library) -> None:
        path = f"/v1/repositories/{library.repository}/documents"
        first = api.get(path, params={"limit": 1}).json()
        second = api.get(path, params={"limit": 1, "after": first["next_after"]}).json()
        last = api.get(path, params={"limit": 1, "after": second["next_after"]}).json()
        assert [page["documents"][0]["id"] for page in (first, second)] == [library.tools, library.hours]
        assert last == {"documents": [], "next_after": None}

    def test_limits(self, api: httpx2.Client, library: Library) -> None:
        path = f"/v1/repositories/{library.repository}/documents"
        for name, value in (("limit", 0), ("limit", 1001), ("limit", "x"), ("after", -1), ("after", 2**63)):
            assert_error(api.get(path, params={name: value}), 400, field=name)


class TestText:
    def test_is_what_was_uploaded(self, api: httpx2.Client, library: Library) -> None:
        answer = api.get(f"/v1/documents/{library.hours}/text")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert "même à Noël 🎄" in answer.text
        shape = api.get(f"/v1/documents/{library.hours}").json()
        assert hashlib.sha256(answer.content).hexdigest() == shape["text_sha256"]

    def test_etag(self, api: httpx2.Client, library: Library) -> None:
        path = f"/v1/documents/{library.tools}/text"
        first = api.get(path)
        assert first.headers["etag"] == f'"{hashlib.sha256(first.content).hexdigest()}"'
        for sent in (first.headers["etag"], "W/" + first.headers["etag"], f'"other", {first.headers["etag"]}', "*"):
            again = api.get(path, headers={"if-none-match": sent})
            assert (again.status_code, again.content) == (304, b""), sent
            assert again.headers["etag"] == first.headers["etag"]
        assert api.get(path, headers={"if-none-match": '"other"'}).status_code == 200


class TestContent:
    def test_is_the_very_bytes_and_never_a_page(self, api: httpx2.Client, repository: int) -> None:
        page = b"<!doctype html><html><body><script>alert(1)</script><p>Read me.</p></body></html>"
        document = upload(api, repository, 'evil".html', page)
        answer = api.get(f"/v1/documents/{document['id']}/content")
        assert answer.content == page
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["etag"] == f'"{hashlib.sha256(page).hexdigest()}"'

    def test_ranges(self, api: httpx2.Client, library: Library) -> None:
        answer = api.get(f"/v1/documents/{library.tools}/content", headers={"range": "bytes=2-6"})
        assert (answer.status_code, answer.text) == (206, PAGES["tools.md"][2:7])


class TestChunks:
    def test_each_is_a_slice_of_the_text(self, api: httpx2.Client, repository: int) -> None:
        text = "\n\n".join(f"Paragraph {number} — über Größe {number} 🎄. " + "word " * 60 for number in range(30))
        document = upload(api, repository, "long.txt", text)
        whole = api.get(f"/v1/documents/{document['id']}/text").text
        chunks: list[dict[str, Any]] = []
        after: int | None = -1
        while after is not None:
            params = {"limit": 7, "after": after}
            page = api.get(f"/v1/documents/{document['id']}/chunks", params=params).json()
            chunks, after = chunks + page["chunks"], page["next_after"]
        assert len(chunks) == document["chunk_count"] > 10
        assert [chunk["ordinal"] for chunk in chunks] == list(range(len(chunks)))
        assert all(whole[chunk["start"] : chunk["end"]] == chunk["content"] for chunk in chunks)
        assert len({chunk["id"] for chunk in chunks}) == len(chunks)

    def test_headings(self, api: httpx2.Client, library: Library) -> None:
        chunks = api.get(f"/v1/documents/{library.tools}/chunks").json()["chunks"]
        assert any(chunk["heading_path"][:1] == ["Tools"] for chunk in chunks)


class TestDelete:
    def test_needs_a_key(self, nobody: httpx2.Client, library: Library) -> None:
        assert_needs_key(nobody, "DELETE", f"/v1/documents/{library.tools}")

    def test_is_hidden_from_strangers(self, stranger: httpx2.Client, library: Library, api: httpx2.Client) -> None:
        assert_hidden(stranger, "DELETE", "/v1/documents/{}", library.tools)
        assert api.get(f"/v1/documents/{library.tools}").status_code == 200

    def test_a_reading_key_may_not(self, reader: httpx2.Client, library: Library) -> None:
        assert_error(reader.delete(f"/v1/documents/{library.tools}"), 403)

    def test_leaves_nothing(self, api: httpx2.Client, repository: int, service: RunningService) -> None:
        before = holdings(service)
        document = upload(api, repository, "gone.txt", "A peculiar sentence about walruses.")
        ask = {"query": "walruses", "repositories": {"ids": [repository], "similarity_threshold": 0}}
        assert api.post("/v1/retrieve", json=ask).json()["document_chunks"]
        assert api.delete(f"/v1/documents/{document['id']}").status_code == 204
        assert api.post("/v1/retrieve", json=ask).json()["document_chunks"] == []
        assert_error(api.delete(f"/v1/documents/{document['id']}"), 404)
        after = holdings(service)
        assert after | {"jobs": 0} == before | {"jobs": 0}
