"""A client process that asks a server as fast as it is answered: `clients` connections, each with one open request.

It stays between jobs; a job is one line of JSON on standard input, its outcome one on standard output. Threads over
the standard library's client, because its cost, some 0.2 ms a request, is the same for everybody it measures.
"""

from __future__ import annotations

import http.client
import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of some requests: each one's time, and all of them from the first to the last."""

    milliseconds: tuple[float, ...]
    seconds: float

    @property
    def per_second(self) -> float:
        return len(self.milliseconds) / self.seconds


class LoadClient:
    """The process, as seen from the benchmark."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )

    def ask(
        self, host: str, port: int, path: str, key: str, bodies: Sequence[Mapping[str, Any]], *, clients: int = 1
    ) -> Asked:
        """Sends every body once; raises RuntimeError if an answer is not 200."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        job = {"host": host, "port": port, "path": path, "key": key, "bodies": bodies, "clients": clients}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return Asked(tuple(answer["milliseconds"]), answer["seconds"])

    def stop(self) -> None:
        """Ends the process."""
        self._process.communicate()


def _drive(job: Mapping[str, Any]) -> dict[str, Any]:
    bodies = [json.dumps(body).encode() for body in job["bodies"]]
    headers = {"content-type": "application/json", "authorization": f"Bearer {job['key']}"}
    turns = itertools.count()
    milliseconds: list[float] = []
    failures: list[str] = []

    def client() -> None:
        connection = http.client.HTTPConnection(job["host"], job["port"], timeout=120)
        try:
            while (turn := next(turns)) < len(bodies) and not failures:
                began = time.perf_counter()
                connection.request("POST", job["path"], bodies[turn], headers)
                answer = connection.getresponse()
                content = answer.read()
                milliseconds.append((time.perf_counter() - began) * 1000)
                if answer.status != 200:
                    failures.append(f"{job['path']}: {answer.status} {content[:500]!r}")
        except (OSError, http.client.HTTPException) as error:
            failures.append(f"{job['path']}: {type(error).__name__}: {error}")
        finally:
            connection.close()

    threads = [threading.Thread(target=client) for _ in range(job["clients"])]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    return {"error": failures[0]} if failures else {"milliseconds": milliseconds, "seconds": seconds}


def main() -> None:
    """Answers jobs until standard input ends."""
    for line in sys.stdin:
        print(json.dumps(_drive(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
