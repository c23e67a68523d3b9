"""A server under measurement: a process of its own, its time to the first good answer, its memory."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ADMIN_KEY = "fn-bench-0123456789abcdef"
START_S = 300.0  # a first start builds the embedder's graph, a peer imports torch
STOP_S = 60.0
LOOK_S = 0.01


@dataclass(frozen=True, slots=True)
class Question:
    """A POST of JSON that a good server answers with 200."""

    path: str
    body: Mapping[str, Any]
    key: str = ADMIN_KEY


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    host: str
    port: int
    pid: int
    ready_s: float  # from the process's start to its first good answer

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def memory_mb(self) -> float:
        """Resident memory now, MB of 2**20 bytes; from /proc."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def cpu_s(self) -> float:
        """Processor seconds used so far, its children's too; hardly changed by neighbours, unlike the clock."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        ticks = sum(_ticks(pid) for pid in (str(self.pid), *children))
        return ticks / os.sysconf("SC_CLK_TCK")

    def get(self, path: str) -> tuple[Mapping[str, str], bytes]:
        """Headers (names in lower case) and body; raises RuntimeError unless it succeeded."""
        return _send(self, "GET", path, b"", {})

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON answer; raises RuntimeError unless it succeeded."""
        return json.loads(_send(self, "POST", path, json.dumps(body).encode(), {"content-type": "application/json"})[1])

    def upload(self, repository_id: int, files: Mapping[str, str]) -> list[dict[str, Any]]:
        """Texts by name, uploaded as files; returns when all are indexed, with what they became."""
        boundary = "----footnote-bench-8d1f3a"
        parts = [
            f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n'
            f"content-type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
            for name, text in files.items()
        ]
        body = ("".join(parts) + f"--{boundary}--\r\n").encode()
        headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
        path = f"/v1/repositories/{repository_id}/documents?wait=true"
        result = json.loads(_send(self, "POST", path, body, headers)[1])
        failed = [each["job"]["error"] for each in result["documents"] if each["job"]["state"] != "completed"]
        if failed or result["refused"]:
            raise RuntimeError(f"not ingested: {failed} {result['refused']}")
        documents: list[dict[str, Any]] = result["documents"]
        return documents


@contextmanager
def footnote(
    data: Path, ready: Question | None = None, environment: Mapping[str, str] | None = None, *, key: str = ADMIN_KEY
) -> Iterator[Server]:
    """`footnote serve` with its data in `data`; ready at its first good answer to `ready`, or when it is healthy."""
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FOOTNOTE_")},
        "FOOTNOTE_DATA_DIR": str(data),
        "FOOTNOTE_ADMIN_KEY": key,
        "FOOTNOTE_LOG_LEVEL": "warning",
        "FOOTNOTE_UPLOAD_WAIT_S": "7200",
        "FOOTNOTE_RATE_LIMIT": "",
        "PYTHONPATH": str(ROOT),
        **(environment or {}),
    }

    def command(port: int) -> list[str]:
        return [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]

    data.mkdir(parents=True, exist_ok=True)
    with running(command, data.parent / f"{data.name}.log", ready, variables) as server:
        yield server


@contextmanager
def running(
    command: Callable[[int], Sequence[str]],
    log: Path,
    ready: Question | None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Runs `command(port)`; without `ready` it is ready when `/v1/health` answers 200. SIGINT ends it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command(port), cwd=log.parent, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            server = Server("127.0.0.1", port, process.pid, 0.0)
            while not _good(server, ready):
                if process.poll() is not None or time.perf_counter() - began > START_S:
                    raise RuntimeError(f"{log.name}: it does not start:\n{log.read_text()[-2000:]}")
                time.sleep(LOOK_S)
            yield Server("127.0.0.1", port, process.pid, time.perf_counter() - began)
            process.send_signal(signal.SIGINT)
            process.wait(STOP_S)
        finally:
            process.kill()
            process.wait()


def _ticks(pid: str) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15])  # user, system, and those of its children that ended


def _good(server: Server, ready: Question | None) -> bool:
    try:
        if ready is None:
            server.get("/v1/health")
        else:
            headers = {"content-type": "application/json", "authorization": f"Bearer {ready.key}"}
            _send(server, "POST", ready.path, json.dumps(ready.body).encode(), headers)
    except (OSError, RuntimeError, http.client.HTTPException):
        return False
    return True


def _send(
    server: Server, method: str, path: str, body: bytes, headers: Mapping[str, str]
) -> tuple[Mapping[str, str], bytes]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=7200)
    try:
        connection.request(method, path, body or None, {"authorization": f"Bearer {ADMIN_KEY}", **headers})
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {content[:500]!r}")
    return {name.lower(): value for name, value in answer.getheaders()}, content
