"""Linear layers in 8-bit integers: one scale per token, one per output, outliers moved into the weights.

A scale for a whole tensor costs five times the error, because a few channels are 20 times larger than the rest.
Smoothing divides each channel of the input by a factor and multiplies the weights' row by it: exact in real
numbers, and it leaves both sides about equally easy to round.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ingest.embedders.bert_graph import Array
from ingest.embedders.graph_writer import GraphWriter

INT8_VERSION = 1  # raise it whenever the same weights would be rounded to others
_STEPS = 127  # either side of zero
_ZERO = 128  # unsigned activations times signed weights: the form that processors have an instruction for
_LEAST = np.float32(1e-8)


class Int8Linear:
    """A `Linear` for one graph. `peaks` maps each layer's name to its input's largest magnitude by channel."""

    def __init__(self, peaks: Mapping[str, Array]) -> None:
        self._peaks = peaks
        self._rounded: dict[str, tuple[str, str, Array]] = {}  # by input, which query, key and value share

    def __call__(self, graph: GraphWriter, x: str, *, name: str, weight: Array, bias: Array) -> str:
        """Writes the layer; see `Linear`."""
        if x not in self._rounded:
            self._rounded[x] = self._round_input(graph, x, name, weight)
        integers, size, smoothing = self._rounded[x]
        smoothed = weight * smoothing[:, None]
        scale = (np.abs(smoothed).max(axis=0) + _LEAST) / np.float32(_STEPS)
        product = graph.node(
            "MatMulIntegerToFloat",
            integers,
            graph.constant(f"{name}.weight", np.rint(smoothed / scale).astype(np.int8)),
            _step(graph),
            graph.constant(f"{name}.scale", scale.astype(np.float32)),
            _zero(graph),
            domain="com.microsoft",
        )
        return graph.node("Add", graph.node("Mul", product, size), graph.constant(f"{name}.bias", bias))

    def _round_input(self, graph: GraphWriter, x: str, name: str, weight: Array) -> tuple[str, str, Array]:
        smoothing = _smoothing(self._peaks[name], weight)
        smoothed = graph.node("Mul", x, graph.constant(f"{name}.smoothing", 1 / smoothing))
        last = graph.constant("last", np.array([-1], np.int64))
        largest = graph.node("ReduceMax", graph.node("Abs", smoothed), last, keepdims=1)
        size = graph.node("Max", largest, graph.constant("least", np.array(_LEAST)))
        relative = graph.node("Div", smoothed, size)
        return graph.node("QuantizeLinear", relative, _step(graph), _zero(graph)), size, smoothing


def _smoothing(peaks: Array, weight: Array) -> Array:
    # The geometric mean between "all outliers stay" and "all go into the weights", as in the SmoothQuant paper.
    ratio = np.maximum(peaks, np.float32(1e-5)) / np.maximum(np.abs(weight).max(axis=1), np.float32(1e-5))
    root = np.sqrt(ratio)
    centred: Array = (root / np.exp(np.log(root).mean())).astype(np.float32)
    return centred


def _step(graph: GraphWriter) -> str:
    return graph.constant("step", np.array(1 / _STEPS, np.float32))


def _zero(graph: GraphWriter) -> str:
    return graph.constant("zero", np.array(_ZERO, np.uint8))
