"""The real service as a child process on a free port, started, waited for and stopped as a person would."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx2

ROOT = Path(__file__).resolve().parents[2]
ADMIN_KEY = "fn-test-0123456789abcdef"
START_SECONDS = 180.0  # a first start builds the embedder's graph
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: where it listens, the key that may do everything, and the file it logs to."""

    url: str
    key: str
    log: Path

    @property
    def address(self) -> SplitResult:
        """The URL in parts."""
        return urlsplit(self.url)

    def get(self, path: str) -> dict[str, Any]:
        """The JSON answer to a GET; raises AssertionError with the body unless it succeeded."""
        return self._answer("GET", path)

    def post(self, path: str, **request: object) -> dict[str, Any]:
        """The JSON answer to a POST; raises AssertionError with the body unless it succeeded."""
        return self._answer("POST", path, **request)

    def wait_for(self, document_id: int) -> None:
        """Returns when the document's job has ended."""
        job = self.get(f"/v1/documents/{document_id}")["job"]["id"]
        headers = {"Authorization": f"Bearer {self.key}"}
        with httpx2.stream("GET", f"{self.url}/v1/jobs/{job}/events", headers=headers, timeout=60) as events:
            events.read()

    def patch(self, path: str, **request: object) -> dict[str, Any]:
        """The JSON answer to a PATCH; raises AssertionError with the body unless it succeeded."""
        return self._answer("PATCH", path, **request)

    def status(self, path: str) -> int:
        """The status of a GET, whatever it is."""
        headers = {"Authorization": f"Bearer {self.key}"}
        status: int = httpx2.get(f"{self.url}{path}", headers=headers, timeout=60).status_code
        return status

    def _answer(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.key}"}
        response = httpx2.request(method, f"{self.url}{path}", headers=headers, timeout=60, **request)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        answer: dict[str, Any] = response.json()
        return answer


@contextmanager
def running_service(folder: Path, environment: Mapping[str, str]) -> Iterator[Service]:
    """Runs `serve` with its data in `folder`; at the end stops it by SIGINT and checks that it ended well."""
    port = _free_port()
    log = folder / "service.log"
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FOOTNOTE_")},
        "PYTHONPATH": str(ROOT),
        "FOOTNOTE_DATA_DIR": str(folder / "data"),
        "FOOTNOTE_HOST": "127.0.0.1",
        "FOOTNOTE_PORT": str(port),
        "FOOTNOTE_ADMIN_KEY": ADMIN_KEY,
        "FOOTNOTE_RATE_LIMIT": "",  # the clients share one address, and some bring a wrong key on purpose
        "FOOTNOTE_FAILED_KEY_LIMIT": "",
        **environment,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve"],
            cwd=folder,  # where no developer's .env lies
            env=variables,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            service = Service(f"http://127.0.0.1:{port}", ADMIN_KEY, log)
            _wait_until_ready(process, service)
            yield service
            process.send_signal(signal.SIGINT)
            exit_code = process.wait(timeout=STOP_SECONDS)
        finally:
            process.kill()
            process.wait()
    logged = log.read_text(errors="replace")
    assert exit_code == 0, f"the service ended with {exit_code}:\n{logged[-4000:]}"
    assert "Traceback" not in logged, logged[-4000:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(process: subprocess.Popen[bytes], service: Service) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx2.get(f"{service.url}/v1/health", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            pass  # it does not listen yet
        try:
            exit_code = process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(f"the service ended with {exit_code} at its start:\n{service.log.read_text()}")
    raise AssertionError(f"the service was not ready in {START_SECONDS:.0f} s:\n{service.log.read_text()}")
