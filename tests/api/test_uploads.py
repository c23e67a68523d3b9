"""POST /v1/repositories/{id}/documents: one file or many, and everything a file can do wrong."""

from __future__ import annotations

import io
import json
import random
import zipfile

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api.taking import clean_name
from app.core.errors import InvalidRequestError
from tests.api.library import Library, holdings, upload
from tests.api.refusals import assert_error, assert_hidden, assert_needs_key
from tests.doubles.service import RunningService

File = tuple[str, tuple[str, bytes]]


def post(api: httpx2.Client, repository: int, *files: tuple[str, bytes], **more: str) -> httpx2.Response:
    parts: list[File] = [("file", each) for each in files]
    return api.post(f"/v1/repositories/{repository}/documents", params={"wait": "true"}, files=parts, data=more)


class TestUpload:
    def test_needs_a_key(self, nobody: httpx2.Client, library: Library) -> None:
        path = f"/v1/repositories/{library.repository}/documents"
        assert_needs_key(nobody, "POST", path, files={"file": ("a.txt", b"x")})

    def test_is_hidden_from_strangers(self, service: RunningService, stranger: httpx2.Client, library: Library) -> None:
        before = holdings(service)
        files = {"file": ("a.txt", b"left by a stranger")}
        assert_hidden(stranger, "POST", "/v1/repositories/{}/documents", library.repository, files=files)
        assert holdings(service) == before

    def test_without_waiting(self, api: httpx2.Client, repository: int) -> None:
        answer = api.post(f"/v1/repositories/{repository}/documents", files={"file": ("a.txt", b"Some words.")})
        assert answer.status_code == 202
        document = answer.json()["documents"][0]
        assert document["job"]["id"] > 0
        assert document["unchanged"] is False

    def test_waiting(self, api: httpx2.Client, repository: int) -> None:
        document = upload(api, repository, "a.txt", "Some words.")
        assert document["job"]["state"] == "completed"
        assert document["chunk_count"] == 1
        assert document["size"] == len("Some words.")

    def test_many_at_once(self, api: httpx2.Client, repository: int) -> None:
        answer = post(api, repository, ("a.txt", b"First."), ("b.md", b"# Second"), ("c.csv", b"x,y\n1,2\n"))
        names = [document["name"] for document in answer.json()["documents"]]
        assert names == ["a.txt", "b.md", "c.csv"]
        assert {document["job"]["state"] for document in answer.json()["documents"]} == {"completed"}

    def test_of_many_only_the_bad_is_refused(self, api: httpx2.Client, repository: int) -> None:
        answer = post(api, repository, ("good.txt", b"Good."), ("empty.txt", b"")).json()
        assert [document["name"] for document in answer["documents"]] == ["good.txt"]
        assert answer["refused"][0]["name"] == "empty.txt"
        assert "empty" in answer["refused"][0]["error"]

    def test_attributes(self, api: httpx2.Client, repository: int) -> None:
        given = {"year": 2026, "draft": False, "author": "Ada", "weight": 1.5}
        document = post(api, repository, ("a.txt", b"Attributed."), attributes=json.dumps(given)).json()["documents"][0]
        assert document["attributes"] == given

    @pytest.mark.parametrize("text", ["{", "[]", '{"a": null}', '{"a": [1]}', json.dumps({"k" * 65: 1}), '{"a": NaN}'])
    def test_bad_attributes(self, api: httpx2.Client, repository: int, text: str, service: RunningService) -> None:
        before = holdings(service)
        assert_error(post(api, repository, ("a.txt", b"x"), attributes=text), 400, field="attributes")
        assert holdings(service) == before

    def test_the_same_bytes_are_one_document(self, api: httpx2.Client, repository: int) -> None:
        first = upload(api, repository, "a.txt", "The very same.")
        again = upload(api, repository, "a.txt", "The very same.")
        elsewhere = upload(api, repository, "other-name.txt", "The very same.")
        assert (again["id"], again["unchanged"]) == (first["id"], True)
        assert (elsewhere["id"], elsewhere["unchanged"]) == (first["id"], True)
        assert again["job"]["id"] == first["job"]["id"]

    def test_the_same_name_is_a_new_version(self, api: httpx2.Client, repository: int) -> None:
        first = upload(api, repository, "a.txt", "Version one says alpha.")
        second = upload(api, repository, "a.txt", "Version two says beta.")
        assert (second["id"], second["version_number"]) == (first["id"], 2)
        assert api.get(f"/v1/documents/{first['id']}/text").text == "Version two says beta."
        query = {"query": "alpha", "repositories": {"ids": [repository], "similarity_threshold": 0}}
        found = api.post("/v1/retrieve", json=query).json()["document_chunks"]
        assert [chunk["content"] for chunk in found] == ["Version two says beta."]

    def test_two_repositories_may_hold_the_same_bytes(self, api: httpx2.Client, repository: int) -> None:
        other = api.post("/v1/repositories", json={"name": "Twin"}).json()["id"]
        first, second = (upload(api, each, "a.txt", "Shared bytes.") for each in (repository, other))
        assert first["id"] != second["id"]
        api.delete(f"/v1/documents/{second['id']}")
        assert api.get(f"/v1/documents/{first['id']}/content").content == b"Shared bytes."


