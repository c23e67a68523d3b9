"""When a part is down or a client goes away: a 502 or 503 with a trace id, and never an empty 200."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ingest.embedders.hashing import HashingEmbedder
from ingest.types import EmbedderUnavailableError, Vectors
from tests.api.library import QUESTION, Library, make_key
from tests.api.refusals import assert_error
from tests.doubles.openai_server import CUT, OpenAIServer, finish, refuse, say, words
from tests.doubles.openai_server import Reply as ModelReply
from tests.doubles.service import RunningService, running_service

PATH = "/v1/chat/completions"
PATIENCE_S = 20.0  # only ever spent by a test that is about to fail


def body(library: Library, **more: Any) -> dict[str, Any]:
    return {
        "model": "openai/any",
        "messages": [{"role": "user", "content": QUESTION}],
        "repositories": {"ids": [library.repository], "similarity_threshold": 0.1},
        **more,
    }


def outcome_of(api: httpx2.Client, trace: str) -> dict[str, Any]:
    """The trace, once it is written."""
    deadline = time.monotonic() + PATIENCE_S
    while (answer := api.get(f"/v1/traces/{trace}")).status_code == 404 and time.monotonic() < deadline:
        pass
    found: dict[str, Any] = answer.json()
    return found


class TestProviderDown:
    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize(("status", "shown"), [(500, 502), (401, 502), (429, 429), (503, 502)])
    def test_is_a_status_with_a_trace(
        self, api: httpx2.Client, library: Library, model_server: OpenAIServer, status: int, shown: int, stream: bool
    ) -> None:
        model_server.script(refuse(status))
        answer = api.post(PATH, json=body(library, stream=stream))
        refused = assert_error(answer, shown)
        assert answer.headers["x-request-id"] == refused["trace_id"]
        trace = outcome_of(api, refused["trace_id"])
        assert trace["outcome"] == "error"
        assert trace["detail"]["error"] == refused["message"]

    def test_nobody_listens(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        request = {"model": "openai/any", "messages": [{"role": "user", "content": "hi"}], "repositories": {"ids": []}}
        with running_service(tmp_path, run_jobs=False, model_retries=0) as service, service.client() as client:
            assert "trace_id" in assert_error(client.post(PATH, json=request), 502)

    def test_an_answer_that_breaks_off(self, api: httpx2.Client, library: Library, model_server: OpenAIServer) -> None:
        broken = ModelReply([*words("Members with a "), CUT])
        model_server.script(broken, broken)
        refused = assert_error(api.post(PATH, json=body(library)), 502)
        assert outcome_of(api, refused["trace_id"])["outcome"] == "error"
        stream = api.post(PATH, json=body(library, stream=True)).text
        assert "Members with a " in stream
        event = next(block for block in stream.split("\n\n") if block.startswith("event: error"))
        shown = json.loads(event.split("data: ", 1)[1])
        trace = outcome_of(api, shown["trace_id"])
        assert (trace["outcome"], trace["detail"]["answer"]) == ("error", "Members with a ")


class TestHangUp:
    async def test_stops_the_model_and_says_so(
        self, service: RunningService, api: httpx2.Client, library: Library, model_server: OpenAIServer
    ) -> None:
        gate = model_server.gate()
        model_server.script(say("Members with a ", gate, "safety certificate [1]."))
        with service.client() as client, client.stream("POST", PATH, json=body(library, stream=True)) as answer:
            for line in answer.iter_lines():
                if "Members with a " in line:
                    trace = json.loads(line.removeprefix("data: "))["id"].removeprefix("chatcmpl-")
                    break
        assert await model_server.requests[-1].client_gone()
        kept = outcome_of(api, trace)
        assert (kept["outcome"], kept["detail"]["answer"]) == ("cancelled", "Members with a ")
        gate.open()

    def test_before_the_first_word(
        self, service: RunningService, api: httpx2.Client, library: Library, model_server: OpenAIServer
    ) -> None:
        """Nothing was sent yet, so that only the trace list can tell."""
        known = {trace["id"] for trace in api.get("/v1/traces").json()["traces"]}
        gate = model_server.gate()
        model_server.script(ModelReply([*words("late"), finish()], before_headers=gate))
        with service.client() as client:
            client.timeout = httpx2.Timeout(1.0)
            with pytest.raises(httpx2.ReadTimeout):
                client.post(PATH, json=body(library, stream=True))
        gate.open()
        deadline = time.monotonic() + PATIENCE_S
        new: list[dict[str, Any]] = []
        while not new and time.monotonic() < deadline:
            new = [trace for trace in api.get("/v1/traces").json()["traces"] if trace["id"] not in known]
        assert len(new) == 1

    def test_of_a_watcher_of_a_job(self, service: RunningService, api: httpx2.Client, repository: int) -> None:
        text = b"word " * 39_000
        sent = api.post(f"/v1/repositories/{repository}/documents", files={"file": ("long.txt", text)}).json()
        job = sent["documents"][0]["job"]["id"]
        with service.client() as client, client.stream("GET", f"/v1/jobs/{job}/events") as answer:
            next(answer.iter_lines())
        assert api.get(f"/v1/jobs/{job}/events").text.rstrip().split("\n\n")[-1].startswith("event: completed")


class BrokenEmbedder(HashingEmbedder):
    """An embedder whose runtime has died."""

    def embed(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        raise EmbedderUnavailableError("the session is gone")


class TestPartDown:
    """A service whose parts fail after its start."""

    def test_embedder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("app.bootstrap.load_embedder", lambda *_, **__: BrokenEmbedder())
        with running_service(tmp_path, run_jobs=False) as service, service.client() as client:
            self._refuses(client, "embedded")
            health = client.get("/v1/health")
            assert (health.status_code, health.json()["services"]["embedder"]["status"]) == (503, "failed")

    def test_database(self, tmp_path: Path) -> None:
        with running_service(tmp_path, run_jobs=False) as service, service.client() as api:
            rows = sqlite3.connect(tmp_path / "footnote.sqlite")
            for table in ("traces", "projects"):  # where an answer is kept, and where it begins
                rows.execute(f"ALTER TABLE {table} RENAME TO gone")
                request = {"model": "default", "messages": [{"role": "user", "content": QUESTION}]}
                refused = assert_error(api.post(PATH, json=request), 503)
                assert refused["message"].startswith("The database does not answer")
                rows.execute(f"ALTER TABLE gone RENAME TO {table}")
                assert api.post(PATH, json=request).status_code == 200
            rows.close()

    def test_vector_server(self, tmp_path: Path) -> None:
        outside = {"run_jobs": False, "vector_url": "http://127.0.0.1:9"}
        with running_service(tmp_path, **outside) as service, service.client() as client:
            self._refuses(client, "http://127.0.0.1:9")

    def _refuses(self, client: httpx2.Client, says: str) -> None:
        repository = client.post("/v1/repositories", json={"name": "x"}).json()["id"]
        where = {"ids": [repository]}
        assert_error(client.post("/v1/retrieve", json={"query": "x", "repositories": where}), 503, says=says)
        for stream in (False, True):
            request = {
                "project_id": 1,
                "messages": [{"role": "user", "content": "x"}],
                "repositories": where,
                "stream": stream,
            }
            refused = assert_error(client.post(PATH, json=request), 503, says=says)
            assert outcome_of(client, refused["trace_id"])["outcome"] == "error"


class TestKeys:
    def test_a_revoked_key_stops_at_once(self, service: RunningService) -> None:
        import asyncio

        from app.bootstrap import open_keys
        from app.core.types import Caller

        with service.client(make_key(service, 1)) as client, open_keys(service.settings) as keys:
            assert client.get("/v1/repositories").status_code == 200
            newest = asyncio.run(keys.all(Caller(1)))[-1]
            asyncio.run(keys.revoke(Caller(1), newest.id))
            assert_error(client.get("/v1/repositories"), 401)
            assert_error(client.post(PATH, json={"project_id": 1, "messages": []}), 401)


class TestTogether:
    def test_many_clients_at_once(self, service: RunningService, library: Library) -> None:
        """Answers do not mix, and nobody is refused."""
        wrong: list[object] = []

        def work(question: str, says: str) -> None:
            request = body(library, model="footnote/extractive", messages=[{"role": "user", "content": question}])
            with service.client() as client:
                for _ in range(5):
                    answer = client.post(PATH, json=request)
                    if answer.status_code != 200 or says not in answer.json()["choices"][0]["message"]["content"]:
                        wrong.append(answer.text)

        asked = [(QUESTION, "safety certificate"), ("What is the deposit for a pressure washer?", "40 pounds")] * 4
        threads = [threading.Thread(target=work, args=each) for each in asked]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
