"""Gist's clients: requests and sseclient-py, in an environment of their own."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from tests.clients.service_process import Service
from tests.clients.vendor_process import ClientProcess, python_command

PROCESS = ClientProcess(partial(python_command, "sseclient", "gist_chat.py"))
COMPLETIONS = "/v1/chat/completions"


def send(
    service: Service,
    body: Any = None,
    *,
    user: str | None,
    key: str | None = None,
    path: str = COMPLETIONS,
    method: str = "POST",
) -> dict[str, Any]:
    """Status, headers and JSON body of a request on behalf of `user`."""
    request = {"path": path, "method": method, "body": body, "headers": {} if user is None else {"X-User-ID": user}}
    return PROCESS.ask(service.url, key or service.key, "whole", request)


def stream(service: Service, body: Any, *, user: str, path: str = COMPLETIONS, method: str = "POST") -> list[Any]:
    """(name, data) of the events that sseclient-py read."""
    request = {"path": path, "method": method, "body": body, "headers": {"X-User-ID": user}}
    answer = PROCESS.ask(service.url, service.key, "stream", request)
    assert answer["status"] == 200, answer
    return [(event["event"], json.loads(event["data"])) for event in answer["events"]]


def said_in(events: list[Any]) -> str:
    """The answer's words."""
    return "".join(data["content"] for name, data in events if name == "generating")
