"""All commands of `footnote`, each a thin front of the file that does the work."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app import VERSION
from app.cli.show import print_answer, print_report
from app.core.types import Caller, Scope

app = typer.Typer(
    help="Answers from your documents, with citations anyone can re-check.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
keys = typer.Typer(help="API keys.", no_args_is_help=True)
projects = typer.Typer(help="Projects: tenants that never see each other.", no_args_is_help=True)
app.add_typer(keys, name="key")
app.add_typer(projects, name="project")
console = Console()

Project = Annotated[int, typer.Option("--project", help="The project's number.")]


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        console.print(VERSION)
        raise typer.Exit


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [FOOTNOTE_HOST].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [FOOTNOTE_PORT].")] = None,
    sample: Annotated[
        Path | None, typer.Option(help="On the first start, load this folder, and show a cited answer.")
    ] = None,
) -> None:
    """Run the service until Ctrl-C."""
    from app.cli.serving import serve as run

    run(host, port, sample)


@app.command()
def worker() -> None:
    """Run ingest jobs without a web server, beside services that share a Chroma server and a database."""
    from app.cli.serving import work

    work()


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files or folders.")],
    repository: Annotated[str, typer.Option("--repository", "-r", help="Its name; made if it is not there.")],
    project: Project = 1,
) -> None:
    """Put files into a repository, and wait until they can be found."""
    from app.cli.loading import ingest as run

    failed = run(paths, repository, project, console)
    raise typer.Exit(1 if failed else 0)


@app.command()
def ask(
    question: str,
    repository: Annotated[
        list[str] | None, typer.Option("--repository", "-r", help="Names; all when left out.")
    ] = None,
    model: Annotated[str, typer.Option(help="provider/model")] = "default",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Also keep the answer as JSON.")] = None,
    project: Project = 1,
) -> None:
    """Ask a question, and see the answer with its sources."""
    from app.cli.loading import ask as run

    answer = run(question, repository or [], model, project)
    if output is not None:
        output.write_text(json.dumps(answer, ensure_ascii=False, indent=1))
    print_answer(answer, console)


@app.command()
def verify(
    answer: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An answer, as JSON.")],
    text: Annotated[
        list[Path] | None,
        typer.Option(exists=True, help="Canonical texts (GET /v1/documents/{id}/text); the database when left out."),
    ] = None,
    project: Project = 1,
) -> None:
    """Re-check every citation of an answer: no service, no model, no network."""
    from app.cli.checking import verify_answer

    results = verify_answer(answer, text or [], project)
    raise typer.Exit(0 if print_report(results, console) else 1)


@app.command()
def doctor() -> None:
    """Print every setting with its source, and check each part."""
    from app.cli.checking import doctor as run

    raise typer.Exit(0 if run(console) else 1)


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Who will use it.")],
    project: Project = 1,
    read_only: Annotated[bool, typer.Option("--read-only", help="May ask and look, not change.")] = False,
) -> None:
    """Make a key; it is shown once."""
    from app.cli.rows import with_keys

    scopes = [Scope.READ] if read_only else [Scope.READ, Scope.WRITE]
    row, key = with_keys(lambda store: asyncio.run(store.create(Caller(project), name, scopes)))
    console.print(f"Key {row.id} for project {row.project_id} (shown this once):")
    console.print(key, highlight=False, soft_wrap=True)


@keys.command("list")
def list_keys(project: Project = 1) -> None:
    """List keys by their first characters."""
    from app.cli.rows import with_keys

    table = Table("id", "name", "begins", "scopes", "state")
    for key in with_keys(lambda store: asyncio.run(store.all(Caller(project)))):
        state = "revoked" if key.revoked_at else "active"
        table.add_row(str(key.id), key.name, key.prefix + "…", " ".join(key.scopes), state)
    console.print(table)


@keys.command("revoke")
def revoke_key(key_id: int, project: Project = 1) -> None:
    """Make a key stop working, at once and for good."""
    from app.cli.rows import with_keys

    key = with_keys(lambda store: asyncio.run(store.revoke(Caller(project), key_id)))
    console.print(f"Key {key.id} ({key.name}) is revoked.")


@projects.command("create")
def create_project(name: str) -> None:
    """Make a project: its keys and documents are seen by nobody else."""
    from app.cli.rows import with_projects

    project = with_projects(lambda store: asyncio.run(store.create(Caller(1), name)))
    console.print(f"Project {project.id} ({project.name}). Next: footnote key create NAME --project {project.id}")


@projects.command("list")
def list_projects() -> None:
    """List all projects."""
    from app.cli.rows import with_projects

    table = Table("id", "name", "model", "repositories")
    for project in with_projects(lambda store: asyncio.run(store.all(Caller(1)))):
        repositories = " ".join(str(each) for each in project.repository_ids)
        table.add_row(str(project.id), project.name, project.model or "", repositories)
    console.print(table)
