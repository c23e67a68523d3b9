"""Gist's users at the route tests' service, and their events and errors."""

from __future__ import annotations

import json
from typing import Any

import httpx2

COMPLETIONS = "/v1/chat/completions"


def asked(question: str, *more: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A body with this question first, as Gist's documents write it."""
    return {"messages": [{"role": "user", "content": question}, *more], **fields}


def pointer(answer: dict[str, Any]) -> dict[str, Any]:
    """The message that points to an earlier answer."""
    return {"role": "assistant", "metadata": answer["choices"][0]["message"]["metadata"]}


def events_of(stream: str) -> list[tuple[str, dict[str, Any]]]:
    """Each event's name and data."""
    found = []
    for block in stream.split("\n\n")[:-1]:
        name, data = block.splitlines()
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def assert_gist_error(
    response: httpx2.Response, status: int, *, says: str = "", field: str | None = None
) -> dict[str, Any]:
    """Gist's envelope; returns it."""
    assert response.status_code == status, f"{response.status_code}: {response.text[:500]}"
    body: dict[str, Any] = response.json()
    assert body["statusCode"] == status
    assert isinstance(body["error"], str)
    assert says.lower() in body["message"].lower(), body["message"]
    if field is not None:
        assert body["field"] == field
    return body
