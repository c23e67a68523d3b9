"""The other commands: beside a running service, and without one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.e2e.process import ADMIN_KEY, Served, footnote, serving

TOOLS = (
    "Only members who hold a safety certificate may borrow the chainsaw.\n\n"
    "The deposit for a washer is 40 pounds."  # without a last line end, it is its own canonical text
)
QUESTION = "Who may borrow the chainsaw?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two readable files and one that is not."""
    made = tmp_path_factory.mktemp("commands")
    files = made / "files"
    (files / "inner").mkdir(parents=True)
    (files / "tools.txt").write_text(TOOLS)
    (files / "inner" / "hours.md").write_text("# Hours\n\nThe library opens at nine.\n")
    (files / ".hidden.txt").write_text("never seen")
    (made / "bad.pdf").write_bytes(b"%PDF-1.4 nonsense")
    return made


@pytest.fixture(scope="module")
def data(folder: Path) -> Path:
    """A data folder into which the files were ingested without a running service."""
    done = footnote(folder / "data", "ingest", str(folder / "files"), "--repository", "Shed")
    assert done.returncode == 0, done.stderr
    assert "2 of 2 files are ready (0 were there already)." in done.stdout
    return folder / "data"


@pytest.fixture(scope="module")
def served(data: Path) -> Iterator[Served]:
    with serving(data) as running:
        yield running


class TestWithoutAService:
    """In this order: later tests start one on the same folder."""

    def test_ask_and_verify(self, data: Path, folder: Path) -> None:
        asked = footnote(data, "ask", QUESTION, "-r", "Shed", "-o", str(folder / "answer.json"))
        assert asked.returncode == 0, asked.stderr
        assert "safety certificate may borrow the chainsaw. [1]" in asked.stdout
        assert re.search(r"\[1\] tools.txt, characters \d+-\d+", asked.stdout)
        held = footnote(data, "verify", str(folder / "answer.json"))
        assert held.returncode == 0, held.stdout
        assert re.search(r"(\d+) of \1 hold", held.stdout)

    def test_verify_with_the_text_alone(self, data: Path, folder: Path, tmp_path: Path) -> None:
        """Another machine, no database: only the answer and the text."""
        arguments = ("verify", str(folder / "answer.json"), "--text")
        assert footnote(tmp_path / "no", *arguments, str(folder / "files" / "tools.txt")).returncode == 0
        other = footnote(tmp_path / "no", *arguments, str(folder / "files" / "inner" / "hours.md"))
        assert other.returncode == 1
        assert "no text with sha256" in other.stdout
        assert not (tmp_path / "no").exists()

    def test_verify_a_tampered_answer(self, data: Path, folder: Path) -> None:
        answer = json.loads((folder / "answer.json").read_text())
        answer["citations"][0]["quote"] = answer["citations"][0]["quote"].replace("certificate", "helmet")
        (folder / "forged.json").write_text(json.dumps(answer))
        failed = footnote(data, "verify", str(folder / "forged.json"))
        assert failed.returncode == 1
        assert "FAILS" in failed.stdout

    @pytest.mark.parametrize("content", ["not json", "[]", "{}"])
    def test_verify_what_is_no_answer(self, data: Path, folder: Path, content: str) -> None:
        (folder / "nothing.json").write_text(content)
        refused = footnote(data, "verify", str(folder / "nothing.json"))
        assert refused.returncode != 0
        assert "Traceback" not in refused.stderr

    def test_a_bad_file_fails_and_says_so(self, data: Path, folder: Path) -> None:
        done = footnote(data, "ingest", str(folder / "bad.pdf"), "--repository", "Shed")
        assert done.returncode == 1
        assert "bad.pdf" in done.stdout
        assert "damaged" in done.stdout

    def test_unknown_repository(self, data: Path) -> None:
        refused = footnote(data, "ask", QUESTION, "-r", "Attic")
        assert refused.returncode == 1
        assert "There is no repository 'Attic'. There are: Shed." in refused.stderr

    def test_doctor(self, data: Path) -> None:
        checked = footnote(data, "doctor")
        assert checked.returncode == 0, checked.stdout
        for word in ("FOOTNOTE_DATA_DIR", "environment", "default", "database", "vectors", "embedder"):
            assert word in checked.stdout
        assert ADMIN_KEY not in checked.stdout

    def test_doctor_finds_a_wrong_setting(self, data: Path) -> None:
        checked = footnote(data, "doctor", SIMILARITY_THRESHOLD="7")
        assert checked.returncode == 1
        assert "FOOTNOTE_SIMILARITY_THRESHOLD" in checked.stdout

    def test_doctor_finds_a_part_that_fails(self, data: Path) -> None:
        checked = footnote(data, "doctor", VECTOR_URL="http://127.0.0.1:9")
        assert checked.returncode == 1
        assert "FAILS  vectors" in checked.stdout


