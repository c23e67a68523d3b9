"""What tests ask in Parea's words, and how they read what comes back."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from tests.doubles.openai_server import DONE, Reply, call, finish

BASE = "/api/parea/v1"
COMPLETION = f"{BASE}/completion"
WEATHER = {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}


def body(content: str = "Hello?", *, model: str | None = "openai/gpt-test", **more: Any) -> dict[str, Any]:
    """A completion by the scripted model, not cached unless asked."""
    configuration = {"model": model, "messages": [{"role": "user", "content": content}]}
    return {"llm_configuration": {**configuration, **more.pop("llm_configuration", {})}, "cache": False, **more}


def events(stream: str) -> list[Any]:
    """The head as its text, then each event's object."""
    lines = stream.split("\r\n\r\n")
    assert lines[-1] == ""
    said = [line.removeprefix("data: ") for line in lines[:-1]]
    return [said[0], *(json.loads(each) for each in said[1:])]


def fault(response: httpx2.Response, status: int, *loc: str) -> str:
    """The message of an error in FastAPI's form."""
    assert response.status_code == status, response.text
    detail = response.json()["detail"]
    if status != 422:
        assert isinstance(detail, str)
        return detail
    (only,) = detail
    assert only["loc"] == ["body", *loc]
    assert only["type"]
    return str(only["msg"])


def calls_weather() -> Reply:
    return Reply([*call(0, "call_7", "get_weather", ('{"city": ', '"Oslo"}')), finish("tool_calls"), DONE])


def log(trace_id: str, **fields: Any) -> dict[str, Any]:
    """A log as the SDK's decorator writes it."""
    return {
        "trace_id": trace_id,
        "parent_trace_id": trace_id,
        "root_trace_id": trace_id,
        "start_timestamp": "2026-07-24T18:05:17.5+00:00",
        "configuration": {"model": None, "messages": None},
        "status": "success",
        "tags": None,
        "log_sample_rate": 1.0,
        **fields,
    }
