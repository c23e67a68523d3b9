"""Talks to the service on this machine: the one that runs, or one started for this command alone."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import typer
import uvicorn

from app.bootstrap import build
from app.cli.address import recall
from app.cli.configuration import read_settings
from app.cli.server import ReadyServer
from app.main import create_app
from app.settings import Settings
from app.store.admin_key import find_admin_key
from app.store.lock import FolderLockedError
from ingest.types import EmbedderUnavailableError

TIMEOUT_S = 600.0


@contextlib.contextmanager
def local_service(project: int) -> Iterator[httpx2.Client]:
    """A client with the admin key; the service it reaches owns the data folder."""
    settings = read_settings()
    given = settings.admin_key.get_secret_value() if settings.admin_key else None
    with contextlib.ExitStack() as stack:
        url = recall(settings.data_dir) or f"http://{settings.host}:{settings.port}"
        if not _answers(url):
            url = stack.enter_context(_own_service(settings))
        key, _ = find_admin_key(settings.data_dir, given)
        headers = {"authorization": f"Bearer {key}", "x-footnote-project": str(project)}
        yield stack.enter_context(httpx2.Client(base_url=url, headers=headers, timeout=TIMEOUT_S))


def checked(response: httpx2.Response) -> Any:
    """The JSON of a good response; otherwise its message ends the command."""
    if response.is_success:
        return response.json() if response.content else None
    body = response.json() if "json" in response.headers.get("content-type", "") else {}
    typer.echo(body.get("message") or f"The service answered {response.status_code}.", err=True)
    if response.status_code == 401:
        typer.echo("The running service has another admin key: set FOOTNOTE_ADMIN_KEY to it.", err=True)
    raise typer.Exit(1)


def _answers(url: str) -> bool:
    try:
        body = httpx2.get(f"{url}/", timeout=2).json()
    except (httpx2.HTTPError, ValueError):
        return False
    return isinstance(body, dict) and str(body.get("message", "")).startswith("Footnote")


@contextlib.contextmanager
def _own_service(settings: Settings) -> Iterator[str]:
    try:
        service = build(settings)
    except (FolderLockedError, EmbedderUnavailableError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    app = create_app(settings, service=service)
    config = uvicorn.Config(app, "127.0.0.1", 0, access_log=False, log_level="error")
    server = ReadyServer(config, service.parts.prompt_watch.stopping.set)
    thread = threading.Thread(target=_run, args=(server,), name="service")
    thread.start()
    try:
        server.settled.wait()
        if not server.started:
            typer.echo("The service could not be started. `footnote doctor` says why.", err=True)
            raise typer.Exit(1)
        yield server.url
    finally:
        server.should_exit = True
        thread.join()


def _run(server: ReadyServer) -> None:
    with contextlib.suppress(SystemExit):  # uvicorn's way to end a start that failed; `started` says so
        server.run()
    server.settled.set()
