"""Runs scripts that use a vendor's own client, each in that client's own environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TextIO

import pytest

PEERS = Path(__file__).resolve().parents[2] / ".peers"
VENDORS = Path(__file__).resolve().parent / "vendors"
INSTALL = "tests/clients/install.sh"
PATIENCE_S = 60.0  # a client that has not answered by then hangs
Command = list[str]


def python_command(environment: str, script: str) -> Command:
    """Runs `vendors/py/<script>` by the Python of `.peers/<environment>`; skips the test where that is missing."""
    python = PEERS / environment / "bin" / "python"
    if not python.exists():
        _missing(f".peers/{environment}")
    return [str(python), str(VENDORS / "py" / script)]


def node_command(script: str) -> Command:
    """Runs `vendors/js/<script>` by Node; skips the test where Node or its packages are missing."""
    own = PEERS / "node" / "bin"  # made by install.sh where the machine has no Node of its own
    node = shutil.which("node", path=str(own)) or shutil.which("node")
    if node is None:
        _missing("node")
    if not (VENDORS / "js" / "node_modules").exists():
        _missing("tests/clients/vendors/js/node_modules")
    return [node, str(VENDORS / "js" / script)]


def run_once(command: Command, *arguments: str) -> str:
    """What the script printed until it ended; raises AssertionError with its errors unless it ended well."""
    done = subprocess.run(
        [*command, *arguments],
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{command[1]} ended with {done.returncode}:\n{done.stderr[-4000:]}"
    return done.stdout


class ClientProcess:
    """A script that answers requests line by line: importing a vendor's client costs more than all its answers.

    It starts at the first request, and anew after a request that it did not survive.
    """

    def __init__(self, command: Callable[[], Command]) -> None:
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self._errors: TextIO | None = None

    def ask(self, url: str, key: str, mode: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """What the client made of the answer; raises AssertionError with its errors when it crashes or hangs."""
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        patience = threading.Timer(PATIENCE_S, process.kill)
        patience.start()
        try:
            line = {"url": url, "key": key, "mode": mode, "request": request}
            process.stdin.write(json.dumps(line) + "\n")
            process.stdin.flush()
            answered = process.stdout.readline()
        finally:
            patience.cancel()
        if not answered:
            raise AssertionError(self.close())
        outcome: dict[str, Any] = json.loads(answered)
        return outcome

    def close(self) -> str:
        """Ends the script, if it runs; returns how it ended and the end of what it wrote to stderr."""
        process, errors = self._process, self._errors
        self._process = self._errors = None
        if process is None or errors is None:
            return ""
        with errors:
            process.communicate(timeout=PATIENCE_S)  # it ends with its input
            errors.seek(0)
            return f"{process.args!r} ended with {process.returncode}:\n{errors.read()[-4000:]}"

    def _start(self) -> subprocess.Popen[str]:
        command = self._command()
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 (see close)
        self._process = subprocess.Popen(
            command,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
        )
        return self._process


def _environment() -> dict[str, str]:
    # no variable of the developer's may reach a client: keys, proxies and base URLs are read from there
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def _missing(what: str) -> NoReturn:
    message = f"{what} is missing; {INSTALL} installs the vendors' clients"
    if os.environ.get("FOOTNOTE_REQUIRE_PEERS") == "1":
        pytest.fail(message)
    pytest.skip(message)