class TestBesideAService:
    def test_ingest_and_ask(self, data: Path, folder: Path, served: Served) -> None:
        again = footnote(data, "ingest", str(folder / "files"), "--repository", "Shed", PORT=served.port)
        assert again.returncode == 0, again.stderr
        assert "(2 were there already)" in again.stdout
        asked = footnote(data, "ask", QUESTION, PORT=served.port)
        assert "safety certificate" in asked.stdout

    def test_a_service_on_another_port_is_found_by_its_folder(self, data: Path, served: Served) -> None:
        assert "safety certificate" in footnote(data, "ask", QUESTION, PORT="9").stdout

    def test_a_folder_in_use_is_told_plainly(self, data: Path, served: Served) -> None:
        """The address in the folder is lost and the settings name another: no way to the service, nor to one's own."""
        address = data / "address"
        kept = address.read_text()
        address.unlink()
        try:
            refused = footnote(data, "ask", QUESTION, PORT="9")
        finally:
            address.write_text(kept)
        assert refused.returncode == 1
        assert f"in use by process {served.process.pid}" in refused.stderr
        assert "Traceback" not in refused.stderr

    def test_doctor(self, data: Path, served: Served) -> None:
        checked = footnote(data, "doctor", PORT=served.port)
        assert checked.returncode == 0
        assert "A service is running on this data folder" in checked.stdout

    def test_a_keys_life(self, data: Path, served: Served) -> None:
        made = footnote(data, "key", "create", "Ada")
        number = re.search(r"Key (\d+) for project 1", made.stdout)
        key = made.stdout.strip().splitlines()[-1]
        assert number is not None
        assert key.startswith("fn-")
        listed = footnote(data, "key", "list").stdout
        assert "Ada" in listed
        assert "active" in listed
        assert key not in listed
        with httpx2.Client(base_url=served.url, headers={"authorization": f"Bearer {key}"}) as client:
            assert client.get("/v1/repositories").status_code == 200
            assert footnote(data, "key", "revoke", number[1]).returncode == 0
            assert client.get("/v1/repositories").status_code == 401
        assert "revoked" in footnote(data, "key", "list").stdout
        unknown = footnote(data, "key", "revoke", "999")
        assert (unknown.returncode, unknown.stderr.strip()) == (1, "There is no key 999 in this project.")

    def test_a_reading_key(self, data: Path, served: Served) -> None:
        key = footnote(data, "key", "create", "Reader", "--read-only").stdout.strip().splitlines()[-1]
        with httpx2.Client(base_url=served.url, headers={"authorization": f"Bearer {key}"}) as client:
            assert client.get("/v1/repositories").status_code == 200
            assert client.post("/v1/repositories", json={"name": "x"}).status_code == 403

    def test_a_projects_life(self, data: Path, served: Served) -> None:
        made = footnote(data, "project", "create", "Neighbours").stdout
        number = re.search(r"Project (\d+) \(Neighbours\)", made)
        assert number is not None
        assert "Neighbours" in footnote(data, "project", "list").stdout
        key = footnote(data, "key", "create", "Bob", "--project", number[1]).stdout.strip().splitlines()[-1]
        with httpx2.Client(base_url=served.url, headers={"authorization": f"Bearer {key}"}) as client:
            assert client.get("/v1/repositories").json() == []
        assert footnote(data, "key", "create", "x", "--project", "999").returncode == 1
