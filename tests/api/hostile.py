"""The ways in which a completion is asked for, each with its body, its refusals and its stream; for hostile tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.api import gist_users, parea
from tests.api.refusals import assert_error

MODEL = "openai/gpt-test"
Told = tuple[str, str | None]  # an error's message, and the field it names


@dataclass(frozen=True)
class Way:
    """One format on one path."""

    name: str
    path: str
    head: Mapping[str, Any]  # what makes a body this format's
    dialect: str  # union, gist or parea: whose errors and streams
    stream: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, messages: Any, *, model: str = MODEL, **more: Any) -> dict[str, Any]:
        """A question to the scripted model that searches nothing, unless told otherwise."""
        more = {"repositories": {"ids": []}, **more}
        if self.dialect == "parea":
            return {"llm_configuration": {"model": model, "messages": messages}, "cache": False, **more}
        streams = {"stream": True} if self.stream else {}
        return {**self.head, "model": model, "messages": messages, **streams, **more}

    def post(self, client: httpx2.Client, body: Any, **request: Any) -> httpx2.Response:
        """The answer to a body, read to its end."""
        sent: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        return client.post(self.path, headers={**self.headers, **request.pop("headers", {})}, **sent, **request)

    def refusal(self, response: httpx2.Response, status: int) -> Told:
        """What an error says, when it is in this format's own form with this status (Parea's 400 is a 422)."""
        if self.dialect == "gist":
            body = gist_users.assert_gist_error(response, status)
            return body["message"], body.get("field")
        if self.dialect == "parea":
            assert response.status_code == (422 if status == 400 else status), response.text[:500]
            detail = response.json()["detail"]
            if status != 400:
                assert isinstance(detail, str)
                return detail, None
            (fault,) = detail
            assert fault["loc"][0] == "body"
            return fault["msg"], ".".join(fault["loc"][1:]) or None
        body = assert_error(response, status)
        return body["message"], body["error"]["param"]

    def words(self, answer: bytes) -> str:
        """All that the model said, as this format's clients put it together."""
        if not self.stream:
            whole = json.loads(answer)
            return str(whole["content"] if self.dialect == "parea" else whole["choices"][0]["message"]["content"])
        return "".join(STREAMS[self.dialect](answer.decode()))


def said(text: str, *, role: str = "user") -> list[dict[str, Any]]:
    """A conversation of one message."""
    return [{"role": role, "content": text}]


def _union_words(stream: str) -> list[str]:
    """Also checks that the grammar is whole: nothing but events, and one end."""
    assert stream.endswith("\n\n")
    *chunks, end = stream.removesuffix("\n\n").split("\n\n")
    found = []
    for chunk in chunks:
        event, data = chunk.split("\n")
        assert event == "event: completion"
        found.append(json.loads(data.removeprefix("data: "))["choices"][0]["delta"]["content"])
    event, done, trace, sources = end.split("\n")
    assert (event, done) == ("event: done", "data:[DONE]")
    assert trace.startswith("trace_id: ")
    assert isinstance(json.loads(sources.removeprefix("document_chunks: ")), list)
    return found


def _gist_words(stream: str) -> list[str]:
    (first, _), *generating, (last, _) = gist_users.events_of(stream)
    assert (first, last, {name for name, _ in generating}) == ("metadata", "complete", {"generating"})
    return [data["content"] for _, data in generating]


def _parea_words(stream: str) -> list[str]:
    head, *events = parea.events(stream)
    assert head.startswith("ID_START")
    return [event["chunk"] for event in events]


STREAMS: Mapping[str, Callable[[str], list[str]]] = {
    "union": _union_words,
    "gist": _gist_words,
    "parea": _parea_words,
}
GIST_USER = {"x-user-id": "hostile"}
WAYS = (
    Way("prem", "/v1/chat/completions", {"project_id": 1}, "union"),
    Way("prem-stream", "/prem/v1/chat/completions", {"project_id": 1}, "union", stream=True),
    Way("openai", "/v1/chat/completions", {}, "union"),
    Way("openai-stream", "/openai/v1/chat/completions", {}, "union", stream=True),
    Way("studio", "/api/v1/chat/completions", {}, "union"),
    Way("gist", "/gist/v1/chat/completions", {}, "gist", headers=GIST_USER),
    Way("gist-stream", "/gist/v1/chat/completions", {}, "gist", stream=True, headers=GIST_USER),
    Way("parea", "/api/parea/v1/completion", {}, "parea"),
    Way("parea-stream", "/api/parea/v1/completion/stream", {}, "parea", stream=True),
)
