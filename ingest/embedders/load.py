"""Which embedder a setting means."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ingest.embedders.graph_cache import Precision
from ingest.embedders.weights import MODEL, find_minilm
from ingest.types import Embedder, EmbedderUnavailableError

_PACKAGE_PREFIX = "sentence-transformers/"
_INT8_SUFFIX = ":int8"
_ALIASES = frozenset({MODEL, "minilm"})


class ClosableEmbedder(Embedder, Protocol):
    """An embedder and the end of its threads."""

    def close(self) -> None:
        """Ends its threads; it cannot be used again."""
        ...


def load_embedder(
    spec: str, *, cache_dir: Path, threads: int | None = None, allow_download: bool = True
) -> ClosableEmbedder:
    """The embedder that `spec` names, warm and self-tested. Raises EmbedderUnavailableError.

    - `all-MiniLM-L6-v2` or `minilm`: the default, on onnxruntime, equal to sentence-transformers
    - a folder with a BERT sentence encoder: the same, with other weights
    - either with `:int8`: faster, near-equal vectors, another fingerprint
    - `sentence-transformers/<name or folder>`: any model, through the real package (torch)
    - `hashing`: no model at all

    Graphs and downloads are kept in `cache_dir`; `threads` defaults to the cores this process may use.
    """
    if spec == "hashing":
        from ingest.embedders.hashing import HashingEmbedder

        return HashingEmbedder()
    if spec.startswith(_PACKAGE_PREFIX):
        from ingest.embedders.sentence_transformers import open_sentence_transformer

        name = spec.removeprefix(_PACKAGE_PREFIX)
        return open_sentence_transformer(name, cache_dir=cache_dir, threads=threads, allow_download=allow_download)

    from ingest.embedders.onnx_bert import open_onnx_embedder

    model = spec.removesuffix(_INT8_SUFFIX)
    precision: Precision = "int8" if spec.endswith(_INT8_SUFFIX) else "fp32"
    if model in _ALIASES:
        folder, name = find_minilm(cache_dir=cache_dir, allow_download=allow_download), MODEL
    elif Path(model).is_dir():
        folder, name = Path(model), Path(model).resolve().name
    else:
        raise EmbedderUnavailableError(
            f"No embedder is called {spec!r}. Known: {MODEL}, {MODEL}:int8, a model's folder, "
            f"{_PACKAGE_PREFIX}<any model>, hashing."
        )
    return open_onnx_embedder(folder, name=name, cache_dir=cache_dir, precision=precision, threads=threads)
