"""What every route must refuse, and how."""

from __future__ import annotations

from typing import Any

import httpx2

NOT_THERE = 999_999


def assert_error(response: httpx2.Response, status: int, *, says: str = "", field: str | None = None) -> dict[str, Any]:
    """The union envelope, which Prem's, OpenAI's and plain clients can all read; returns it."""
    assert response.status_code == status, f"{response.status_code}: {response.text[:500]}"
    body: dict[str, Any] = response.json()
    assert body["statusCode"] == status
    assert body["message"] == body["detail"] == body["error"]["message"]
    assert {"type", "param", "code"} <= body["error"].keys()
    assert isinstance(body["code"], str)
    assert says.lower() in body["message"].lower(), body["message"]
    if field is not None:
        assert body["error"]["param"] == field
    return body


def assert_needs_key(nobody: httpx2.Client, method: str, path: str, **request: Any) -> None:
    """No key, and a key that nobody has, are both a 401 that says how to send one."""
    for headers in ({}, {"authorization": "Bearer fn-nobody-has-this"}):
        response = nobody.request(method, path, headers=headers, **request)
        assert_error(response, 401, says="Authorization: Bearer")
        assert response.headers["www-authenticate"] == "Bearer"


def assert_hidden(stranger: httpx2.Client, method: str, path: str, theirs: int | str, **request: Any) -> None:
    """Another project's thing answers exactly as one that does not exist; `path` has a `{}` for its id."""
    foreign = stranger.request(method, path.format(theirs), **request)
    absent = stranger.request(method, path.format(NOT_THERE), **request)
    assert_error(absent, 404)
    assert foreign.status_code == 404
    assert foreign.text.replace(str(theirs), "#") == absent.text.replace(str(NOT_THERE), "#").replace(str(theirs), "#")
    assert sorted(foreign.headers) == sorted(absent.headers)
