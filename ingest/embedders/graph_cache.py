"""The graph of a model folder, built once and kept under the cache folder by everything it depends on."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ingest.embedders.bert_config import BertConfig, read_bert_config
from ingest.embedders.bert_graph import GRAPH_VERSION, IDS, VECTOR, Array, Weights, write_bert
from ingest.embedders.graph_writer import GRAPH_FILE, GraphWriter
from ingest.embedders.weights import check_folder
from ingest.types import EmbedderUnavailableError

Precision = Literal["fp32", "int8"]

_FIRST_TENSOR = "embeddings.word_embeddings.weight"
_PREFIXES = ("", "bert.")  # a checkpoint of a whole model names its encoder so


@dataclass(frozen=True, slots=True)
class CachedGraph:
    """A graph file ready to run, and what it was made of."""

    path: Path
    config: BertConfig
    weights_sha256: str
    precision: Precision
    identity: str  # hex digest of all that decides the vectors, the tokenizer apart


def cached_graph(folder: Path, *, cache_dir: Path, precision: Precision = "fp32") -> CachedGraph:
    """The graph of the model in `folder`, built if `cache_dir` does not have it yet.

    Safe when several processes start at once: a graph appears whole or not at all.
    Raises EmbedderUnavailableError.
    """
    config = read_bert_config(check_folder(folder))
    weights_sha256 = file_sha256(folder / "model.safetensors")
    recipe = {"weights": weights_sha256, "config": asdict(config), "version": GRAPH_VERSION, "precision": precision}
    identity = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
    home = cache_dir / "graphs" / identity[:32]
    if not (home / GRAPH_FILE).is_file():
        _build(folder, config, home)
    return CachedGraph(home / GRAPH_FILE, config, weights_sha256, precision, identity)


def file_sha256(path: Path) -> str:
    """The hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _build(folder: Path, config: BertConfig, home: Path) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=home.parent))
    try:
        with open_weights(folder) as weights, GraphWriter(making) as graph:
            write_bert(graph, config, weights)
            graph.finish(ids=IDS, outputs={VECTOR: config.hidden})
        _publish(making, home)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _publish(made: Path, home: Path) -> None:
    try:
        made.rename(home)
    except OSError:
        # Another process was first; its graph is byte for byte ours.
        if not (home / GRAPH_FILE).is_file():
            raise


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
