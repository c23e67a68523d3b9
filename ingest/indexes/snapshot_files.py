"""Snapshots on disk, so that a restart need not ask Chroma for every vector: a cache, checked before it is believed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ingest.indexes.exact import Ids
from ingest.types import Scope, Vectors


class SnapshotFiles:
    """One file a repository, of its newest generation."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, scope: Scope, ids: Ids, matrix: Vectors) -> None:
        """Written aside and renamed: a file that is there is whole."""
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f"{scope.repository_id}.new.npz"
        with temporary.open("wb") as file:
            np.savez(file, generation=np.int64(scope.generation), ids=ids, matrix=matrix)
        os.replace(temporary, self._path(scope.repository_id))

    def load(self, scope: Scope, ids: tuple[int, ...]) -> Vectors | None:
        """The vectors of exactly these chunks at exactly this generation, or None."""
        try:
            with np.load(self._path(scope.repository_id)) as stored:
                if int(stored["generation"]) != scope.generation or not np.array_equal(stored["ids"], np.array(ids)):
                    return None
                matrix: Vectors = stored["matrix"]
                return matrix
        except (OSError, ValueError, KeyError):
            return None  # not there, or not ours: Chroma has the vectors

    def generation(self, repository_id: int) -> int | None:
        """Of the stored file, None where there is none."""
        try:
            with np.load(self._path(repository_id)) as stored:
                return int(stored["generation"])
        except (OSError, ValueError, KeyError):
            return None

    def _path(self, repository_id: int) -> Path:
        return self._folder / f"{repository_id}.npz"
