"""Vectors of texts of any length: a text longer than the model's window is read window by window, none cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from app.core.errors import InvalidRequestError, UnavailableError
from ingest.types import Embedder, EmbedderUnavailableError, Vectors

MARGIN = 8  # tokens: a window may count a few more by itself than inside the whole
BATCH = 16  # windows at once: between two batches, others have their turn


@dataclass(frozen=True, slots=True)
class Embedded:
    """Unit vectors, one a text, shape (texts, dimensions), and how many tokens were read."""

    vectors: Vectors
    tokens: int


class TextEmbeddings:
    """Embeds callers' own texts with the model that also embeds the documents, `most` tokens in one go."""

    def __init__(self, embedder: Embedder, executor: Executor, most: int) -> None:
        self._embedder = embedder
        self._executor = executor
        self._most = most

    @property
    def dimensions(self) -> int:
        """Of each vector."""
        return self._embedder.dimensions

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """Raises InvalidRequestError for a text without a token and for too many, UnavailableError without a model.

        More than one batch is background work: it yields to every question.
        """
        loop = asyncio.get_running_loop()
        windows, counts, tokens = await loop.run_in_executor(self._executor, self._read, texts)
        background = len(windows) > BATCH
        found = []
        try:
            for at in range(0, len(windows), BATCH):
                batch = windows[at : at + BATCH]
                found.append(await loop.run_in_executor(self._executor, self._embed, batch, background))
        except EmbedderUnavailableError as error:
            raise UnavailableError(f"The texts cannot be embedded: {error}") from error
        parts = np.split(np.concatenate(found), np.cumsum(counts)[:-1])
        return Embedded(np.stack([pool(part) for part in parts]), tokens)

    def _read(self, texts: Sequence[str]) -> tuple[list[str], list[int], int]:
        """The windows of all texts, how many of them each text has, and all texts' tokens."""
        windows: list[str] = []
        counts: list[int] = []
        tokens = 0
        for number, text in enumerate(texts):
            offsets = self._embedder.tokenizer.offsets(text)
            if not offsets:
                raise InvalidRequestError(f"`input.{number}` has nothing that the model reads.", field="input")
            cut = _cut(self._embedder, text, offsets)
            windows += cut
            counts.append(len(cut))
            tokens += len(offsets)
            if tokens > self._most:
                raise InvalidRequestError(
                    f"`input` has more than {self._most} tokens: send the rest in another request.", field="input"
                )
        return windows, counts, tokens

    def _embed(self, texts: Sequence[str], background: bool) -> Vectors:
        return self._embedder.embed(texts, background=background)


def split(embedder: Embedder, text: str) -> list[str]:
    """The text itself if the model reads it whole, else its windows, in order, all of its tokens among them."""
    return _cut(embedder, text, embedder.tokenizer.offsets(text))


def pool(windows: Vectors) -> Vectors:
    """One unit vector, shape (dimensions,), for a text's windows: their mean."""
    if len(windows) == 1:
        return np.asarray(windows[0], dtype=np.float32)
    mean = windows.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)


def _cut(embedder: Embedder, text: str, offsets: Sequence[tuple[int, int]]) -> list[str]:
    if len(offsets) <= embedder.max_tokens:
        return [text]
    size = embedder.max_tokens - MARGIN
    spans = [offsets[at : at + size] for at in range(0, len(offsets), size)]
    return [window for span in spans for window in split(embedder, text[span[0][0] : span[-1][1]])]
