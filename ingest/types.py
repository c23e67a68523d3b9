"""What the ingest pipeline passes from step to step, and the protocols of its exchangeable parts.

    file --reader--> Block* --join_blocks--> CanonicalText --chunk_text--> ChunkSpan* --Embedder--> vectors
                                                                                  --VectorIndex, LexicalIndex--> Match*

Every offset in this package is a Python string index (a Unicode code point) into ONE canonical text.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class BlockKind(enum.StrEnum):
    """What a block was in its source; the chunker never splits a heading from what follows it."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text as a reader found it, with where it stood."""

    text: str
    kind: BlockKind = BlockKind.PARAGRAPH
    page: int | None = None  # 1-based; None where the format has no pages
    heading_path: tuple[str, ...] = ()  # the headings above it, outermost first (a heading's own path includes itself)


@dataclass(frozen=True, slots=True)
class BlockSpan:
    """A block's place in the canonical text: `text[start:end]` is exactly its text."""

    start: int
    end: int
    kind: BlockKind
    page: int | None
    heading_path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CanonicalText:
    """The one text of a document version; every chunk and every citation is a slice of it."""

    text: str
    sha256: str  # of the UTF-8 bytes of `text`
    extractor: str  # name and version of the reader that made it
    spans: tuple[BlockSpan, ...]
    warnings: tuple[str, ...] = ()  # what a person should know, e.g. "2 of 7 pages have no text layer"


@dataclass(frozen=True, slots=True)
class ChunkSpan:
    """A chunk before it has an id: `text[start:end]`, never longer than the embedder's window."""

    start: int
    end: int
    token_count: int
    page: int | None
    heading_path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A stored chunk as the indexes take it in."""

    chunk_id: int
    heading_path: tuple[str, ...]
    content: str


@dataclass(frozen=True, slots=True)
class Match:
    """A chunk found by an index; `score` is the index's own (cosine, or BM25)."""

    chunk_id: int
    repository_id: int
    score: float


@dataclass(frozen=True, slots=True)
class Scope:
    """A repository as one search sees it: its id and the generation of its index."""

    repository_id: int
    generation: int


@dataclass(frozen=True, slots=True)
class Found:
    """The best chunks of a vector search, and how many there were."""

    matches: tuple[Match, ...]  # best first, equal scores by chunk id
    considered: int  # chunks compared with the query
    above: int  # of these, how many reach the threshold


class SnapshotMissingError(LookupError):
    """This generation of the repository is not in memory; load it and search again."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__(f"repository {scope.repository_id} generation {scope.generation}")


class IngestError(Exception):
    """The file cannot be ingested; the message names the file's fault and what to do about it."""


class UnsupportedFileError(IngestError):
    """No reader for this type of file."""


class UnreadableFileError(IngestError):
    """The file is damaged, protected by a password, or has no text."""


class IndexUnavailableError(Exception):
    """An index (vectors or words) cannot be reached or is damaged."""


class EmbedderUnavailableError(Exception):
    """The embedding model cannot be found or does not run."""


class TextTooLongError(ValueError):
    """A text has more tokens than the embedder's window; embedding it would silently drop the rest."""


class Tokenizer(Protocol):
    """The embedder's own tokenizer, without special tokens and without truncation."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each token in `text`, in code points, ascending."""
        ...


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    name: str
    dimensions: int
    max_tokens: int  # tokens of text per input, special tokens not counted
    fingerprint: str  # changes whenever the same text would get another vector
    tokenizer: Tokenizer

    def embed(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        """Unit vectors, float32, shape (len(texts), dimensions). Thread-safe and blocking.

        `background` work yields to foreground work (a question is never slowed by an ingest).
        Raises TextTooLongError if a text exceeds `max_tokens`.
        """
        ...


class VectorStore(Protocol):
    """Keeps every chunk's vector durably, by chunk id. Raises IndexUnavailableError."""

    def upsert(self, chunk_ids: Sequence[int], vectors: Vectors) -> None: ...

    def fetch(self, chunk_ids: Sequence[int]) -> dict[int, Vectors]:
        """Vectors by chunk id; chunks that are not there are left out."""
        ...

    def delete(self, chunk_ids: Sequence[int]) -> None: ...

    def count(self) -> int: ...


class SnapshotIndex(Protocol):
    """Exact search over immutable snapshots of repositories, one per generation."""

    def load(self, scope: Scope, ids: Sequence[int], vectors: Vectors) -> None:
        """Puts a whole generation in memory; `ids` ascending, `vectors` of unit length."""
        ...

    def stage(
        self, repository_id: int, base: int, generation: int, ids: Sequence[int], vectors: Vectors, removed: set[int]
    ) -> bool:
        """Builds a generation from another by adding and removing; False when the base is not in memory."""
        ...

    def has(self, scope: Scope) -> bool: ...

    def discard(self, scope: Scope) -> None:
        """Forgets a staged generation that was never published."""
        ...

    def drop(self, repository_id: int) -> None:
        """Forgets every generation of a repository."""
        ...

    def search(self, scopes: Sequence[Scope], query: Vectors, limit: int, threshold: float) -> Found:
        """The `limit` most similar chunks of all scopes together, by cosine; raises SnapshotMissingError."""
        ...

    def scores(self, scopes: Sequence[Scope], query: Vectors, chunk_ids: Sequence[int]) -> dict[int, float]:
        """The cosine of given chunks; those in none of the scopes are left out. Raises SnapshotMissingError."""
        ...


@dataclass(frozen=True, slots=True)
class LexicalMatches:
    """What a word search found, best first, and the BM25 score that a chunk made of all query words could reach."""

    matches: tuple[Match, ...]
    ceiling: float


class LexicalIndex(Protocol):
    """BM25 over the words of chunks. Raises IndexUnavailableError."""

    def upsert(self, repository_id: int, chunk_ids: Sequence[int], texts: Sequence[str]) -> None: ...

    def search(self, repository_ids: Sequence[int], query: str, limit: int) -> LexicalMatches:
        """Any text is a valid query; one without words finds nothing."""
        ...

    def delete(self, chunk_ids: Sequence[int]) -> None: ...

    def count(self) -> int: ...