class TestBadUploads:
    """Nothing of a refused upload stays."""

    @pytest.fixture(autouse=True)
    def nothing_stays(self, service: RunningService, repository: int) -> object:
        before = holdings(service)
        yield
        assert holdings(service) == before

    def test_an_empty_file(self, api: httpx2.Client, repository: int) -> None:
        assert_error(post(api, repository, ("empty.txt", b"")), 400, says="empty.txt is empty", field="file")

    def test_a_file_over_the_limit(self, api: httpx2.Client, repository: int) -> None:
        response = post(api, repository, ("big.txt", b"x" * 200_001))
        assert_error(response, 413, says="big.txt is larger than 200000 bytes (FOOTNOTE_MAX_UPLOAD_BYTES)")

    def test_a_request_over_the_limit(self, api: httpx2.Client, repository: int) -> None:
        response = post(api, repository, *((f"{number}.txt", b"x" * 199_000) for number in range(6)))
        assert_error(response, 413, says="FOOTNOTE_MAX_UPLOAD_REQUEST_BYTES")

    def test_too_many_files(self, api: httpx2.Client, repository: int) -> None:
        files = [(f"{number}.txt", f"file {number}".encode()) for number in range(6)]
        assert_error(post(api, repository, *files), 400, says="At most 5 files", field="file")

    def test_no_file(self, api: httpx2.Client, repository: int) -> None:
        path = f"/v1/repositories/{repository}/documents"
        assert_error(api.post(path), 400, field="file")
        assert_error(api.post(path, json={"file": "x"}), 400, field="file")
        assert_error(api.post(path, data={"file": "text, not a file"}), 400, says="file")

    def test_no_multipart(self, api: httpx2.Client, repository: int) -> None:
        path = f"/v1/repositories/{repository}/documents"
        for kind, body in (("multipart/form-data", b"x"), ("multipart/form-data; boundary=B", b"\0\1garbage")):
            assert_error(api.post(path, content=body, headers={"content-type": kind}), 400)

    @pytest.mark.parametrize("name", ["..", ".", "/", "   ", "a" * 501, "dir/"])
    def test_no_name(self, api: httpx2.Client, repository: int, name: str) -> None:
        if name == "dir/":
            name = "///"
        assert_error(post(api, repository, (name, b"x")), 400, says="name", field="file")


def _zip(**members: str) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return kept.getvalue()


NOISE = random.Random(1).randbytes(2_000)


