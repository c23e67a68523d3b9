"""`footnote serve` and `footnote worker`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import typer
import uvicorn
from rich.console import Console

from app.bootstrap import Service, build
from app.cli.address import remember
from app.cli.configuration import read_settings
from app.cli.logs import configure_logs
from app.cli.server import ReadyServer
from app.cli.welcome import welcome
from app.main import create_app
from app.store.lock import FolderLockedError
from ingest.types import EmbedderUnavailableError

GRACE_S = 10  # how long open streams may go on after Ctrl-C


def serve(host: str | None, port: int | None, sample: Path | None) -> None:
    """Serves until SIGINT or SIGTERM; a start that fails says why and exits 1."""
    settings = read_settings()
    changes = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update=changes)
    configure_logs(settings.log_level)
    console = Console()
    try:
        service = build(settings)  # here and not in the application's start, whose failures uvicorn tells by traceback
    except (FolderLockedError, EmbedderUnavailableError) as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
    config = uvicorn.Config(
        create_app(settings, service=service),
        settings.host,
        settings.port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = ReadyServer(config, service.parts.prompt_watch.stopping.set)
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn sends it anew when it has stopped
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(server, service, sample, console))
    if not server.started:
        sys.exit(1)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where it is installed (not on Windows): a fifth less time in the loop."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _serve(server: ReadyServer, service: Service, sample: Path | None, console: Console) -> None:
    folder = read_settings().data_dir

    def greet() -> None:
        server.settled.wait()
        if server.started:
            remember(folder, server.url)
            welcome(server.url, service, sample, console)

    greeting = asyncio.create_task(asyncio.to_thread(greet))
    try:
        await server.serve()
    finally:
        server.settled.set()
        await greeting


def work() -> None:
    """Runs jobs until SIGINT or SIGTERM."""
    settings = read_settings().model_copy(update={"run_jobs": True})
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
