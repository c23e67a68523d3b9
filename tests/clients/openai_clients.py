"""OpenAI's own clients, each in its own environment: openai-python, plain and async, and openai-node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.clients.service_process import Service
from tests.clients.vendor_process import ClientProcess, node_command, python_command

MODEL = "footnote/extractive"


@dataclass(frozen=True, slots=True)
class Client:
    """One of OpenAI's clients: where it runs, what its modes are called, and where it takes foreign parameters.

    `add_up` is the helper that adds a stream up and parses it; the plain one's for the async client.
    """

    process: ClientProcess
    whole: str
    stream: str
    extras: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    parse: str
    add_up: str

    def ask(self, service: Service, mode: str, *, key: str | None = None, **request: Any) -> dict[str, Any]:
        """What the client returned; `repositories` goes where this client takes parameters it does not know."""
        if "repositories" in request:
            request |= self.extras({"repositories": request.pop("repositories")})
        return self.process.ask(service.url, key or service.key, mode, {"model": MODEL, **request})


def _in_extra_body(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"extra_body": dict(parameters)}


def _among_the_others(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    return parameters


PYTHON = ClientProcess(partial(python_command, "openai", "openai_chat.py"))
NODE = ClientProcess(partial(node_command, "openai_chat.mjs"))
PROCESSES = (PYTHON, NODE)
CLIENTS: Mapping[str, Client] = {
    "python": Client(PYTHON, "sync", "stream", _in_extra_body, "parse", "add-up"),
    "python-async": Client(PYTHON, "async", "async-stream", _in_extra_body, "async-parse", "add-up"),
    "node": Client(NODE, "sync", "stream", _among_the_others, "parse", "add-up"),
}
EVERY_CLIENT = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)


def text_of(streamed: Mapping[str, Any]) -> str:
    """The answer that the pieces of a stream add up to."""
    return "".join(chunk["choices"][0]["delta"]["content"] for chunk in streamed["chunks"] if chunk["choices"])
