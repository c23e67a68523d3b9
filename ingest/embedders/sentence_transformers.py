"""Any model of the real sentence-transformers package: the reference, and every architecture it knows. Needs torch."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ingest.embedders.word_pieces import WordPieces
from ingest.types import EmbedderUnavailableError, Tokenizer, Vectors

_BATCH = 8  # on processors faster than the package's 32, and a question waits for one batch at most


class SentenceTransformerEmbedder:
    """An `Embedder` over one model. Calls take turns batch by batch, foreground ones first."""

    def __init__(self, model: Any, *, name: str, tokenizer: WordPieces, max_tokens: int, fingerprint: str) -> None:
        self.name = name
        self.dimensions = int(model.get_embedding_dimension())
        self.max_tokens = max_tokens
        self.fingerprint = fingerprint
        self.tokenizer: Tokenizer = tokenizer
        self._pieces = tokenizer
        self._model = model
        self._turns = _Turns()

    def embed(self, texts: Sequence[str], *, background: bool = False) -> Vectors:
        """Unit vectors, float32, shape (len(texts), dimensions). Raises TextTooLongError before any work."""
        for text in texts:
            self._pieces.ids(text, max_tokens=self.max_tokens)
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for start in range(0, len(texts), _BATCH):
            batch = list(texts[start : start + _BATCH])
            with self._turns.take(background=background):
                vectors[start : start + len(batch)] = self._model.encode(
                    batch, batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False
                )
        return vectors

    def close(self) -> None:
        """Nothing is held but memory."""


def open_sentence_transformer(
    model_name: str, *, cache_dir: Path, threads: int | None = None, allow_download: bool = True
) -> SentenceTransformerEmbedder:
    """The embedder of a hub model or a local folder. Raises EmbedderUnavailableError.

    `threads` sets torch's own, for the whole process.
    """
    try:
        torch = import_module("torch")  # not an import statement: type checkers run without torch
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise EmbedderUnavailableError(
            f"The embedder sentence-transformers/{model_name} needs the package: "
            "`pip install 'footnote[sentence-transformers]'`."
        ) from error
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        model = SentenceTransformer(model_name, cache_folder=str(cache_dir), local_files_only=not allow_download)
    except (OSError, ValueError) as error:
        raise EmbedderUnavailableError(f"sentence-transformers cannot load {model_name}: {error}") from error
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None or model.max_seq_length is None:
        raise EmbedderUnavailableError(
            f"{model_name} has no tokenizer with offsets, or does not say how many tokens it reads."
        )
    # A copy: the model changes its tokenizer's settings at each call, which is not thread-safe.
    tokenizer = WordPieces(type(backend).from_str(backend.to_str()))
    prompt = model.prompts.get(model.default_prompt_name) or ""  # the model itself puts it before each text
    return SentenceTransformerEmbedder(
        model,
        name=model_name,
        tokenizer=tokenizer,
        max_tokens=int(model.max_seq_length) - tokenizer.special_tokens - len(tokenizer.offsets(prompt)),
        fingerprint=_fingerprint(model, prompt),
    )


def _fingerprint(model: Any, prompt: str) -> str:
    digest = hashlib.sha256()
    for module in model:
        digest.update(f"{type(module).__name__}\n".encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().float().numpy().tobytes())
    digest.update(model.tokenizer.backend_tokenizer.to_str().encode())
    digest.update(f"{model.max_seq_length}\n{prompt}".encode())
    return f"sentence-transformers:{digest.hexdigest()[:32]}"


class _Turns:
    """One caller at a time; a background caller only when no foreground one waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._busy = False
        self._foreground_waiting = 0

    @contextmanager
    def take(self, *, background: bool) -> Iterator[None]:
        with self._changed:
            self._foreground_waiting += not background
            self._changed.wait_for(lambda: not self._busy and not (background and self._foreground_waiting))
            self._foreground_waiting -= not background
            self._busy = True
        try:
            yield
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
