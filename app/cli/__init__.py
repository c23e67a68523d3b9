"""The command line: one file a topic."""

from __future__ import annotations


def main() -> None:
    """Entry point of `footnote`."""
    from app.cli.commands import app

    app()
