"""What the route tests' service holds, and how it got there."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import dataclass
from typing import Any

import httpx2

from app.bootstrap import open_keys, open_projects
from app.core.types import Caller, Scope
from tests.doubles.service import RunningService

PAGES = {
    "tools.md": (
        "# Tools\n\n## Chainsaws\n\nOnly members who hold a safety certificate may borrow the chainsaw. "
        "The chainsaw must come back with an empty tank.\n\n"
        "## Washers\n\nThe deposit for a pressure washer is 40 pounds. A pressure washer may be kept for five days.\n"
    ),
    "hours.txt": "The library opens at nine on weekdays.\n\nOn Sundays the library is closed — même à Noël 🎄.\n",
}
QUESTION = "Who may borrow the chainsaw?"


@dataclass(frozen=True, slots=True)
class Library:
    """Ids of the repository that all tests may read."""

    repository: int
    tools: int
    hours: int
    job: int


def upload(client: httpx2.Client, repository: int, name: str, content: str | bytes, **more: Any) -> dict[str, Any]:
    """The document that became of one file, when its job has ended."""
    answer = client.post(
        f"/v1/repositories/{repository}/documents",
        params={"wait": "true"},
        files={"file": (name, content if isinstance(content, bytes) else content.encode())},
        **more,
    )
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()["documents"][0]
    return document


def make_project(service: RunningService, name: str) -> int:
    with open_projects(service.settings) as projects:
        return asyncio.run(projects.create(Caller(1), name)).id


def make_key(service: RunningService, project: int, *scopes: Scope) -> str:
    with open_keys(service.settings) as keys:
        _, key = asyncio.run(keys.create(Caller(project), "test", scopes or (Scope.READ, Scope.WRITE)))
    return key


def holdings(service: RunningService) -> dict[str, int]:
    """How much there is of everything: equal before and after a request that is refused."""
    folder = service.settings.data_dir
    with contextlib.closing(sqlite3.connect(folder / "footnote.sqlite")) as database:
        tables = ("repositories", "documents", "document_versions", "chunks", "texts", "jobs", "prompts", "turns")
        rows = {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
    return rows | {"files": sum(path.is_file() for path in (folder / "blobs").rglob("*"))}
