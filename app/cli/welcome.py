"""What `make run` shows: the sample repository loaded, one question answered, where to go next."""

from __future__ import annotations

from pathlib import Path

import httpx2
from rich.console import Console

from app.bootstrap import Service
from app.cli.loading import find_files, upload_all
from app.cli.show import print_answer

SAMPLE_REPOSITORY = "Heron Street handbook (sample)"
SAMPLE_QUESTION = "What happens if I bring a tent back wet?"


def welcome(url: str, service: Service, sample: Path | None, console: Console) -> None:
    """Runs once the service answers; a failure here is told and leaves the service running."""
    try:
        if sample is not None:
            headers = {"authorization": f"Bearer {service.admin_key}"}
            with httpx2.Client(base_url=url, headers=headers, timeout=600) as client:
                _show_sample(client, sample, console)
    except httpx2.HTTPError as error:
        console.print(f"The sample could not be shown: {error}")
    console.print(f"\n[bold]Footnote is running at {url}[/bold] (Ctrl-C stops it)", highlight=False)
    if service.admin_key_is_new or sample is not None:
        console.print(f"API key: {service.admin_key}", highlight=False, soft_wrap=True)
    if sample is not None:
        _print_next(url, service.admin_key, console)


def _show_sample(client: httpx2.Client, sample: Path, console: Console) -> None:
    names = {each["name"]: each["id"] for each in client.get("/v1/repositories").json()}
    if SAMPLE_REPOSITORY not in names:
        console.print(f"Loading the sample repository from {sample} …", highlight=False)
        made = client.post("/v1/repositories", json={"name": SAMPLE_REPOSITORY}).raise_for_status().json()
        names[SAMPLE_REPOSITORY] = made["id"]
        upload_all(client, made["id"], list(find_files([sample])), console)
    body = {
        "project_id": 1,
        "messages": [{"role": "user", "content": SAMPLE_QUESTION}],
        "repositories": {"ids": [names[SAMPLE_REPOSITORY]]},
    }
    console.print(f"\n[bold]{SAMPLE_QUESTION}[/bold]")
    print_answer(client.post("/v1/chat/completions", json=body).raise_for_status().json(), console)


def _print_next(url: str, key: str, console: Console) -> None:
    commands = (
        "\nTry next:\n"
        f"  export KEY={key}\n"
        f'  curl -s "{url}/v1/repositories/1/documents?wait=true" -H "Authorization: Bearer $KEY" -F file=@LICENSE\n'
        '  .venv/bin/footnote ask "What must I bring to borrow the chainsaw?" -o answer.json\n'
        "  .venv/bin/footnote verify answer.json\n"
    )
    console.print(commands, highlight=False, soft_wrap=True, markup=False)
