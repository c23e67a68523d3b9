"""/v1/jobs: look, watch, cancel."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from tests.api.library import Library, upload
from tests.api.refusals import assert_error, assert_hidden, assert_needs_key


def events_of(stream: str) -> list[tuple[str, dict[str, Any]]]:
    """(event name, data) of each server-sent event."""
    found = []
    for block in stream.strip().split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


class TestGet:
    def test_needs_a_key(self, nobody: httpx2.Client, library: Library) -> None:
        assert_needs_key(nobody, "GET", f"/v1/jobs/{library.job}")

    def test_is_hidden_from_strangers(self, stranger: httpx2.Client, library: Library) -> None:
        assert_hidden(stranger, "GET", "/v1/jobs/{}", library.job)

    def test_shows_true_progress(self, api: httpx2.Client, library: Library) -> None:
        job = api.get(f"/v1/jobs/{library.job}").json()
        assert (job["state"], job["stage"], job["document_name"]) == ("completed", "done", "tools.md")
        chunks = api.get(f"/v1/documents/{library.tools}").json()["chunk_count"]
        assert job["done"] == job["total"] == chunks


class TestEvents:
    def test_needs_a_key(self, nobody: httpx2.Client, library: Library) -> None:
        assert_needs_key(nobody, "GET", f"/v1/jobs/{library.job}/events")

    def test_is_hidden_from_strangers(self, stranger: httpx2.Client, library: Library) -> None:
        assert_hidden(stranger, "GET", "/v1/jobs/{}/events", library.job)

    def test_ends_with_the_final_state(self, api: httpx2.Client, repository: int) -> None:
        text = "\n\n".join(f"Paragraph {number}. " + "word " * 100 for number in range(200)).encode()
        sent = api.post(f"/v1/repositories/{repository}/documents", files={"file": ("long.txt", text)}).json()
        job = sent["documents"][0]["job"]["id"]
        with api.stream("GET", f"/v1/jobs/{job}/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            events = events_of(answer.read().decode())
        assert events[-1][0] == "completed"
        assert all(name == "progress" for name, _ in events[:-1])
        done = [data["done"] for _, data in events]
        assert done == sorted(done)
        assert events[-1][1]["done"] == events[-1][1]["total"]

    def test_of_a_failed_job(self, api: httpx2.Client, repository: int) -> None:
        job = upload(api, repository, "a.pdf", b"%PDF-1.4 nonsense")["job"]
        ((name, data),) = events_of(api.get(f"/v1/jobs/{job['id']}/events").text)
        assert (name, data["error"]) == ("failed", job["error"])


class TestCancel:
    def test_needs_a_key(self, nobody: httpx2.Client, library: Library) -> None:
        assert_needs_key(nobody, "POST", f"/v1/jobs/{library.job}/cancel")

    def test_is_hidden_from_strangers(self, stranger: httpx2.Client, library: Library) -> None:
        assert_hidden(stranger, "POST", "/v1/jobs/{}/cancel", library.job)

    def test_a_reading_key_may_not(self, reader: httpx2.Client, library: Library) -> None:
        assert_error(reader.post(f"/v1/jobs/{library.job}/cancel"), 403)

    def test_a_finished_job_stays_finished(self, api: httpx2.Client, library: Library) -> None:
        assert api.post(f"/v1/jobs/{library.job}/cancel").json()["state"] == "completed"

    def test_the_last_in_the_queue(self, api: httpx2.Client, repository: int) -> None:
        def long(number: int) -> tuple[str, tuple[str, bytes]]:
            return "file", (f"{number}.txt", f"Text {number}. ".encode() + b"word " * 35_000)

        sent = api.post(f"/v1/repositories/{repository}/documents", files=[long(number) for number in range(5)]).json()
        last = sent["documents"][-1]
        cancelled = api.post(f"/v1/jobs/{last['job']['id']}/cancel")
        assert cancelled.status_code == 200
        ended, _ = events_of(api.get(f"/v1/jobs/{last['job']['id']}/events").text)[-1]
        assert ended == "cancelled"
        assert api.get(f"/v1/documents/{last['id']}").json()["chunk_count"] == 0
        for document in sent["documents"][:-1]:
            ended, _ = events_of(api.get(f"/v1/jobs/{document['job']['id']}/events").text)[-1]
            assert ended == "completed"
