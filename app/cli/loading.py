"""`footnote ingest` and `footnote ask`, over the service's own routes."""

from __future__ import annotations

import mimetypes
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli.client import checked, local_service

POLL_S = 0.2


def ingest(paths: Sequence[Path], repository: str, project: int, console: Console) -> int:
    """Uploads every file and watches its job; returns how many failed."""
    files = list(find_files(paths))
    if not files:
        typer.echo("There are no files in these paths.", err=True)
        return 1
    with local_service(project) as client:
        repository_id = find_repository(client, repository, make=True)
        return upload_all(client, repository_id, files, console)


def ask(question: str, repositories: Sequence[str], model: str, project: int) -> Any:
    """The answer as the service gives it, in Prem's format."""
    with local_service(project) as client:
        body: dict[str, Any] = {
            "project_id": project,
            "model": model,
            "messages": [{"role": "user", "content": question}],
        }
        if repositories:
            body["repositories"] = {"ids": [find_repository(client, name) for name in repositories]}
        return checked(client.post("/v1/chat/completions", json=body))


def find_files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files themselves, and all in the folders, sorted; hidden ones are left out."""
    for path in paths:
        if path.is_file():
            yield path
            continue
        for folder, subfolders, names in os.walk(path):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            yield from (Path(folder) / name for name in sorted(names) if not name.startswith("."))


def find_repository(client: httpx2.Client, name: str, *, make: bool = False) -> int:
    """The id of the repository with this name (or number); the oldest, where several share it."""
    known = checked(client.get("/v1/repositories"))
    for repository in known:
        if repository["name"] == name or str(repository["id"]) == name:
            return int(repository["id"])
    if make:
        return int(checked(client.post("/v1/repositories", json={"name": name}))["id"])
    names = ", ".join(repository["name"] for repository in known) or "none yet"
    typer.echo(f"There is no repository {name!r}. There are: {names}.", err=True)
    raise typer.Exit(1)


def upload_all(client: httpx2.Client, repository_id: int, files: Sequence[Path], console: Console) -> int:
    """Uploads one after the other, then watches all jobs to their end; returns how many files failed."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    jobs: dict[int, str] = {}
    failed = unchanged = 0
    with Progress(*columns, console=console, transient=True) as progress:
        sending = progress.add_task("sending files", total=len(files))
        for path in files:
            media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            with path.open("rb") as file:
                response = client.post(
                    f"/v1/repositories/{repository_id}/documents", files={"file": (path.name, file, media_type)}
                )
            if response.is_success:
                document = response.json()["documents"][0]
                unchanged += document["unchanged"]
                jobs[document["job"]["id"]] = path.name
            else:
                failed += 1
                console.print(f"[red]{escape(path.name)}[/red]: {escape(response.json()['message'])}")
            progress.advance(sending)
        failed += _watch(client, jobs, progress, console)
    done = len(files) - failed
    console.print(f"{done} of {len(files)} files are ready ({unchanged} were there already).", highlight=False)
    return failed


def _watch(client: httpx2.Client, jobs: dict[int, str], progress: Progress, console: Console) -> int:
    """One bar over the chunks of all jobs; a failed one says why as soon as it has failed."""
    bar = progress.add_task("indexing chunks", total=None)
    open_jobs, failed = dict(jobs), 0
    done: dict[int, int] = {}
    totals: dict[int, int] = {}
    while open_jobs:
        for job_id, name in list(open_jobs.items()):
            job = checked(client.get(f"/v1/jobs/{job_id}"))
            done[job_id], totals[job_id] = job["done"], job["total"] or 0
            if job["state"] in ("completed", "failed", "cancelled"):
                del open_jobs[job_id]
                if job["state"] != "completed":
                    failed += 1
                    console.print(f"[red]{escape(name)}[/red]: {escape(job['error'] or job['state'])}")
        progress.update(bar, completed=sum(done.values()), total=sum(totals.values()) or None)
        if open_jobs:
            time.sleep(POLL_S)
    return failed
