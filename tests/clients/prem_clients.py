"""Prem's own clients, each in its own environment: premai in three generations, and prem-sdk."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from tests.clients.service_process import Service
from tests.clients.vendor_process import ClientProcess, node_command, python_command

PROJECT = 1
CLIENTS: Mapping[str, ClientProcess] = {
    "premai-0.3.107": ClientProcess(partial(python_command, "premai", "premai_chat.py")),
    "premai-0.3.76": ClientProcess(partial(python_command, "premai-upload", "premai_chat.py")),
    "premai-0.3.25": ClientProcess(partial(python_command, "premai-json", "premai_chat.py")),
    "prem-sdk-0.3.100": ClientProcess(partial(node_command, "prem_chat.mjs")),
}
EVERY_CLIENT = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)


def ask(
    client: ClientProcess, service: Service, mode: str, *, key: str | None = None, **request: Any
) -> dict[str, Any]:
    """What the client returned for these parameters of `chat.completions.create`; mode is sync, stream or hang-up."""
    return client.ask(service.url, key or service.key, mode, {"project_id": PROJECT, **request})


def call(client: ClientProcess, service: Service, method: str, *listed: Any, **named: Any) -> dict[str, Any]:
    """What a method of the client returned, a list as `items`; Python's take names, prem-sdk's take places."""
    return client.ask(service.url, service.key, method, {"parameters": listed} if is_node(client) else named)


def is_node(client: ClientProcess) -> bool:
    return client is CLIENTS["prem-sdk-0.3.100"]


def text_of(streamed: Mapping[str, Any]) -> str:
    """The answer that the pieces of a stream add up to."""
    return "".join(chunk["choices"][0]["delta"]["content"] for chunk in streamed["chunks"])
