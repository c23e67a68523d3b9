"""The graph of a model folder, built once and kept under the cache folder by everything it depends on."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ingest.embedders.bert_config import BertConfig, read_bert_config
from ingest.embedders.bert_graph import (
    GRAPH_VERSION,
    IDS,
    VECTOR,
    Linear,
    Weights,
    exact_linear,
    write_bert,
)
from ingest.embedders.calibration import calibrate, check_rounding
from ingest.embedders.golden import minilm_golden
from ingest.embedders.graph_writer import GRAPH_FILE, GraphWriter
from ingest.embedders.int8 import INT8_VERSION, Int8Linear
from ingest.embedders.weights import check_folder, open_weights
from ingest.embedders.word_pieces import WordPieces, read_word_pieces

Precision = Literal["fp32", "int8"]


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
    if precision == "int8":
        recipe |= {
            "int8": INT8_VERSION,
            "tokenizer": file_sha256(folder / "tokenizer.json"),
            "texts": minilm_golden().texts,
        }
    identity = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
    home = cache_dir / "graphs" / identity[:32]
    if not (home / GRAPH_FILE).is_file():
        _build(folder, config, precision, home)
    return CachedGraph(home / GRAPH_FILE, config, weights_sha256, precision, identity)


def file_sha256(path: Path) -> str:
    """The hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _build(folder: Path, config: BertConfig, precision: Precision, home: Path) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=home.parent))
    try:
        with open_weights(folder) as weights:
            if precision == "fp32":
                _write(making, config, weights, exact_linear)
            else:
                _write_int8(making, config, weights, read_word_pieces(folder / "tokenizer.json"))
        _publish(making, home)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _write(home: Path, config: BertConfig, weights: Weights, linear: Linear) -> None:
    with GraphWriter(home) as graph:
        write_bert(graph, config, weights, linear)
        graph.finish(ids=IDS, outputs={VECTOR: config.hidden})


def _write_int8(home: Path, config: BertConfig, weights: Weights, tokenizer: WordPieces) -> None:
    inputs = [tokenizer.ids(text)[: config.max_sequence] for text in minilm_golden().texts]
    with tempfile.TemporaryDirectory(prefix=".calibrating-", dir=home.parent) as scratch:
        calibration = calibrate(config, weights, inputs, Path(scratch))
    _write(home, config, weights, Int8Linear(calibration.peaks))
    check_rounding(home / GRAPH_FILE, calibration)


def _publish(made: Path, home: Path) -> None:
    try:
        made.rename(home)
    except OSError:
        # Another process was first; its graph is byte for byte ours.
        if not (home / GRAPH_FILE).is_file():
            raise
