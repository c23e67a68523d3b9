"""`footnote serve` and `footnote worker`."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import threading
from pathlib import Path

import typer
import uvicorn
from rich.console import Console

from app.bootstrap import Service, build
from app.cli.logs import configure_logs
from app.cli.server import ReadyServer
from app.cli.welcome import welcome
from app.main import create_app
from app.settings import Settings
from app.store.lock import FolderLockedError
from ingest.types import EmbedderUnavailableError

GRACE_S = 10  # how long open streams may go on after Ctrl-C


def serve(host: str | None, port: int | None, sample: Path | None) -> None:
    """Serves until SIGINT or SIGTERM; a start that fails says why and exits 1."""
    settings = Settings()
    changes = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update=changes)
    configure_logs(settings.log_level)
    console = Console()
    built: list[Service] = []
    try:
        config = uvicorn.Config(
            create_app(settings, built.append),
            settings.host,
            settings.port,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=GRACE_S,
        )
        server = ReadyServer(config)
        asyncio.run(_serve(server, built, sample, console))
    except (FolderLockedError, EmbedderUnavailableError) as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        pass
    if not server.started:
        sys.exit(1)


async def _serve(server: ReadyServer, built: list[Service], sample: Path | None, console: Console) -> None:
    def greet() -> None:
        server.settled.wait()
        if server.started:
            welcome(server.url, built[0], sample, console)

    greeting = asyncio.create_task(asyncio.to_thread(greet))
    try:
        await server.serve()
    finally:
        server.settled.set()
        await greeting


def work() -> None:
    """Runs jobs until SIGINT or SIGTERM."""
    settings = Settings().model_copy(update={"run_jobs": True})
    configure_logs(settings.log_level)
    try:
        service = build(settings, "worker")
    except (FolderLockedError, EmbedderUnavailableError) as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    service.start()
    logging.getLogger("footnote").info("worker is running; Ctrl-C stops it")
    stopping.wait()
    service.stop()
