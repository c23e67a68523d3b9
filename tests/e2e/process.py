"""`footnote` as a person runs it: the real command in a process of its own, in a folder where no `.env` lies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx2

ADMIN_KEY = "fn-e2e-admin-0123456789"
COMMAND = [sys.executable, "-m", "app.cli"]
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90.0  # only ever spent by a test that is about to fail
READY = "Footnote is running at "


def environment(data: Path, **settings: str) -> dict[str, str]:
    """A clean environment: the caller's own FOOTNOTE_ variables do not reach the command."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FOOTNOTE_", "OPENAI_"))}
    chosen = {"DATA_DIR": str(data), "ADMIN_KEY": ADMIN_KEY, "EMBEDDER": "hashing", "PORT": "0", **settings}
    return {**inherited, "PYTHONPATH": str(ROOT), **{f"FOOTNOTE_{name}": value for name, value in chosen.items()}}


def footnote(data: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=data.parent,
        env={**environment(data, **settings), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@dataclass
class Served:
    """A running `footnote serve`."""

    process: subprocess.Popen[str]
    url: str = ""
    lines: list[str] = field(default_factory=list)
    _reading: threading.Thread | None = None

    @property
    def port(self) -> str:
        return self.url.rsplit(":", 1)[1]

    @property
    def output(self) -> str:
        """All it has printed and logged; whole once it has ended."""
        return "".join(self.lines)

    def client(self) -> httpx2.Client:
        """With the admin key; the caller closes it."""
        return httpx2.Client(base_url=self.url, headers={"authorization": f"Bearer {ADMIN_KEY}"}, timeout=60)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Sends the signal and returns the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        if self._reading is not None:
            self._reading.join()
        return code

    def close(self) -> None:
        """Closes the pipe it was read through."""
        if self.process.stdout is not None:
            self.process.stdout.close()

    def wait_until_ready(self) -> None:
        """Reads what it prints up to the line that says where it listens; the rest in a thread."""
        out = self.process.stdout
        assert out is not None
        for line in out:
            self.lines.append(line)
            if line.startswith(READY):
                self.url = line.removeprefix(READY).split()[0]
                self._reading = threading.Thread(target=self._drain, args=(out,), daemon=True)
                self._reading.start()
                return
        raise AssertionError(f"it ended with {self.process.wait()} before it was ready:\n{self.output}")

    def _drain(self, out: IO[str]) -> None:
        self.lines.extend(out)


def start(data: Path, *arguments: str, **settings: str) -> Served:
    """`footnote serve`, ready; whoever starts it must stop it."""
    process = subprocess.Popen(
        [*COMMAND, "serve", *arguments],
        cwd=data.parent,
        env=environment(data, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    served = Served(process)
    try:
        served.wait_until_ready()
    except BaseException:
        process.kill()
        process.wait()
        raise
    return served


@contextmanager
def serving(data: Path, *arguments: str, **settings: str) -> Iterator[Served]:
    """A service that is stopped by SIGINT at the end, and must end well."""
    served = start(data, *arguments, **settings)
    try:
        yield served
        code = served.stop()
        assert code == 0, f"it ended with {code}:\n{served.output}"
        assert "Traceback" not in served.output, served.output
    finally:
        served.process.kill()
        served.process.wait()
        served.close()
