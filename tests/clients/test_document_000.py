"""The documented scripts and curl lines of ProRata's API, as printed there but for host, key and thread."""

from __future__ import annotations

import ast
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.clients.service_process import Service
from tests.clients.vendor_process import VENDORS, python_command, run_once

pytestmark = pytest.mark.peer

HOST, KEY, THREAD = "https://api.staging.prorata.ai", "pk_9bedc9f...", "bfb5862e-1772-4f82-9297-7e533e0cca73"
SKY = (
    "The sky is blue because of a phenomenon called **Rayleigh scattering**: air scatters blue light more than red.\n\n"
    "The sky is black at night because the side of the Earth we are on is turned away from the sun.\n"
)


@pytest.fixture(scope="module")
def sky(service: Service) -> int:
    """A repository that knows why."""
    number: int = service.post("/v1/repositories", json={"name": "Sky"})["id"]
    file = {"file": ("sky.txt", SKY.encode(), "text/plain")}
    service.post(f"/v1/repositories/{number}/documents", params={"wait": "true"}, files=file)
    return number


def documented(service: Service, *names: str, thread: str = THREAD) -> str:
    """Files of the document, one after the other, with our host, key and thread in their places."""
    text = "\n".join((VENDORS / name).read_text() for name in names)
    assert HOST in text
    assert KEY in text
    return text.replace(HOST, service.url).replace(KEY, service.key).replace(THREAD, thread)


def run_python(folder: Path, script: str) -> str:
    (folder / "script.py").write_text(script)
    python = python_command("sseclient", "document_000_first.py")[0]
    return run_once([python, str(folder / "script.py")])


def run_curl(line: str) -> dict[str, Any]:
    shell, curl = shutil.which("bash"), shutil.which("curl")
    if shell is None or curl is None:
        if os.environ.get("FOOTNOTE_REQUIRE_PEERS") == "1":
            pytest.fail("the documented line needs bash and curl")
        pytest.skip("the documented line needs bash and curl")
    answer: dict[str, Any] = json.loads(run_once([shell, "-c", line]))
    return answer


def printed_json(printed: str, heading: str) -> dict[str, Any]:
    first, _, rest = printed.partition("\n")
    assert first == heading, printed
    answer: dict[str, Any] = ast.literal_eval(rest.partition("\n")[0])
    return answer


def text_of(answer: dict[str, Any]) -> str:
    text: str = answer["choices"][0]["message"]["content"]
    return text


def test_the_first_request_and_its_follow_up_in_python(service: Service, sky: int, tmp_path: Path) -> None:
    printed = run_python(tmp_path, documented(service, "py/document_000_first.py"))
    first = printed_json(printed, "Response JSON:")
    assert "Rayleigh scattering" in text_of(first)
    assert first["turnId"] == "1"
    both = ("py/document_000_first.py", "py/document_000_follow_up.py")
    printed = run_python(tmp_path, documented(service, *both, thread=first["threadId"]))
    follow_up = printed_json("Follow-up" + printed.partition("Follow-up")[2], "Follow-up response JSON:")
    assert "turned away from the sun" in text_of(follow_up)
    assert (follow_up["threadId"], follow_up["turnId"]) == (first["threadId"], "2")
    unknown = run_python(tmp_path, documented(service, *both))
    assert unknown.splitlines()[-1].startswith('Error 404: {"error":"Not Found"')


def test_the_stream_in_python(service: Service, sky: int, tmp_path: Path) -> None:
    lines = run_python(tmp_path, documented(service, "py/document_000_stream.py")).splitlines()
    names = [line.removeprefix("Event: ") for line in lines[::2]]
    data = [json.loads(line.removeprefix("Data: ")) for line in lines[1::2]]
    assert (names[0], names[-1], set(names[1:-1])) == ("metadata", "complete", {"generating"})
    assert data[0].keys() == {"threadId", "turnId", "title"}
    assert "Rayleigh scattering" in "".join(each["content"] for each in data[1:-1])
    assert data[-1].keys() == {"response_time"}


def test_the_curl_lines(service: Service, sky: int) -> None:
    first = run_curl(documented(service, "sh/document_000_first.sh"))
    assert "Rayleigh scattering" in text_of(first)
    follow_up = run_curl(documented(service, "sh/document_000_follow_up.sh", thread=first["threadId"]))
    assert "turned away from the sun" in text_of(follow_up)
    assert follow_up["turnId"] == "2"
    unknown = run_curl(documented(service, "sh/document_000_follow_up.sh"))
    assert (unknown["error"], unknown["statusCode"]) == ("Not Found", 404)
