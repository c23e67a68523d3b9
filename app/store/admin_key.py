"""The admin key: given by a setting, or made once and kept in the data folder for its owner only."""

from __future__ import annotations

import os
from pathlib import Path

from app.store.keys import new_key

FILE = "admin_key"


def find_admin_key(folder: Path, given: str | None) -> tuple[str, bool]:
    """The key, and whether it was made just now."""
    if given is not None:
        return given, False
    path = folder / FILE
    if path.is_file():
        return path.read_text().strip(), False
    folder.mkdir(parents=True, exist_ok=True)
    key = new_key()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key + "\n")
    return key, True
