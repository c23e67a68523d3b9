"""Brings a repository's index into memory from its durable parts, and mends what is missing there.

SQL says which chunks can be seen; the vector store has their vectors; a vector that is not there (a store
restored from an old backup, a folder lost) is made again from the chunk's text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Protocol

import numpy as np

from app.core.types import Caller
from ingest.context import contextual_texts
from ingest.types import Embedder, Passage, Scope, SnapshotIndex, Vectors, VectorStore


class Contents(Protocol):
    async def visible_ids(self, caller: Caller, repository_id: int) -> tuple[int, tuple[int, ...]]: ...

    async def passages(self, caller: Caller, chunk_ids: Sequence[int]) -> list[Passage]: ...


class Files(Protocol):
    def load(self, scope: Scope, ids: tuple[int, ...]) -> Vectors | None:
        """The vectors of exactly these chunks at exactly this generation, or None."""
        ...


class SnapshotLoader:
    """Loads one repository at a time, each at most once at a time."""

    def __init__(
        self,
        chunks: Contents,
        snapshots: SnapshotIndex,
        vectors: VectorStore,
        files: Files,
        embedder: Embedder,
        executor: Executor,
    ) -> None:
        self._chunks = chunks
        self._snapshots = snapshots
        self._vectors = vectors
        self._files = files
        self._embedder = embedder
        self._executor = executor
        self._loading: dict[int, asyncio.Lock] = {}

    async def load(self, caller: Caller, repository_id: int) -> None:
        """Raises IndexUnavailableError, EmbedderUnavailableError or NotFoundError."""
        async with self._loading.setdefault(repository_id, asyncio.Lock()):
            generation, ids = await self._chunks.visible_ids(caller, repository_id)
            scope = Scope(repository_id, generation)
            if self._snapshots.has(scope):
                return
            loop = asyncio.get_running_loop()
            kept = await loop.run_in_executor(self._executor, self._files.load, scope, ids)
            if kept is not None:
                self._snapshots.load(scope, ids, kept)
                return
            found = await loop.run_in_executor(self._executor, self._vectors.fetch, ids)
            lost = [chunk_id for chunk_id in ids if chunk_id not in found]
            if lost:
                passages = await self._chunks.passages(caller, lost)
                if len(passages) < len(lost):
                    return  # deleted or replaced since the ids were read: the next search asks for what is there now
                found.update(await loop.run_in_executor(self._executor, self._embed_again, passages))
            matrix = np.stack([found[chunk_id] for chunk_id in ids]) if ids else self._empty()
            self._snapshots.load(scope, ids, matrix)

    def _embed_again(self, passages: Sequence[Passage]) -> dict[int, Vectors]:
        ids = [passage.chunk_id for passage in passages]
        texts = contextual_texts(passages, self._embedder.tokenizer, self._embedder.max_tokens)
        vectors = self._embedder.embed(texts, background=True)
        self._vectors.upsert(ids, vectors)
        return dict(zip(ids, vectors, strict=True))

    def _empty(self) -> Vectors:
        return np.zeros((0, self._embedder.dimensions), dtype=np.float32)
