"""Prem's own clients, each run in its own environment: premai in two generations, and prem-sdk."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from tests.clients.service_process import Service
from tests.clients.vendor_process import chat_arguments, run_node, run_python

PROJECT = 1
Run = Callable[..., str]
RUNS: Mapping[str, Run] = {
    "premai-0.3.107": partial(run_python, "premai", "premai_chat.py"),
    "premai-0.3.76": partial(run_python, "premai-upload", "premai_chat.py"),
    "prem-sdk-0.3.100": partial(run_node, "prem_chat.mjs"),
}
EVERY_CLIENT = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


def ask(run: Run, service: Service, mode: str, *, key: str | None = None, **request: Any) -> dict[str, Any]:
    """What the client returned for these parameters of `chat.completions.create`; mode is sync or stream."""
    parameters = {"project_id": PROJECT, **request}
    outcome: dict[str, Any] = json.loads(run(*chat_arguments(service.url, key or service.key, mode, parameters)))
    return outcome


def text_of(streamed: Mapping[str, Any]) -> str:
    """The answer that the pieces of a stream add up to."""
    return "".join(chunk["choices"][0]["delta"]["content"] for chunk in streamed["chunks"])
