"""The steps of an ingest job, each safe to run twice.

    parse     file → canonical text → chunks            (in a bounded process; stored in one transaction)
    embed k   chunks of batch k → vectors, words        (idempotent by chunk id)
    publish   the version becomes what searches see     (in one transaction, memory staged first)

A job that fails or is cancelled leaves the document as it was: nothing of it was ever visible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from app.core.types import Caller
from ingest.context import contextual_texts
from ingest.types import (
    CanonicalText,
    ChunkSpan,
    Embedder,
    IngestError,
    LexicalIndex,
    Passage,
    Scope,
    SnapshotIndex,
    VectorStore,
)

BATCH = 64  # chunks per embedding step: about a second of work, which is all that a crash can cost


@dataclass(frozen=True, slots=True)
class Task:
    """What a step must know of its job."""

    job_id: int
    caller: Caller
    repository_id: int
    document_id: int
    version_id: int
    document_name: str
    blob_sha256: str


@dataclass(frozen=True, slots=True)
class Publication:
    """A change of what a repository's searches see, about to be committed."""

    repository_id: int
    base: int  # generation now
    generation: int  # generation after
    added: tuple[int, ...]  # chunk ids, ascending
    removed: tuple[int, ...]
    blobs: tuple[str, ...] = ()  # uploads that are now nobody's, by hash; known once it is committed


class JobGoneError(IngestError):
    """The job's document was deleted meanwhile; there is nothing left to do."""


class Corpus(Protocol):
    """The rows an ingest reads and writes; blocking, called in worker threads."""

    def start(self, job_id: int) -> Task:
        """Marks the job running; raises JobGoneError."""
        ...

    def task(self, job_id: int) -> Task:
        """Raises JobGoneError."""
        ...

    def save_text(self, task: Task, text: CanonicalText, chunks: Sequence[ChunkSpan], fingerprint: str) -> None:
        """Replaces the version's text and chunks in one transaction."""
        ...

    def batch(self, task: Task, first: int, count: int) -> list[Passage]:
        """The chunks with ordinals [first, first + count)."""
        ...

    def progress(self, task: Task, done: int) -> None: ...

    def publish(self, task: Task, fingerprint: str, stage: Callable[[Publication], None]) -> Publication | None:
        """Makes the version the visible one and forgets the older ones; `stage` runs before the commit.

        None when it is visible already. Raises JobGoneError for a version older than the visible one.
        """
        ...

    def fail(self, job_id: int, message: str, *, cancelled: bool) -> list[int]:
        """Closes the job; returns the chunk ids that will never be visible, now deleted."""
        ...


class Blobs(Protocol):
    def path(self, caller: Caller, sha256: str) -> Path: ...

    def delete(self, caller: Caller, hashes: Sequence[str]) -> None: ...


class IngestRun:
    """Implements the job engine's steps."""

    def __init__(
        self,
        corpus: Corpus,
        blobs: Blobs,
        parse: Callable[[Path, str], CanonicalText],
        chunk: Callable[[CanonicalText], list[ChunkSpan]],
        embedder: Embedder,
        fingerprint: str,
        vectors: VectorStore,
        lexical: LexicalIndex,
        snapshots: SnapshotIndex,
        on_published: Callable[[Task, Sequence[int]], None] = lambda task, chunk_ids: None,
    ) -> None:
        self._on_published = on_published  # told of each version that searches see now; must not raise
        self._corpus = corpus
        self._blobs = blobs
        self._parse = parse
        self._chunk = chunk
        self._embedder = embedder
        self._fingerprint = fingerprint
        self._vectors = vectors
        self._lexical = lexical
        self._snapshots = snapshots

    def parse(self, job_id: int) -> int:
        """Reads and cuts the file; returns how many embedding batches follow."""
        task = self._corpus.start(job_id)
        text = self._parse(self._blobs.path(task.caller, task.blob_sha256), task.document_name)
        chunks = self._chunk(text)
        self._corpus.save_text(task, text, chunks, self._fingerprint)
        return -(-len(chunks) // BATCH)

    def embed(self, job_id: int, batch: int) -> int:
        """Embeds and indexes one batch; returns how many chunks are done."""
        task = self._corpus.task(job_id)
        passages = self._corpus.batch(task, batch * BATCH, BATCH)
        ids = [passage.chunk_id for passage in passages]
        texts = contextual_texts(passages, self._embedder.tokenizer, self._embedder.max_tokens)
        self._vectors.upsert(ids, self._embedder.embed(texts, background=True))
        self._lexical.upsert(task.repository_id, ids, texts)
        done = batch * BATCH + len(passages)
        self._corpus.progress(task, done)
        return done

    def publish(self, job_id: int) -> None:
        """Makes the version visible; the chunks of the one it replaces go."""
        task = self._corpus.task(job_id)
        staged: list[Scope] = []

        def stage(change: Publication) -> None:
            staged.append(Scope(change.repository_id, change.generation))
            self._stage(change)

        try:
            published = self._corpus.publish(task, self._fingerprint, stage)
        except BaseException:
            for scope in staged:  # another change may come to have this generation's number
                self._snapshots.discard(scope)
            raise
        if published is not None:
            self._forget(published.removed)
            self._blobs.delete(task.caller, published.blobs)
        self._on_published(task, published.added if published is not None else ())

    def fail(self, job_id: int, message: str, *, cancelled: bool = False) -> None:
        """Closes the job with a reason, and takes its unseen chunks out of the indexes."""
        self._forget(self._corpus.fail(job_id, message, cancelled=cancelled))

    def _stage(self, change: Publication) -> None:
        base = Scope(change.repository_id, change.base)
        if not self._snapshots.has(base):
            return  # nobody has searched this repository yet: it is loaded whole when somebody does
        found = self._vectors.fetch(change.added)
        missing = [chunk_id for chunk_id in change.added if chunk_id not in found]
        if missing:
            raise LookupError(f"the vector store lost {len(missing)} chunks between embedding and publishing")
        vectors = (
            np.stack([found[chunk_id] for chunk_id in change.added])
            if change.added
            else np.zeros((0, self._embedder.dimensions), dtype=np.float32)
        )
        self._snapshots.stage(
            change.repository_id, change.base, change.generation, change.added, vectors, set(change.removed)
        )

    def _forget(self, chunk_ids: Sequence[int]) -> None:
        if chunk_ids:
            self._vectors.delete(chunk_ids)
            self._lexical.delete(chunk_ids)
