"""Sends GraphQL as any client does, and reads what comes back."""

from __future__ import annotations

from typing import Any

import httpx2


def ask(client: httpx2.Client, query: str, **variables: Any) -> dict[str, Any]:
    """The whole answer: `data`, and `errors` where there are any."""
    answer = client.post("/graphql", json={"query": query, "variables": variables})
    assert answer.status_code == 200, answer.text
    whole: dict[str, Any] = answer.json()
    return whole


def data(client: httpx2.Client, query: str, **variables: Any) -> dict[str, Any]:
    """The data of an answer without errors."""
    whole = ask(client, query, **variables)
    assert "errors" not in whole, whole
    found: dict[str, Any] = whole["data"]
    return found


def refusal(client: httpx2.Client, query: str, **variables: Any) -> dict[str, Any]:
    """The one error of an answer, and no word of where in our code it arose."""
    answer = client.post("/graphql", json={"query": query, "variables": variables})
    assert answer.status_code == 200, answer.text
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    [error] = answer.json()["errors"]
    assert {"message", "extensions"} <= error.keys()
    assert {"code", "field"} <= error["extensions"].keys()
    found: dict[str, Any] = error
    return found
