"""What a model folder says about itself, and whether the hand-built graph can run it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ingest.types import EmbedderUnavailableError

_GRAPH_MODULES = frozenset({"Transformer", "Pooling", "Normalize"})


@dataclass(frozen=True, slots=True)
class BertConfig:
    """The shape of a BERT encoder and how its token vectors become one sentence vector."""

    layers: int
    hidden: int
    heads: int
    epsilon: float  # of every layer norm
    max_sequence: int  # tokens, special tokens counted
    pooling: Literal["mean", "cls"]


def read_bert_config(folder: Path) -> BertConfig:
    """Reads config.json and, where present, the sentence-transformers files beside it.

    Raises EmbedderUnavailableError if the model is anything but BERT + mean or CLS pooling (+ normalisation):
    running it as BERT would give wrong vectors without an error.
    """
    bert = _read(folder / "config.json")
    wanted = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    for key, value in wanted.items():
        if bert.get(key, value) != value:
            raise _unsupported(folder, f"its {key} is {bert[key]!r}, not {value!r}")
    modules = _read(folder / "modules.json") if (folder / "modules.json").is_file() else []
    for module in modules:
        kind = str(module["type"]).rsplit(".", 1)[-1]
        if kind not in _GRAPH_MODULES:
            raise _unsupported(folder, f"it has a {kind} layer")
    limits = [int(bert["max_position_embeddings"])]
    if (folder / "sentence_bert_config.json").is_file():
        limits.append(int(_read(folder / "sentence_bert_config.json").get("max_seq_length") or limits[0]))
    return BertConfig(
        layers=int(bert["num_hidden_layers"]),
        hidden=int(bert["hidden_size"]),
        heads=int(bert["num_attention_heads"]),
        epsilon=float(bert.get("layer_norm_eps", 1e-12)),
        max_sequence=min(limits),
        pooling=_pooling(folder),
    )


def _pooling(folder: Path) -> Literal["mean", "cls"]:
    path = folder / "1_Pooling" / "config.json"
    if not path.is_file():
        return "mean"
    config = _read(path)
    modes = {key for key, on in config.items() if key.startswith("pooling_mode_") and on is True}
    if modes == {"pooling_mode_mean_tokens"}:
        return "mean"
    if modes == {"pooling_mode_cls_token"}:
        return "cls"
    raise _unsupported(folder, f"its pooling is {sorted(modes)}")


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _unsupported(folder: Path, why: str) -> EmbedderUnavailableError:
    return EmbedderUnavailableError(
        f"The model in {folder} cannot run without torch: {why}. "
        f"Name it as `sentence-transformers/{folder}` to run it with the real package."
    )
