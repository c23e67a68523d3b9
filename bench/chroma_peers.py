"""Chroma as its users set it up for many repositories: one collection and a filter, or a collection each.

Cosine, everything else by default. Both folders are made once and kept.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.library import REPOSITORIES, Library

Found = list[tuple[int, float]]  # chunk id and cosine, best first
COSINE = {"hnsw": {"space": "cosine"}}
ADDED = 2_000  # rows a call


class OneCollection:
    """All chunks in one collection; a query names its repositories in `where`."""

    def __init__(self, folder: Path, library: Library) -> None:
        self._collection = _filled(folder, library, {"chunks": np.ones(len(library.ids), bool)}, texts=False)["chunks"]

    def search(self, query: NDArray[np.float32], repositories: Sequence[int], limit: int, threshold: float) -> Found:
        where = {"repository_id": {"$in": list(repositories)}}
        return _matches([self._collection.query(query[None], n_results=limit, where=where)], limit, threshold)


class CollectionEach:
    """A collection a repository; a query asks each of its repositories and merges."""

    def __init__(self, folder: Path, library: Library) -> None:
        self._collections = collection_each(folder, library, texts=False)

    def search(self, query: NDArray[np.float32], repositories: Sequence[int], limit: int, threshold: float) -> Found:
        named = [self._collections[collection_name(number)] for number in repositories]
        return _matches([each.query(query[None], n_results=limit) for each in named], limit, threshold)


def collection_name(repository_id: int) -> str:
    """Chroma wants three characters at least."""
    return f"repository-{repository_id}"


def collection_each(folder: Path, library: Library, *, texts: bool) -> dict[str, Any]:
    """The collections by name, filled when they are not there yet; with `texts` as Chroma's documents."""
    numbers = range(1, REPOSITORIES + 1)
    rows = {collection_name(number): library.repository_ids == number for number in numbers}
    return _filled(folder, library, rows, texts=texts)


def _filled(folder: Path, library: Library, rows: dict[str, NDArray[np.bool_]], *, texts: bool) -> dict[str, Any]:
    import chromadb
    from chromadb.config import Settings

    def opened(path: Path) -> Any:
        return chromadb.PersistentClient(str(path), Settings(anonymized_telemetry=False))

    if not folder.exists():
        making = folder.with_name(folder.name + ".new")
        shutil.rmtree(making, ignore_errors=True)
        client = opened(making)
        for name, chosen in rows.items():
            collection = client.create_collection(name, embedding_function=None, configuration=COSINE)
            at = np.flatnonzero(chosen)
            for first in range(0, len(at), ADDED):
                page = at[first : first + ADDED]
                collection.add(
                    ids=[str(library.ids[row]) for row in page],
                    embeddings=library.vectors[page],
                    metadatas=[{"repository_id": int(library.repository_ids[row])} for row in page],
                    documents=[library.texts[row] for row in page] if texts else None,
                )
        client.close()
        making.rename(folder)
    client = opened(folder)
    return {name: client.get_collection(name, embedding_function=None) for name in rows}


def _matches(results: Sequence[Any], limit: int, threshold: float) -> Found:
    pairs = (pair for result in results for pair in zip(result["ids"][0], result["distances"][0], strict=True))
    found = sorted(((int(chunk_id), 1 - distance) for chunk_id, distance in pairs), key=lambda each: -each[1])
    return [each for each in found[:limit] if each[1] >= threshold]
