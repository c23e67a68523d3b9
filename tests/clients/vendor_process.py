"""Runs a script that uses a vendor's own client, in that client's own environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENDORS = Path(__file__).resolve().parent / "vendors"
INSTALL = "tests/clients/install.sh"
RUN_SECONDS = 90.0  # a client that has not ended by then hangs


def run_python(environment: str, script: str, *arguments: str) -> str:
    """What `vendors/py/<script>` printed, run by the Python of `.peers/<environment>`."""
    python = ROOT / ".peers" / environment / "bin" / "python"
    if not python.exists():
        _missing(f".peers/{environment}")
    return _run([str(python), str(VENDORS / "py" / script), *arguments])


def run_node(script: str, *arguments: str) -> str:
    """What `vendors/js/<script>` printed, run by Node."""
    node = shutil.which("node")
    if node is None:
        _missing("node")
    if not (VENDORS / "js" / "node_modules").exists():
        _missing("tests/clients/vendors/js/node_modules")
    return _run([node, str(VENDORS / "js" / script), *arguments])


def chat_arguments(url: str, key: str, mode: str, request: Mapping[str, Any]) -> list[str]:
    """The arguments every chat script takes: base URL, key, mode, and the client's own parameters as JSON."""
    return [url, key, mode, json.dumps(request)]


def _run(command: list[str]) -> str:
    # no variable of the developer's may reach a client: keys, proxies and base URLs are read from there
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, f"{command[1]} ended with {done.returncode}:\n{done.stderr[-4000:]}"
    return done.stdout


def _missing(what: str) -> NoReturn:
    message = f"{what} is missing; {INSTALL} installs the vendors' clients"
    if os.environ.get("FOOTNOTE_REQUIRE_PEERS") == "1":
        pytest.fail(message)
    pytest.skip(message)
