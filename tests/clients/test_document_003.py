"""The request that Parea's documentation prints, as printed there but for host and key."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from tests.clients.service_process import Service
from tests.clients.vendor_process import VENDORS
from tests.doubles.openai_server import DONE, OpenAIServer, Reply, call, finish

CURL = (VENDORS / "sh" / "document_003.sh").read_text()
HOST = "https://parea-ai-backend-us-9ac16cdbc7a7b006.onporter.run"


def test_the_curl_of_document_003(service: Service, model_server: OpenAIServer) -> None:
    shell, curl = shutil.which("bash"), shutil.which("curl")
    if not shell or not curl:
        if os.environ.get("FOOTNOTE_REQUIRE_PEERS") == "1":
            pytest.fail("the documented line needs bash and curl")
        pytest.skip("the documented line needs bash and curl")
    called = call(0, "call_1", "get_current_weather", ('{"location": ', '"New York"}'))
    model_server.script(Reply([*called, finish("tool_calls"), DONE]))
    line = CURL.replace(HOST, service.url).replace("<api-key>", service.key)
    assert line.count(service.url) == line.count(service.key) == 1
    done = subprocess.run([shell, "-c", line], capture_output=True, check=True, timeout=60)
    head, *events, rest = done.stdout.decode().split("\r\n\r\n")
    assert rest == ""
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    (made,) = json.loads("".join(chunk["chunk"] for chunk in chunks))
    assert made["function"] == {"name": "get_current_weather", "arguments": {"location": "New York"}}
    sent = model_server.requests[-1].body
    assert (sent["model"], sent["temperature"], sent["tool_choice"]) == ("gpt-4o-mini", 0, "auto")
    assert 500 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))
    assert sent["messages"] == [{"role": "user", "content": "What is the weather in New York"}]
    assert sent["tools"][0]["function"]["name"] == "get_current_weather"
    trace = service.get(f"/v1/traces/{head.removeprefix('data: ID_START')}")["detail"]
    assert trace["inputs"] == {"city": "New York"}
    assert (trace["user"], trace["tags"]) == ("2596@gmail.com", ["weather", "forecast"])
    assert trace["metadata"] == {"purpose": "testing", "user_id": "user_2Q9afRAKe6SZrc3U7"}
