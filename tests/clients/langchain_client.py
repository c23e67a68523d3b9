"""LangChain's ChatPremAI in an environment of its own."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.clients.service_process import Service
from tests.clients.vendor_process import ClientProcess, python_command

PROJECT = 1
PROCESS = ClientProcess(partial(python_command, "langchain", "langchain_chat.py"))


def ask(
    service: Service,
    mode: str,
    question: str,
    repository_id: int | None = None,
    *,
    model: str | None = None,
    **request: Any,
) -> dict[str, Any]:
    """What ChatPremAI returned; mode is invoke, stream or hang-up."""
    constructor = {
        "project_id": PROJECT,
        "model": model,
        "repositories": None if repository_id is None else {"ids": [repository_id], "limit": 3},
        "streaming": mode != "invoke",  # unset, `stream` asks for a whole answer
    }
    return PROCESS.ask(service.url, service.key, mode, {"model": constructor, "question": question, **request})
