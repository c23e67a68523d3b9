"""`footnote serve`: starts, stops, starts again with everything, and never twice on one folder."""

from __future__ import annotations

import signal
import socket
import threading
from pathlib import Path

import httpx2

from tests.e2e.process import ADMIN_KEY, ROOT, footnote, serving

SAMPLE = ROOT / "data" / "sample"


class TestServe:
    def test_a_second_start_has_everything(self, tmp_path: Path) -> None:
        data = tmp_path / "data"
        with serving(data) as served, served.client() as client:
            repository = client.post("/v1/repositories", json={"name": "Kept"}).json()["id"]
            files = {"file": ("a.txt", b"The otter sleeps at noon.")}
            path = f"/v1/repositories/{repository}/documents"
            document = client.post(path, params={"wait": "true"}, files=files).json()["documents"][0]
            ask = {"query": "When does the otter sleep?", "repositories": {"ids": [repository]}}
            first = client.post("/v1/retrieve", json=ask).json()
        with serving(data) as served, served.client() as client:
            assert client.post("/v1/retrieve", json=ask).json() == first
            again = client.post(path, params={"wait": "true"}, files=files).json()["documents"][0]
            assert (again["id"], again["unchanged"]) == (document["id"], True)
        assert first["document_chunks"][0]["content"] == "The otter sleeps at noon."

    def test_a_second_process_is_refused(self, tmp_path: Path) -> None:
        data = tmp_path / "data"
        with serving(data) as served:
            refused = footnote(data, "serve")
            assert refused.returncode == 1
            assert f"in use by process {served.process.pid}" in refused.stderr
            assert "FOOTNOTE_DATA_DIR" in refused.stderr
            assert "Traceback" not in refused.stderr
            assert httpx2.get(f"{served.url}/v1/health").status_code == 200

    def test_a_taken_port_is_told(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            refused = footnote(tmp_path / "data", "serve", PORT=str(taken.getsockname()[1]))
        assert refused.returncode != 0
        assert "address already in use" in refused.stderr
        assert "Traceback" not in refused.stderr

    def test_a_wrong_setting_is_told(self, tmp_path: Path) -> None:
        refused = footnote(tmp_path / "data", "serve", SIMILARITY_THRESHOLD="7")
        assert refused.returncode != 0
        assert "similarity_threshold" in refused.stderr.lower()
        assert "Traceback" not in refused.stderr

    def test_sigterm(self, tmp_path: Path) -> None:
        with serving(tmp_path / "data") as served:
            assert served.stop(signal.SIGTERM) == 0

    def test_stops_in_the_middle_of_an_ingest(self, tmp_path: Path) -> None:
        data = tmp_path / "data"
        with serving(data) as served, served.client() as client:
            path = f"/v1/repositories/{client.post('/v1/repositories', json={'name': 'x'}).json()['id']}/documents"
            files = [("file", (f"{number}.txt", f"Text {number}. ".encode() * 5_000)) for number in range(6)]
            jobs = [each["job"]["id"] for each in client.post(path, files=files).json()["documents"]]
        with serving(data) as served, served.client() as client:
            for job in jobs:
                assert "event: completed" in client.get(f"/v1/jobs/{job}/events").text

    def test_stops_while_a_client_watches(self, tmp_path: Path) -> None:
        """Ctrl-C with an open stream: the stream is cut after the grace time at most, and nothing is logged."""
        with serving(tmp_path / "data", JOB_CONCURRENCY="1") as served, served.client() as client:
            path = f"/v1/repositories/{client.post('/v1/repositories', json={'name': 'x'}).json()['id']}/documents"
            files = [("file", (f"{number}.txt", f"Text {number}. ".encode() * 5_000)) for number in range(9)]
            job = client.post(path, files=files).json()["documents"][-1]["job"]["id"]
            seen = threading.Event()

            def watch() -> None:
                try:
                    with served.client() as watcher, watcher.stream("GET", f"/v1/jobs/{job}/events") as events:
                        for _ in events.iter_lines():
                            seen.set()
                except httpx2.TransportError:
                    pass  # cut off

            watching = threading.Thread(target=watch)
            watching.start()
            seen.wait()
        watching.join()

    def test_the_sample_and_the_key(self, tmp_path: Path) -> None:
        with serving(tmp_path / "data", "--sample", str(SAMPLE), EMBEDDER="all-MiniLM-L6-v2") as served:
            pass
        assert "Loading the sample repository" in served.output
        assert "[1]" in served.output
        assert f"API key: {ADMIN_KEY}" in served.output
        assert "curl" in served.output
        assert "footnote ask" in served.output
