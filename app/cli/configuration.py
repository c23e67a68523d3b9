"""The settings, or a plain word about the one that is wrong."""

from __future__ import annotations

import typer
from pydantic import ValidationError

from app.settings import Settings


def read_settings() -> Settings:
    """From the environment and `.env`; a wrong value ends the command with exit code 2."""
    try:
        return Settings()
    except ValidationError as error:
        for line in faults(error):
            typer.echo(line, err=True)
        raise typer.Exit(2) from error


def faults(error: ValidationError) -> list[str]:
    """One line for each setting at fault."""
    return [f"FOOTNOTE_{'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in error.errors()]
