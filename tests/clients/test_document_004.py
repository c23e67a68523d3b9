"""Prem's documented curl line: with its placeholders a refusal that names the field, with values an answer."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.corpus import ANSWER, QUESTION
from tests.clients.service_process import Service
from tests.clients.vendor_process import VENDORS, run_once
from tests.doubles.openai_server import OpenAIServer, say

DOCUMENTED = (VENDORS / "sh" / "document_004.sh").read_text()
HEAD, _, REST = DOCUMENTED.partition("--data '")
BODY = REST.rpartition("'")[0]
Curl = Callable[[str], str]


@pytest.fixture
def curl(service: Service, tmp_path: Path) -> Curl:
    """Runs the line with another body; only the host and the key are ours."""
    if shutil.which("curl") is None:
        if os.environ.get("FOOTNOTE_REQUIRE_PEERS") == "1":
            pytest.fail("curl is missing")
        pytest.skip("curl is missing")

    def run(body: str) -> str:
        line = f"{HEAD}--data '{body}'".replace("https://app.premai.io", service.url)
        script = tmp_path / "line.sh"
        script.write_text(line.replace("<api-key>", service.key))
        return run_once(["bash", str(script)])

    return run


def test_its_placeholders_are_refused_one_by_one(curl: Curl, service: Service, repository_id: int) -> None:
    """Each correction leads to the next: every refusal names what is at fault."""
    template = service.post("/v1/templates", json={"name": "echo", "content": "${content}"})["id"]
    body = json.loads(BODY)
    corrections: list[tuple[str, str, Callable[[], Any]]] = [
        ("ValidationError", "tools", lambda: body["tools"][0]["function"]["parameters"].update(type="object")),
        ("ProviderNotFoundError", "project_id", lambda: body.update(project_id=1)),
        ("ProviderNotFoundError", "messages.template_id", lambda: body["messages"][0].update(template_id=template)),
        ("ModelNotFoundError", "model", lambda: body.update(model="footnote/extractive")),
        ("ProviderNotFoundError", "repositories.ids", lambda: body["repositories"].update(ids=[repository_id])),
    ]
    assert curl(BODY) == curl(json.dumps(body))
    for code, named, correct in corrections:
        error = json.loads(curl(json.dumps(body)))
        assert error["code"] == code, error
        assert list(error["details"]) == [named]
        correct()


def test_with_values_it_streams_an_answer(
    curl: Curl, service: Service, repository_id: int, model_server: OpenAIServer
) -> None:
    model_server.script(say("Under the ", "front stairs [1]."))
    template = service.post("/v1/templates", json={"name": "polite", "content": "Please: ${content}"})["id"]
    body = json.loads(BODY)
    body |= {"project_id": 1, "model": "openai/gpt-test", "session_id": "document 004", "max_tokens": 64}
    body["repositories"]["ids"] = [repository_id]
    body["messages"][0] |= {"content": QUESTION, "template_id": template}
    function = body["tools"][0]["function"]
    function["name"] = "find_shelf"
    function["parameters"] |= {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    streamed = curl(json.dumps(body))
    events = [event.split("\n") for event in streamed.strip().split("\n\n")]
    assert [event[0] for event in events] == ["event: completion"] * (len(events) - 1) + ["event: done"]
    chunks = [json.loads(event[1].removeprefix("data: ")) for event in events[:-1]]
    assert "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks) == "Under the front stairs [1]."
    done = dict(line.split(": ", 1) for line in events[-1] if ": " in line)
    (source,) = [chunk for chunk in json.loads(done["document_chunks"]) if ANSWER in chunk["content"]]
    assert source["repository_id"] == repository_id
    sent = model_server.requests[-1].body
    assert sent["messages"][-1] == {"role": "user", "content": f"Please: {QUESTION}"}
    assert sent["messages"][0]["content"].startswith("<string>")  # the system prompt, as it stands there
    assert sent["tools"] == body["tools"]
    assert sent["temperature"] == 1
    assert service.get(f"/v1/traces/{done['trace_id']}")["detail"]["session"] == "document 004"
