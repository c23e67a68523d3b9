"""Compares texts by the vectors of the model that also embeds the documents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.core.embedding import BATCH, pool, split
from ingest.types import Embedder, Vectors


class EmbeddedMeaning:
    """Remembers the vectors of one sample's texts, which several metrics ask for. Blocking; for one thread."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Vectors | None] = {}  # None: nothing in it that the model reads

    def similarity(self, text: str, others: Sequence[str]) -> float:
        """The highest cosine of `text` with one of the others; -1 where there is nothing to compare."""
        self._learn([text, *others])
        own = self._known[text]
        vectors = [vector for other in others if (vector := self._known[other]) is not None]
        if own is None or not vectors:
            return -1.0
        return float(np.max(np.stack(vectors) @ own))

    def _learn(self, texts: Sequence[str]) -> None:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        windows = [self._windows(text) for text in new]
        flat = [window for each in windows for window in each]
        vectors = [
            vector
            for at in range(0, len(flat), BATCH)
            for vector in self._embedder.embed(flat[at : at + BATCH], background=True)  # questions go first
        ]
        at = 0
        for text, each in zip(new, windows, strict=True):
            found, at = vectors[at : at + len(each)], at + len(each)
            self._known[text] = pool(np.stack(found)) if found else None

    def _windows(self, text: str) -> list[str]:
        return split(self._embedder, text) if self._embedder.tokenizer.offsets(text) else []
