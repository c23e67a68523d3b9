"""The whole service where there is no network but the loopback interface: a kernel's word, not a library's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.process import COMMAND, PATIENCE_S, ROOT, environment

ISOLATED = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
PROBE = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"


def isolated(data: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ISOLATED, *command],
        cwd=data.parent,
        env=environment(data, EMBEDDER="all-MiniLM-L6-v2"),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder; skips where this user may not make a network of their own."""
    try:
        works = isolated(tmp_path / "data", "true").returncode == 0
    except FileNotFoundError:
        works = False
    if not works:
        pytest.skip("unshare and ip are needed, and the right to use them")
    return tmp_path / "data"


def test_ingest_ask_and_verify(data: Path, tmp_path: Path) -> None:
    outside = isolated(data, sys.executable, "-c", PROBE)
    assert "unreachable" in outside.stderr, "this network is not isolated, so that the test would prove nothing"
    sample = ROOT / "data" / "sample" / "borrowing.md"
    loaded = isolated(data, *COMMAND, "ingest", str(sample), "--repository", "Handbook")
    assert loaded.returncode == 0, loaded.stderr
    question = "How long may I keep a pressure washer?"
    asked = isolated(data, *COMMAND, "ask", question, "-o", str(tmp_path / "answer.json"))
    assert asked.returncode == 0, asked.stderr
    assert "[1]" in asked.stdout
    verified = isolated(data, *COMMAND, "verify", str(tmp_path / "answer.json"))
    assert verified.returncode == 0, verified.stdout
