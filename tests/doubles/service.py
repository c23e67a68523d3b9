"""The whole service in this process: a real uvicorn in a thread, on a free port of the loopback interface."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from app.bootstrap import Service
from app.cli.server import ReadyServer
from app.main import create_app
from app.settings import Settings

ADMIN_KEY = "fn-test-admin-0123456789"
STOP_S = 30.0


@dataclass(frozen=True, slots=True)
class RunningService:
    """Where it listens, and its parts, for tests that look behind the routes."""

    url: str
    settings: Settings
    built: Service

    def client(self, key: str | None = ADMIN_KEY, headers: Mapping[str, str] | None = None) -> httpx2.Client:
        """A client that sends `key`; the caller closes it."""
        authorization = {} if key is None else {"authorization": f"Bearer {key}"}
        return httpx2.Client(base_url=self.url, headers={**authorization, **(headers or {})}, timeout=60)


@contextmanager
def running_service(folder: Path, **settings: Any) -> Iterator[RunningService]:
    """Serves with its data in `folder`; only one at a time in a process may have `run_jobs` (DBOS is a singleton)."""
    chosen = Settings(
        data_dir=folder,
        **{
            "admin_key": ADMIN_KEY,
            "embedder": "hashing",
            "log_level": "error",
            "rate_limit": "",  # tests ask much, and wrongly, from one address
            "failed_key_limit": "",
            **settings,
        },
    )
    built: list[Service] = []
    config = uvicorn.Config(
        create_app(chosen, built.append),
        "127.0.0.1",
        0,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=5,
    )

    def stopping() -> None:
        for service in built:
            service.parts.prompt_watch.stopping.set()

    server = ReadyServer(config, stopping)

    def serve() -> None:
        try:
            server.run()
        finally:
            server.settled.set()

    thread = threading.Thread(target=serve, name="service")
    thread.start()
    try:
        server.settled.wait()
        assert server.started, "the service did not start; its log says why"
        yield RunningService(server.url, chosen, built[0])
    finally:
        server.should_exit = True
        thread.join(STOP_S)
    assert not thread.is_alive(), f"the service did not stop in {STOP_S:g} s"
