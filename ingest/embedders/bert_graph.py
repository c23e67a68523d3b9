"""A BERT encoder as an ONNX graph for ONE sequence, built from the weights without torch.

    ids int64 [tokens] -> embeddings -> layers x (attention, feed-forward) -> pooling -> unit vector float32 [hidden]

One sequence needs no padding and no mask, and its activations stay in a core's second-level cache: that, not a
cleverer kernel, is what makes it faster than batches. Attention is written plainly; the scale 1/sqrt(d) is
folded into the query weights, the token type (always 0) into the positions, each bias into its Gemm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.embedders.bert_config import BertConfig
from ingest.embedders.graph_writer import GraphWriter

GRAPH_VERSION = 1  # raise it whenever the graph computes anything else
IDS = "ids"
VECTOR = "vector"

Array = NDArray[np.float32]
Weights = Callable[[str], Array]  # a tensor by its name in the weights file, float32


class Linear(Protocol):
    """Writes `x @ weight + bias` in the precision of the graph and returns the name of the result."""

    def __call__(self, graph: GraphWriter, x: str, *, name: str, weight: Array, bias: Array) -> str:
        """`weight` is [inputs, outputs], `bias` [outputs]; `name` is the layer's own."""
        ...


def exact_linear(graph: GraphWriter, x: str, *, name: str, weight: Array, bias: Array) -> str:
    """In float32: one Gemm with its bias."""
    return graph.node("Gemm", x, graph.constant(f"{name}.weight", weight), graph.constant(f"{name}.bias", bias))


def write_bert(graph: GraphWriter, config: BertConfig, weights: Weights, linear: Linear = exact_linear) -> None:
    """Writes the whole graph: the input is `IDS`, the output `VECTOR`. Does not finish the file."""
    x = _embeddings(graph, config, weights)
    for layer in range(config.layers):
        prefix = f"encoder.layer.{layer}."
        context = _attention(graph, config, weights, linear, x, prefix + "attention.self.")
        attended = _dense(graph, weights, linear, context, prefix + "attention.output.dense")
        x = _layer_norm(graph, config, weights, graph.node("Add", attended, x), prefix + "attention.output.LayerNorm")
        wide = graph.node("Gelu", _dense(graph, weights, linear, x, prefix + "intermediate.dense"))
        narrow = _dense(graph, weights, linear, wide, prefix + "output.dense")
        x = _layer_norm(graph, config, weights, graph.node("Add", narrow, x), prefix + "output.LayerNorm")
    _pool(graph, config, x)


def _embeddings(graph: GraphWriter, config: BertConfig, weights: Weights) -> str:
    positions = weights("embeddings.position_embeddings.weight") + weights("embeddings.token_type_embeddings.weight")[0]
    words = graph.node("Gather", graph.constant("words", weights("embeddings.word_embeddings.weight")), IDS)
    first = graph.constant("first", np.array([0], np.int64))
    places = graph.node("Slice", graph.constant("positions", positions), first, graph.node("Shape", IDS), first)
    return _layer_norm(graph, config, weights, graph.node("Add", words, places), "embeddings.LayerNorm")


def _attention(graph: GraphWriter, config: BertConfig, weights: Weights, linear: Linear, x: str, prefix: str) -> str:
    size = config.hidden // config.heads
    by_head = graph.constant("by_head", np.array([-1, config.heads, size], np.int64))
    joined = graph.constant("joined", np.array([-1, config.hidden], np.int64))

    def project(part: str, order: list[int], scale: float = 1.0) -> str:
        projected = _dense(graph, weights, linear, x, prefix + part, scale)
        return graph.node("Transpose", graph.node("Reshape", projected, by_head), perm=order)

    query = project("query", [1, 0, 2], size**-0.5)
    key = project("key", [1, 2, 0])
    value = project("value", [1, 0, 2])
    attention = graph.node("Softmax", graph.node("MatMul", query, key), axis=-1)
    context = graph.node("Transpose", graph.node("MatMul", attention, value), perm=[1, 0, 2])
    return graph.node("Reshape", context, joined)


def _dense(graph: GraphWriter, weights: Weights, linear: Linear, x: str, name: str, scale: float = 1.0) -> str:
    weight = weights(f"{name}.weight").T * np.float32(scale)
    bias = weights(f"{name}.bias") * np.float32(scale)
    return linear(graph, x, name=name, weight=weight, bias=bias)


def _layer_norm(graph: GraphWriter, config: BertConfig, weights: Weights, x: str, name: str) -> str:
    scale = graph.constant(f"{name}.weight", weights(f"{name}.weight"))
    bias = graph.constant(f"{name}.bias", weights(f"{name}.bias"))
    return graph.node("LayerNormalization", x, scale, bias, axis=-1, epsilon=config.epsilon)


def _pool(graph: GraphWriter, config: BertConfig, x: str) -> None:
    first = graph.constant("first", np.array([0], np.int64))
    if config.pooling == "cls":  # the mean over the first token alone: the runtime mishandles a row taken by Gather
        x = graph.node("Slice", x, first, graph.constant("second", np.array([1], np.int64)), first)
    mean = graph.node("ReduceMean", x, first, keepdims=0)
    graph.node("LpNormalization", mean, output=VECTOR, axis=0, p=2)
