"""The embedder without a model: feature hashing of words and their pieces. Deterministic, instant, offline.

Texts that share words are near each other; meaning is not seen. It is a null part that is real enough to search
with, for tests and for machines that cannot have a model.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from ingest.embedders.word_pieces import text_too_long
from ingest.types import Tokenizer, Vectors

_VERSION = 1
_TOKEN = re.compile(r"\w{1,12}|[^\w\s]")  # long words count as several tokens, as a word-piece tokenizer counts them
_WORD = re.compile(r"\w+")
_PIECE = 4  # characters
_PIECE_WEIGHT = 0.3  # of a whole word's


class HashingTokenizer:
    """Runs of up to twelve word characters, and single other characters."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each token in `text`, in code points, ascending."""
        return [match.span() for match in _TOKEN.finditer(text)]


class HashingEmbedder:
    """An `Embedder` that hashes each word and each run of four characters within one to a signed dimension."""

    name = "hashing"
    dimensions = 384
    max_tokens = 254
    fingerprint = f"hashing:v{_VERSION}:384"

    def __init__(self) -> None:
        self.tokenizer: Tokenizer = HashingTokenizer()

    def embed(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        """Unit vectors, float32, shape (len(texts), dimensions). Raises TextTooLongError.

        A text takes microseconds, so `background` work needs no threads to yield.
        """
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._vector(text)
        return vectors

    def close(self) -> None:
        """Nothing is held."""

    def _vector(self, text: str) -> Vectors:
        tokens = len(self.tokenizer.offsets(text))
        if tokens > self.max_tokens:
            raise text_too_long(text, tokens, self.max_tokens)
        vector = np.zeros(self.dimensions, np.float64)
        for feature, weight in _features(text):
            dimension, sign = _place(feature, self.dimensions)
            vector[dimension] += sign * weight
        length = float(np.linalg.norm(vector))
        if length == 0.0:  # no words, or words that cancel out: any fixed direction will do
            vector[0] = length = 1.0
        unit: Vectors = (vector / length).astype(np.float32)
        return unit


def _features(text: str) -> Iterator[tuple[str, float]]:
    words = Counter(match.group().casefold() for match in _WORD.finditer(text))
    for word, count in words.items():
        weight = 1.0 + math.log(count)
        yield f"word {word}", weight
        framed = f"<{word}>"
        for start in range(len(framed) - _PIECE + 1):
            yield f"piece {framed[start : start + _PIECE]}", weight * _PIECE_WEIGHT


@lru_cache(maxsize=65536)
def _place(feature: str, dimensions: int) -> tuple[int, float]:
    # Python's own hash differs from process to process.
    digest = int.from_bytes(hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
    return (digest >> 1) % dimensions, 1.0 if digest & 1 else -1.0
