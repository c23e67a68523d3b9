"""The default embedder: BERT sentence encoders in-process on onnxruntime, one sequence a run, one thread a run.

Parallel over texts, not inside one: threads that wait for each other collapse when a neighbour takes a core.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ingest.embedders.bert_graph import IDS, VECTOR
from ingest.embedders.golden import check_parity, check_unit_length, minilm_golden
from ingest.embedders.graph_cache import Precision, cached_graph, file_sha256
from ingest.embedders.priority import background_pool, foreground_pool, usable_cores
from ingest.embedders.runtime import open_session
from ingest.embedders.weights import MODEL
from ingest.embedders.word_pieces import WordPieces, read_word_pieces
from ingest.types import EmbedderUnavailableError, Tokenizer, Vectors

_LEAST_COSINE: dict[Precision, float] = {"fp32": 0.99999, "int8": 0.99}


class OnnxEmbedder:
    """An `Embedder` over one shared session."""

    def __init__(
        self,
        *,
        name: str,
        session: Any,
        tokenizer: WordPieces,
        dimensions: int,
        max_tokens: int,
        fingerprint: str,
        threads: int,
    ) -> None:
        self.name = name
        self.dimensions = dimensions
        self.max_tokens = max_tokens
        self.fingerprint = fingerprint
        self.tokenizer: Tokenizer = tokenizer
        self._pieces = tokenizer
        self._session = session
        self._foreground = foreground_pool(threads)
        self._background = background_pool(threads)

    def embed(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        """Unit vectors, float32, shape (len(texts), dimensions). Thread-safe and blocking.

        One foreground text runs in the calling thread. Raises TextTooLongError for the first text over
        `max_tokens`; the texts after it are then not begun.
        """
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        if len(texts) == 1 and not background:
            vectors[0] = self._vector(texts[0])
            return vectors
        pool = self._background if background else self._foreground
        for row, vector in enumerate(pool.map(self._vector, texts)):
            vectors[row] = vector
        return vectors

    def close(self) -> None:
        """Ends the threads; texts not yet begun are dropped. The embedder cannot be used again."""
        self._foreground.shutdown(cancel_futures=True)
        self._background.shutdown(cancel_futures=True)

    def _vector(self, text: str) -> Vectors:
        ids = self._pieces.ids(text, max_tokens=self.max_tokens)
        vector: Vectors = self._session.run([VECTOR], {IDS: ids})[0]
        return vector


def open_onnx_embedder(
    folder: Path, *, name: str, cache_dir: Path, precision: Precision = "fp32", threads: int | None = None
) -> OnnxEmbedder:
    """The embedder of the BERT model in `folder`, warm and self-tested. Raises EmbedderUnavailableError.

    all-MiniLM-L6-v2, known by the digest of its weights or by `name`, is compared with golden vectors.
    """
    graph = cached_graph(folder, cache_dir=cache_dir, precision=precision)
    tokenizer = read_word_pieces(folder / "tokenizer.json")
    identity = f"{graph.identity}:{file_sha256(folder / 'tokenizer.json')}:{graph.config.max_sequence}"
    embedder = OnnxEmbedder(
        name=name,
        session=open_session(graph.path),
        tokenizer=tokenizer,
        dimensions=graph.config.hidden,
        max_tokens=graph.config.max_sequence - tokenizer.special_tokens,
        fingerprint=f"bert-onnx:{graph.precision}:{hashlib.sha256(identity.encode()).hexdigest()[:32]}",
        threads=threads or usable_cores(),
    )
    try:
        golden = minilm_golden()
        if name == MODEL or graph.weights_sha256 == golden.weights_sha256:
            check_parity(embedder.embed, golden, least_cosine=_LEAST_COSINE[precision])
        else:
            check_unit_length(embedder.embed)
    except EmbedderUnavailableError:
        embedder.close()
        raise
    return embedder
