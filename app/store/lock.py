"""One process owns a data folder: two on one Chroma folder give silently wrong answers (ADR 6)."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO


class FolderLockedError(RuntimeError):
    """Another process owns the data folder."""


class FolderLock:
    """Held by the kernel for as long as this process lives: a crash releases it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = (folder / "lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            owner = self._file.read().strip() or "unknown"
            self._file.close()
            raise FolderLockedError(
                f"The data folder {folder} is in use by process {owner}. One process owns it: stop that one, choose "
                "another FOOTNOTE_DATA_DIR, or talk to the running service. Several processes need a Chroma server "
                "(FOOTNOTE_VECTOR_URL)."
            ) from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        self._file.close()
