"""Exact search in memory over immutable snapshots, one per repository and generation.

A snapshot is a contiguous float32 matrix and its chunk ids. Readers take a snapshot once and search it to the
end; a writer stages the next generation beside it and never changes one that can be read. So a question sees
wholly the old or wholly the new index, and nobody waits for anybody.

Measured against Chroma's metadata filter: recall 1.0 instead of .957, and 100x faster (bench/search.py).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.types import Found, Match, Scope, SnapshotMissingError, Vectors

Ids = NDArray[np.int64]
KEPT_GENERATIONS = 2  # the newest and the one a search may have begun with
SPARE = 1.5  # capacity grown by this factor, so that appending is amortised O(1)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`ids[i]` is the chunk of row `matrix[i]`; ids ascend. Both are views of buffers with spare room behind them."""

    ids: Ids
    matrix: Vectors
    ids_buffer: Ids
    matrix_buffer: Vectors


class ExactIndex:
    """Snapshots by repository and generation."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._snapshots: dict[tuple[int, int], Snapshot] = {}  # replaced, never changed: readers need no lock
        self._lock = threading.Lock()

    def load(self, scope: Scope, ids: Sequence[int], vectors: Vectors) -> None:
        """Puts a whole generation in memory; `ids` ascending, `vectors` unit length, shape (len(ids), dimensions)."""
        array = np.asarray(ids, dtype=np.int64)
        matrix = np.ascontiguousarray(vectors, dtype=np.float32).reshape(len(array), self.dimensions)
        with self._lock:
            self._put(scope, Snapshot(array, matrix, array, matrix))

    def stage(
        self, repository_id: int, base: int, generation: int, ids: Sequence[int], vectors: Vectors, removed: set[int]
    ) -> bool:
        """Builds a generation from another by appending and removing; False when the base is not in memory.

        New ids must be greater than all of the base's (SQL never reuses an id and publishes are serial per
        repository), or the whole is sorted again.
        """
        with self._lock:
            old = self._snapshots.get((repository_id, base))
            if old is None:
                return False
            added = np.asarray(ids, dtype=np.int64)
            appendable = not removed and (not len(old.ids) or not len(added) or added[0] > old.ids[-1])
            new = _append(old, added, vectors) if appendable else _rebuild(old, added, vectors, removed)
            self._put(Scope(repository_id, generation), new)
            return True

    def has(self, scope: Scope) -> bool:
        return (scope.repository_id, scope.generation) in self._snapshots

    def drop(self, repository_id: int) -> None:
        """Forgets every generation of a repository."""
        with self._lock:
            self._snapshots = {key: value for key, value in self._snapshots.items() if key[0] != repository_id}

    def discard(self, scope: Scope) -> None:
        """Forgets a staged generation that was never published."""
        with self._lock:
            self._snapshots = {
                key: value for key, value in self._snapshots.items() if key != (scope.repository_id, scope.generation)
            }

    def search(self, scopes: Sequence[Scope], query: Vectors, limit: int, threshold: float) -> Found:
        """The `limit` most similar chunks of all scopes together, by cosine; raises SnapshotMissingError."""
        snapshots = [self._get(scope) for scope in scopes]
        if not snapshots:
            return Found((), 0, 0)
        scores = np.concatenate([snapshot.matrix @ query for snapshot in snapshots])
        ids = np.concatenate([snapshot.ids for snapshot in snapshots])
        ends = np.cumsum([len(snapshot.ids) for snapshot in snapshots])
        keep = min(limit, len(scores))
        if keep == 0:
            return Found((), len(scores), 0)
        # Everything not below the k-th best, so that a tie is broken by id and not by where it happened to lie.
        bar = np.partition(scores, len(scores) - keep)[len(scores) - keep]
        best = np.flatnonzero(scores >= bar)
        order = best[np.lexsort((ids[best], -scores[best]))][:keep]
        owners = np.searchsorted(ends, order, side="right")
        matches = tuple(
            Match(chunk_id, scopes[owner].repository_id, score)
            for chunk_id, owner, score in zip(ids[order].tolist(), owners.tolist(), scores[order].tolist(), strict=True)
        )
        above = np.count_nonzero(scores >= np.float64(threshold))  # not rounded to float32, as scores are
        return Found(matches, len(scores), int(above))

    def scores(self, scopes: Sequence[Scope], query: Vectors, chunk_ids: Sequence[int]) -> dict[int, float]:
        """The cosine of given chunks; those in none of the scopes are left out. Raises SnapshotMissingError."""
        wanted = np.unique(np.asarray(chunk_ids, dtype=np.int64))
        found: dict[int, float] = {}
        for scope in scopes:
            snapshot = self._get(scope)
            if not len(snapshot.ids) or not len(wanted):
                continue
            at = np.minimum(np.searchsorted(snapshot.ids, wanted), len(snapshot.ids) - 1)
            here = snapshot.ids[at] == wanted
            for chunk_id, cosine in zip(wanted[here], snapshot.matrix[at[here]] @ query, strict=True):
                found[int(chunk_id)] = float(cosine)
        return found

    def newest(self) -> list[tuple[Scope, Ids, Vectors]]:
        """The newest generation of each repository in memory."""
        generations: dict[int, int] = {}
        snapshots = self._snapshots
        for repository_id, generation in snapshots:
            generations[repository_id] = max(generations.get(repository_id, -1), generation)
        return [(Scope(*key), snapshots[key].ids, snapshots[key].matrix) for key in sorted(generations.items())]

    def _get(self, scope: Scope) -> Snapshot:
        snapshot = self._snapshots.get((scope.repository_id, scope.generation))
        if snapshot is None:
            raise SnapshotMissingError(scope)
        return snapshot

    def _put(self, scope: Scope, snapshot: Snapshot) -> None:
        mine = sorted(
            generation for repository_id, generation in self._snapshots if repository_id == scope.repository_id
        )
        newest = sorted({*mine, scope.generation})[-KEPT_GENERATIONS:]
        kept = {
            key: value for key, value in self._snapshots.items() if key[0] != scope.repository_id or key[1] in newest
        }
        self._snapshots = {**kept, (scope.repository_id, scope.generation): snapshot}


def _append(old: Snapshot, ids: Ids, vectors: Vectors) -> Snapshot:
    size, more = len(old.ids), len(ids)
    ids_buffer, matrix_buffer = old.ids_buffer, old.matrix_buffer
    # The spare room may be written only by the snapshot that ends where it begins: one successor, never two.
    if size + more > len(ids_buffer) or ids_buffer.base is not None or _taken(old):
        capacity = max(int((size + more) * SPARE), 64)
        ids_buffer = np.zeros(capacity, dtype=np.int64)
        matrix_buffer = np.zeros((capacity, vectors.shape[1] if more else old.matrix.shape[1]), dtype=np.float32)
        ids_buffer[:size], matrix_buffer[:size] = old.ids, old.matrix
    ids_buffer[size : size + more], matrix_buffer[size : size + more] = ids, vectors
    return Snapshot(ids_buffer[: size + more], matrix_buffer[: size + more], ids_buffer, matrix_buffer)


def _taken(old: Snapshot) -> bool:
    """Has another generation already been appended behind this one (ids are never 0)?"""
    return len(old.ids) < len(old.ids_buffer) and bool(old.ids_buffer[len(old.ids)])


def _rebuild(old: Snapshot, ids: Ids, vectors: Vectors, removed: set[int]) -> Snapshot:
    stays = ~np.isin(old.ids, np.fromiter(removed, dtype=np.int64, count=len(removed)))
    all_ids = np.concatenate([old.ids[stays], ids])
    matrix = np.concatenate([old.matrix[stays], vectors.reshape(len(ids), old.matrix.shape[1])])
    order = np.argsort(all_ids, kind="stable")
    all_ids, matrix = all_ids[order], np.ascontiguousarray(matrix[order])
    return Snapshot(all_ids, matrix, all_ids, matrix)
