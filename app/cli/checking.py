"""`footnote verify` and `footnote doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson
import typer
from pydantic import SecretStr, ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.bootstrap import build, texts_by_hash
from app.cli.configuration import faults, read_settings
from app.core.citing import sha256
from app.core.types import Caller
from app.core.verification import Checked, texts_needed, verify
from app.settings import Settings, setting_sources
from app.store.lock import FolderLockedError
from ingest.types import EmbedderUnavailableError


def verify_answer(path: Path, texts: Sequence[Path], project: int) -> list[Checked]:
    """Checks the answer in a file against texts in files or, without any, in the local database."""
    try:
        answer = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        typer.echo(f"{path} is not JSON: {error}", err=True)
        raise typer.Exit(2) from error
    if not isinstance(answer, dict):
        typer.echo(f"{path} holds no answer: it must be a JSON object.", err=True)
        raise typer.Exit(2)
    if texts:
        contents = [text.read_bytes().decode() for text in texts]
        known = {sha256(content): content for content in contents}
    else:
        known = texts_by_hash(read_settings(), Caller(project), sorted(texts_needed(answer)))
    return verify(answer, known)


def doctor(console: Console) -> bool:
    """Settings with their sources, then each part; True when all work."""
    try:
        settings = Settings()
    except ValidationError as error:
        for line in faults(error):
            console.print(line, markup=False)
        return False
    table = Table("setting", "value", "source", "what it is")
    sources = setting_sources(settings)
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        shown = "(set)" if isinstance(value, SecretStr) else "" if value is None else str(value)
        table.add_row(f"FOOTNOTE_{name.upper()}", escape(shown), sources[name], field.description or "")
    console.print(table)
    try:
        service = build(settings)
    except FolderLockedError as error:
        console.print(f"A service is running on this data folder; GET /v1/health checks its parts. ({error})")
        return True
    except EmbedderUnavailableError as error:
        console.print(f"[red]embedder[/red]: {escape(str(error))}")
        return False
    try:
        parts = service.parts.health()
    finally:
        service.stop()
    for name, part in parts.items():
        mark = "[green]ok[/green]" if part.ok else "[red]FAILS[/red]"
        console.print(f"{mark}  {name}: {escape(part.detail)}", highlight=False)
    return all(part.ok for part in parts.values())
