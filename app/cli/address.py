"""Where the service of a data folder listens, so that a command in another shell finds it on any port."""

from __future__ import annotations

from pathlib import Path

FILE = "address"


def remember(folder: Path, url: str) -> None:
    """Written once the service listens; one that was killed leaves an address that does not answer."""
    (folder / FILE).write_text(url)


def recall(folder: Path) -> str | None:
    """The last address, None where there was never a service."""
    try:
        return (folder / FILE).read_text().strip() or None
    except OSError:
        return None
