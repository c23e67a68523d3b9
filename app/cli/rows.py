"""Opens the database for a command that needs nothing else; runs beside a service."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import typer

from app.bootstrap import open_keys, open_projects
from app.cli.configuration import read_settings
from app.core.errors import AppError
from app.core.shelves import KeyShelf, ProjectShelf

T = TypeVar("T")


def with_keys(work: Callable[[KeyShelf], T]) -> T:
    """Runs `work` with the keys; an expected error ends the command with its message."""
    with open_keys(read_settings()) as store:
        return _plainly(work, store)


def with_projects(work: Callable[[ProjectShelf], T]) -> T:
    """Runs `work` with the projects; an expected error ends the command with its message."""
    with open_projects(read_settings()) as store:
        return _plainly(work, store)


S = TypeVar("S")


def _plainly(work: Callable[[S], T], store: S) -> T:
    try:
        return work(store)
    except AppError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(1) from error
