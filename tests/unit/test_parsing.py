"""The parser pool against files that really hang, crash or devour memory: the next file is always read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingest.parsing import ParseLimits, ParserClosedError, ParserPool
from ingest.readers import read_file
from ingest.text import join_blocks
from ingest.types import UnreadableFileError, UnsupportedFileError

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits and /proc")


@pytest.fixture
def pool() -> Iterator[ParserPool]:
    pool = ParserPool()
    yield pool
    pool.close()


def write(tmp_path: Path, name: str, content: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def children() -> set[int]:
    """The process ids of this process's children."""
    tasks = Path("/proc/self/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


SLOW_HTML = b"<div>" * 60_000  # the HTML parser takes time in the square of the depth
HUNGRY_TEXT = b"words " * 10_000_000


def crashing_pdf() -> bytes:
    """A page whose content is small in the file and large in memory; PDFium ends its process when it gets none."""
    stream = zlib.compress(b"BT /F1 12 Tf (x) Tj ET\n" * 6_000_000, 1)
    head = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<<>>>>endobj\n"
    )
    body = b"4 0 obj<</Length %d/Filter/FlateDecode>>stream\n" % len(stream) + stream + b"\nendstream endobj\n"
    return head + body + b"trailer<</Root 1 0 R>>\n%%EOF"


def assert_next_file_is_read(pool: ParserPool, tmp_path: Path) -> None:
    assert pool.parse(write(tmp_path, "good", b"Good words."), "good.txt").text == "Good words."


def test_the_text_is_the_one_the_readers_make(pool: ParserPool, tmp_path: Path) -> None:
    path = write(tmp_path, "blob", "# Títle 🙂\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n".encode())
    reading = read_file(path, "guide.md")
    expected = join_blocks(reading.blocks, reading.extractor, reading.warnings)
    assert pool.parse(path, "guide.md") == expected


def test_faults_keep_their_kind_and_message(pool: ParserPool, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFileError, match=r"^pic\.txt is an image"):
        pool.parse(write(tmp_path, "blob", b"\x89PNG\r\n\x1a\n"), "pic.txt")
    with pytest.raises(UnreadableFileError, match=r"^void\.txt is empty"):
        pool.parse(write(tmp_path, "blob", b""), "void.txt")
    assert_next_file_is_read(pool, tmp_path)


@linux_only
def test_one_process_reads_file_after_file(pool: ParserPool, tmp_path: Path) -> None:
    before = children()
    assert_next_file_is_read(pool, tmp_path)
    started = children() - before
    assert len(started) == 1
    assert_next_file_is_read(pool, tmp_path)
    assert children() - before == started


def test_a_file_that_takes_too_long(tmp_path: Path) -> None:
    pool = ParserPool(limits=ParseLimits(seconds=2))
    with pytest.raises(UnreadableFileError, match=r"^deep\.html takes longer than 2 s"):
        pool.parse(write(tmp_path, "blob", SLOW_HTML), "deep.html")
    assert_next_file_is_read(pool, tmp_path)
    pool.close()


@linux_only
def test_a_file_that_needs_too_much_memory(tmp_path: Path) -> None:
    pool = ParserPool(limits=ParseLimits(memory_bytes=50 << 20))
    with pytest.raises(UnreadableFileError, match=r"^big\.txt needs more than 50 MiB of memory"):
        pool.parse(write(tmp_path, "blob", HUNGRY_TEXT), "big.txt")
    assert_next_file_is_read(pool, tmp_path)
    pool.close()


@linux_only
def test_a_file_that_crashes_its_reader(tmp_path: Path) -> None:
    pool = ParserPool(limits=ParseLimits(memory_bytes=200 << 20))
    with pytest.raises(UnreadableFileError, match=r"^bomb\.pdf made its reader crash .* 200 MiB"):
        pool.parse(write(tmp_path, "blob", crashing_pdf()), "bomb.pdf")
    assert_next_file_is_read(pool, tmp_path)
    pool.close()


def test_a_file_with_too_much_text(tmp_path: Path) -> None:
    pool = ParserPool(limits=ParseLimits(output_chars=1_000))
    with pytest.raises(UnreadableFileError, match=r"^long\.txt has more than 1,000 characters"):
        pool.parse(write(tmp_path, "blob", b"words " * 200), "long.txt")
    assert_next_file_is_read(pool, tmp_path)
    pool.close()


@linux_only
def test_a_process_that_died_between_two_files_is_replaced(pool: ParserPool, tmp_path: Path) -> None:
    before = children()
    assert_next_file_is_read(pool, tmp_path)
    for pid in children() - before:
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert_next_file_is_read(pool, tmp_path)


def test_many_threads_share_few_processes(tmp_path: Path) -> None:
    pool = ParserPool(processes=2)
    paths = [write(tmp_path, f"{number}.txt", f"Text {number}.".encode()) for number in range(24)]
    with ThreadPoolExecutor(8) as threads:
        texts = list(threads.map(lambda path: pool.parse(path, path.name).text, paths))
    assert texts == [f"Text {number}." for number in range(24)]
    pool.close()


@linux_only
def test_closing_ends_the_file_under_way_and_all_processes(tmp_path: Path) -> None:
    before = children()
    pool = ParserPool()
    path = write(tmp_path, "blob", SLOW_HTML)
    faults: list[BaseException] = []

    def parse() -> None:
        try:
            pool.parse(path, "deep.html")
        except ParserClosedError as error:
            faults.append(error)

    thread = threading.Thread(target=parse)
    thread.start()
    while thread.is_alive() and not children() - before:
        pass
    pool.close()
    thread.join()
    assert len(faults) == 1
    assert children() <= before
    with pytest.raises(ParserClosedError):
        pool.parse(path, "deep.html")


@linux_only
def test_a_process_is_idle_priority_and_knows_no_secrets(
    pool: ParserPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-secret")
    before = children()
    assert_next_file_is_read(pool, tmp_path)
    (pid,) = children() - before
    assert b"sk-secret" not in Path(f"/proc/{pid}/environ").read_bytes()
    assert os.sched_getscheduler(pid) == os.SCHED_IDLE


@pytest.mark.parametrize(
    "deed",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "open('written', 'w')",
        "import os; os.open('written', os.O_CREAT | os.O_WRONLY)",
    ],
)
def test_a_confined_process_may_not(deed: str, tmp_path: Path) -> None:
    code = f"import ingest.confinement as c; c.leave_network(); c.forbid_side_effects(); {deed}"
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "PermissionError: a reader" in done.stderr
    assert not (tmp_path / "written").exists()
