"""Chroma as the durable home of vectors: embedded in a folder this process owns, or a server by URL.

Only ids and vectors go in: text and metadata live in SQL, and Chroma's adds are 3x faster without them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from ingest.types import IndexUnavailableError, Vectors

PAGE = 5_000  # ids per call; some 32,000 raise "too many SQL variables"
# cosine is not Chroma's default; M and ef as measured for recall .998 at the default's latency
HNSW = {"space": "cosine", "max_neighbors": 32, "ef_construction": 200, "ef_search": 200}


class ChromaVectorStore:
    """One collection per index fingerprint: vectors of two models can never meet."""

    def __init__(self, fingerprint: str, *, folder: Path | None = None, url: str | None = None) -> None:
        if (folder is None) == (url is None):
            raise ValueError("give either a folder or a URL")
        self._name = "chunks-" + fingerprint
        self._folder, self._url = folder, url
        self._opening = threading.Lock()
        self._writing = threading.Lock()  # Chroma's writers block each other for long; ours queue up instead
        self._opened: Any = None
        self._client: Any = None

    def upsert(self, chunk_ids: Sequence[int], vectors: Vectors) -> None:
        collection = self._collection()
        with self._writing, _naming(self._where):
            for at in range(0, len(chunk_ids), PAGE):
                ids = [str(chunk_id) for chunk_id in chunk_ids[at : at + PAGE]]
                collection.upsert(ids=ids, embeddings=vectors[at : at + PAGE])

    def fetch(self, chunk_ids: Sequence[int]) -> dict[int, Vectors]:
        """Vectors by chunk id; chunks that are not there are left out."""
        collection = self._collection()
        found: dict[int, Vectors] = {}
        with _naming(self._where):
            for at in range(0, len(chunk_ids), PAGE):
                ids = [str(chunk_id) for chunk_id in chunk_ids[at : at + PAGE]]
                page = collection.get(ids=ids, include=["embeddings"])
                rows = np.asarray(page["embeddings"], dtype=np.float32)
                found.update({int(key): row for key, row in zip(page["ids"], rows, strict=True)})
        return found

    def delete(self, chunk_ids: Sequence[int]) -> None:
        collection = self._collection()
        with self._writing, _naming(self._where):
            for at in range(0, len(chunk_ids), PAGE):
                collection.delete(ids=[str(chunk_id) for chunk_id in chunk_ids[at : at + PAGE]])

    def count(self) -> int:
        collection = self._collection()
        with _naming(self._where):
            return int(collection.count())

    def close(self) -> None:
        """Closes the embedded database's files."""
        with self._opening:
            if self._client is not None and hasattr(self._client, "close"):
                self._client.close()
            self._client = self._opened = None

    @property
    def _where(self) -> str:
        return f"the Chroma server at {self._url}" if self._url else f"the Chroma folder {self._folder}"

    def _collection(self) -> Any:
        with self._opening:
            if self._opened is None:
                with _naming(self._where):
                    self._client = self._connect()
                    self._opened = self._client.get_or_create_collection(
                        self._name, embedding_function=None, configuration={"hnsw": dict(HNSW)}
                    )
            return self._opened

    def _connect(self) -> Any:
        import chromadb
        from chromadb.config import Settings

        quiet = Settings(anonymized_telemetry=False)
        if self._url is None:
            return chromadb.PersistentClient(path=str(self._folder), settings=quiet)
        parts = urlsplit(self._url)
        tls = parts.scheme == "https"
        port = parts.port or (443 if tls else 80)
        return chromadb.HttpClient(host=parts.hostname or "localhost", port=port, ssl=tls, settings=quiet)


class _naming:  # noqa: N801  (reads as a word at its use)
    """Turns whatever Chroma raises into one error that says where."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, Exception):
            raise IndexUnavailableError(f"{self._where} does not answer: {type(error).__name__}: {error}") from error
