"""The word index of a service that has none: finds nothing, keeps nothing."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.types import LexicalMatches


class NoWords:
    """A null LexicalIndex: with it a score is the cosine alone."""

    def upsert(self, repository_id: int, chunk_ids: Sequence[int], texts: Sequence[str]) -> None: ...

    def search(self, repository_ids: Sequence[int], query: str, limit: int) -> LexicalMatches:
        return LexicalMatches((), 0.0)

    def delete(self, chunk_ids: Sequence[int]) -> None: ...

    def count(self) -> int:
        return 0

    def close(self) -> None: ...
