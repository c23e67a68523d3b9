"""How large the inputs of each linear layer get: measured once, on the golden texts, when an int8 graph is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.embedders.bert_config import BertConfig
from ingest.embedders.bert_graph import IDS, VECTOR, Array, Weights, exact_linear, write_bert
from ingest.embedders.graph_writer import GRAPH_FILE, GraphWriter
from ingest.embedders.runtime import open_session
from ingest.types import EmbedderUnavailableError

_LEAST_COSINE = 0.98  # of any one text; all-MiniLM-L6-v2 has .998


@dataclass(frozen=True, slots=True)
class Calibration:
    """What float32 makes of some inputs: what int8 is derived from, and measured by."""

    inputs: tuple[NDArray[np.int64], ...]  # token ids, each [tokens]
    vectors: Array  # [inputs, hidden]
    peaks: dict[str, Array]  # by layer name: the largest magnitude of each input channel


class _Tap:
    def __init__(self) -> None:
        self.outputs: dict[str, int] = {}

    def __call__(self, graph: GraphWriter, x: str, *, name: str, weight: Array, bias: Array) -> str:
        rows = graph.constant("first", np.array([0], np.int64))
        self.outputs[graph.node("ReduceMax", graph.node("Abs", x), rows, output=name, keepdims=0)] = len(weight)
        return exact_linear(graph, x, name=name, weight=weight, bias=bias)


def calibrate(config: BertConfig, weights: Weights, inputs: Sequence[NDArray[np.int64]], scratch: Path) -> Calibration:
    """Runs the model in float32 over `inputs`, in a graph of its own that is written to the folder `scratch`."""
    tap = _Tap()
    with GraphWriter(scratch) as graph:
        write_bert(graph, config, weights, tap)
        graph.finish(ids=IDS, outputs={VECTOR: config.hidden, **tap.outputs})
    session = open_session(scratch / GRAPH_FILE)
    runs = [session.run([VECTOR, *tap.outputs], {IDS: ids}) for ids in inputs]
    peaks = {name: np.max([run[1 + i] for run in runs], axis=0) for i, name in enumerate(tap.outputs)}
    return Calibration(tuple(inputs), np.stack([run[0] for run in runs]), peaks)


def check_rounding(graph: Path, calibration: Calibration) -> None:
    """Raises EmbedderUnavailableError if the int8 graph strays from float32: not every model stands rounding.

    Nor does every processor: without VNNI instructions the products overflow sixteen bits.
    """
    session = open_session(graph)
    vectors = np.stack([session.run([VECTOR], {IDS: ids})[0] for ids in calibration.inputs])
    worst = float(np.einsum("ij,ij->i", vectors, calibration.vectors).min())
    if not worst >= _LEAST_COSINE:
        raise EmbedderUnavailableError(
            f"int8 strays too far from float32 with this model on this processor (cosine {worst:.4f}, at least "
            f"{_LEAST_COSINE} wanted). Use the embedder without `:int8`."
        )
