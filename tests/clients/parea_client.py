"""parea-ai's own client, in an environment of its own."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.clients.service_process import Service
from tests.clients.vendor_process import ClientProcess, python_command

PROCESS = ClientProcess(partial(python_command, "parea", "parea_client.py"))


def ask(service: Service, mode: str, *, key: str | None = None, **request: Any) -> dict[str, Any]:
    """What the client returned, or the exception it raised."""
    return PROCESS.ask(service.url, key or service.key, mode, request)