class TestUnreadableFiles:
    """A file is taken before it is read: its job fails, and says which file and what to do."""

    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("setup.exe", b"MZ\x90\x00" + NOISE, "program"),
            ("photo.png", b"\x89PNG\r\n\x1a\n" + NOISE, "OCR"),
            ("archive.zip", _zip(**{"a.txt": "hello"}), "unpack"),
            ("noise.txt", NOISE, "binary"),
            ("broken.pdf", b"%PDF-1.7\n" + NOISE, "export it again"),
            ("cut.docx", _zip(**{"word/document.xml": "<w/>"})[:-30], "export it again"),
            ("blank.txt", b" \n\t\n ", "no text"),
        ],
        ids=["program", "image", "archive", "noise", "pdf", "docx", "blank"],  # not by content: a ZIP holds the time
    )
    def test_the_job_fails(self, api: httpx2.Client, repository: int, name: str, content: bytes, says: str) -> None:
        document = upload(api, repository, name, content)
        assert document["job"]["state"] == "failed"
        assert name in document["job"]["error"]
        assert says in document["job"]["error"]
        assert document["text_sha256"] is None
        assert_error(api.get(f"/v1/documents/{document['id']}/text"), 409, says="failed")
        assert api.get(f"/v1/documents/{document['id']}/chunks").json() == {"chunks": [], "next_after": None}

    def test_a_pdf_with_a_password(self, api: httpx2.Client, repository: int) -> None:
        from reportlab.lib.pdfencrypt import StandardEncryption
        from reportlab.pdfgen.canvas import Canvas

        kept = io.BytesIO()
        canvas = Canvas(kept, encrypt=StandardEncryption("secret", ownerPassword="owner"))
        canvas.drawString(72, 700, "Nobody may read this.")
        canvas.save()
        job = upload(api, repository, "locked.pdf", kept.getvalue())["job"]
        assert job["state"] == "failed"
        assert "locked.pdf is protected by a password: remove it" in job["error"]

    def test_another_try_is_another_attempt(self, api: httpx2.Client, repository: int) -> None:
        first = upload(api, repository, "noise.txt", NOISE)["job"]
        again = upload(api, repository, "noise.txt", NOISE)["job"]
        assert (again["attempt"], again["state"]) == (first["attempt"] + 1, "failed")

    def test_a_failed_version_leaves_the_last_good_one(self, api: httpx2.Client, repository: int) -> None:
        good = upload(api, repository, "a.txt", "Good words stay.")
        upload(api, repository, "a.txt", NOISE)
        assert api.get(f"/v1/documents/{good['id']}/text").text == "Good words stay."
        query = {"query": "good words", "repositories": {"ids": [repository], "similarity_threshold": 0}}
        assert len(api.post("/v1/retrieve", json=query).json()["document_chunks"]) == 1


class TestNames:
    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            (b"../../etc/passwd", "passwd"),
            (b"..\\..\\windows\\system.ini", "system.ini"),
            ("Übergröße 日本 🎄.txt".encode(), "Übergröße 日本 🎄.txt"),
            (b"nul\0name.txt", "nulname.txt"),
            ("\u202etxt.exe".encode(), "txt.exe"),
            (b"caf\xe9.txt", "café.txt"),
            (b"x" * 500, "x" * 500),
        ],
    )
    def test_raw_bytes(
        self, api: httpx2.Client, repository: int, service: RunningService, sent: bytes, kept: str
    ) -> None:
        body = b'--B\r\nContent-Disposition: form-data; name="file"; filename="' + sent + b'"\r\n\r\nhello\r\n--B--\r\n'
        answer = api.post(
            f"/v1/repositories/{repository}/documents",
            params={"wait": "true"},
            content=body,
            headers={"content-type": "multipart/form-data; boundary=B"},
        )
        assert answer.status_code == 201, answer.text
        document = answer.json()["documents"][0]
        assert document["name"] == kept
        shown = api.get(f"/v1/documents/{document['id']}/content")
        assert shown.status_code == 200
        assert shown.headers["content-disposition"].isascii()
        outside = [path for path in service.settings.data_dir.rglob("*") if path.name in (kept, "passwd")]
        assert outside == []

    @given(st.text(max_size=600))
    @settings(suppress_health_check=[HealthCheck.too_slow])
    def test_a_kept_name_is_harmless(self, name: str) -> None:
        try:
            kept = clean_name(name)
        except InvalidRequestError:
            return
        assert 1 <= len(kept) <= 500
        assert kept not in (".", "..")
        assert not set(kept) & set("/\\\0\r\n\u202e")
        assert clean_name(kept) == kept
