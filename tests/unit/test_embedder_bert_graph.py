"""The hand-built graph computes BERT: compared with the formulas in numpy, on small random models."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from ingest.embedders.graph_cache import cached_graph
from ingest.embedders.onnx_bert import OnnxEmbedder, open_onnx_embedder
from ingest.types import EmbedderUnavailableError, TextTooLongError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "tenant", "pays", "rent", "on", "day", "1", "2", "3", ".", ","]
HIDDEN, HEADS, WIDE, LAYERS, LONGEST = 32, 4, 48, 3, 40

Array = NDArray[np.float64]
Tensors = dict[str, NDArray[np.float32]]


def random_tensors(seed: int) -> Tensors:
    rng = np.random.default_rng(seed)
    shapes = {
        "embeddings.word_embeddings.weight": (len(WORDS), HIDDEN),
        "embeddings.position_embeddings.weight": (LONGEST, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN),
        "embeddings.LayerNorm.weight": (HIDDEN,),
        "embeddings.LayerNorm.bias": (HIDDEN,),
    }
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        for name, outputs, inputs in (
            ("attention.self.query", HIDDEN, HIDDEN),
            ("attention.self.key", HIDDEN, HIDDEN),
            ("attention.self.value", HIDDEN, HIDDEN),
            ("attention.output.dense", HIDDEN, HIDDEN),
            ("intermediate.dense", WIDE, HIDDEN),
            ("output.dense", HIDDEN, WIDE),
        ):
            shapes[f"{prefix}{name}.weight"] = (outputs, inputs)
            shapes[f"{prefix}{name}.bias"] = (outputs,)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"{prefix}{name}.weight"] = shapes[f"{prefix}{name}.bias"] = (HIDDEN,)
    return {name: rng.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}


def write_model(folder: Path, tensors: Tensors, *, pooling: str = "mean_tokens", **config: Any) -> Path:
    (folder / "1_Pooling").mkdir(parents=True)
    save_file(tensors, folder / "model.safetensors")
    shape = {"num_hidden_layers": LAYERS, "hidden_size": HIDDEN, "num_attention_heads": HEADS}
    content = {"model_type": "bert", "hidden_act": "gelu", "max_position_embeddings": LONGEST, **shape, **config}
    (folder / "config.json").write_text(json.dumps(content))
    (folder / "1_Pooling/config.json").write_text(json.dumps({f"pooling_mode_{pooling}": True}))
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def bert(tensors: Tensors, ids: list[int], pooling: str) -> Array:
    """The paper's formulas, float64, one line each."""
    w = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}

    def dense(x: Array, name: str) -> Array:
        return np.asarray(x @ w[f"{name}.weight"].T + w[f"{name}.bias"])

    def norm(x: Array, name: str) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return np.asarray(scaled * w[f"{name}.weight"] + w[f"{name}.bias"])

    def softmax(x: Array) -> Array:
        powers = np.exp(x - x.max(-1, keepdims=True))
        return np.asarray(powers / powers.sum(-1, keepdims=True))

    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        q, k, v = (
            dense(x, f"{prefix}attention.self.{part}").reshape(len(ids), HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        context = softmax(q @ k.transpose(0, 2, 1) / math.sqrt(HIDDEN / HEADS)) @ v
        context = context.transpose(1, 0, 2).reshape(len(ids), HIDDEN)
        x = norm(dense(context, prefix + "attention.output.dense") + x, prefix + "attention.output.LayerNorm")
        wide = dense(x, prefix + "intermediate.dense")
        wide = wide * 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        x = norm(dense(wide, prefix + "output.dense") + x, prefix + "output.LayerNorm")
    pooled = x.mean(0) if pooling == "mean_tokens" else x[0]
    return np.asarray(pooled / np.linalg.norm(pooled))


def open_model(folder: Path) -> OnnxEmbedder:
    return open_onnx_embedder(folder, name="small", cache_dir=folder / "cache", threads=2)


@pytest.fixture(scope="module", params=["mean_tokens", "cls_token"])
def small_model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    tensors = random_tensors(1)
    embedder = open_model(write_model(tmp_path_factory.mktemp("bert"), tensors, pooling=request.param))
    yield embedder, tensors, request.param
    embedder.close()


@settings(max_examples=60, deadline=None)
@given(words=st.lists(st.sampled_from([*WORDS[4:], "unknown"]), max_size=LONGEST - 2))
def test_the_graph_is_bert(small_model: tuple[OnnxEmbedder, Tensors, str], words: list[str]) -> None:
    embedder, tensors, pooling = small_model
    ids = [2, *(WORDS.index(word) if word in WORDS else 1 for word in words), 3]
    vector = embedder.embed([" ".join(words)])[0]
    np.testing.assert_allclose(vector, bert(tensors, ids, pooling), atol=2e-6)


def test_one_token_over_the_window_is_an_error_not_a_truncation(small_model: tuple[OnnxEmbedder, Tensors, str]) -> None:
    embedder, _, _ = small_model
    assert embedder.max_tokens == LONGEST - 2
    embedder.embed([" ".join(["rent"] * (LONGEST - 2))])
    with pytest.raises(TextTooLongError, match=f"{LONGEST - 1} tokens, at most {LONGEST - 2}"):
        embedder.embed([" ".join(["rent"] * (LONGEST - 1))])


def test_a_whole_models_checkpoint_in_half_precision_loads_too(tmp_path: Path) -> None:
    halves = {f"bert.{name}": tensor.astype(np.float16) for name, tensor in random_tensors(2).items()}
    embedder = open_model(write_model(tmp_path / "model", halves))  # type: ignore[arg-type]
    rounded = {name.removeprefix("bert."): half.astype(np.float32) for name, half in halves.items()}
    np.testing.assert_allclose(
        embedder.embed(["rent"])[0], bert(rounded, [2, WORDS.index("rent"), 3], "mean_tokens"), atol=2e-6
    )
    embedder.close()


def test_a_graph_is_built_once_and_again_for_other_weights(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    one = write_model(tmp_path / "one", random_tensors(1))
    first = cached_graph(one, cache_dir=cache)
    built = first.path.stat().st_mtime_ns
    assert cached_graph(one, cache_dir=cache) == first
    assert first.path.stat().st_mtime_ns == built
    second = cached_graph(write_model(tmp_path / "two", random_tensors(2)), cache_dir=cache)
    assert second.identity != first.identity
    assert sorted(path.name for path in (cache / "graphs").iterdir()) == sorted(
        {first.path.parent.name, second.path.parent.name}
    )


def test_the_fingerprint_follows_the_contents_not_the_place(tmp_path: Path) -> None:
    def fingerprint(folder: Path) -> str:
        embedder = open_model(folder)
        embedder.close()
        return embedder.fingerprint

    original = fingerprint(write_model(tmp_path / "a", random_tensors(1)))
    assert fingerprint(write_model(tmp_path / "b", random_tensors(1))) == original
    assert fingerprint(write_model(tmp_path / "c", random_tensors(2))) != original
    assert fingerprint(write_model(tmp_path / "d", random_tensors(1), pooling="cls_token")) != original
    other_words = write_model(tmp_path / "e", random_tensors(1))
    text = (other_words / "tokenizer.json").read_text()
    (other_words / "tokenizer.json").write_text(text.replace('"tenant"', '"lessee"'))
    assert fingerprint(other_words) != original


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"model_type": "mpnet"}, "mpnet"),
        ({"hidden_act": "relu"}, "relu"),
        ({"position_embedding_type": "relative_key"}, "relative"),
    ],
)
def test_another_architecture_is_refused_and_sent_to_the_real_package(
    tmp_path: Path, config: dict[str, str], why: str
) -> None:
    folder = write_model(tmp_path / "model", random_tensors(1), **config)
    with pytest.raises(EmbedderUnavailableError, match=f"{why}.*\n?.*sentence-transformers/"):
        open_model(folder)


def test_another_pooling_or_a_dense_head_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailableError, match="pooling_mode_max_tokens"):
        open_model(write_model(tmp_path / "max", random_tensors(1), pooling="max_tokens"))
    folder = write_model(tmp_path / "dense", random_tensors(1))
    (folder / "modules.json").write_text('[{"type": "sentence_transformers.models.Dense"}]')
    with pytest.raises(EmbedderUnavailableError, match="Dense"):
        open_model(folder)


def test_damage_is_named(tmp_path: Path) -> None:
    tensors = random_tensors(1)
    del tensors["encoder.layer.2.output.dense.bias"]
    with pytest.raises(EmbedderUnavailableError, match=r"encoder\.layer\.2\.output\.dense\.bias"):
        open_model(write_model(tmp_path / "incomplete", tensors))
    assert list((tmp_path / "incomplete/cache/graphs").iterdir()) == []
    cut = write_model(tmp_path / "cut", random_tensors(1))
    (cut / "model.safetensors").write_bytes((cut / "model.safetensors").read_bytes()[:-100])
    with pytest.raises(EmbedderUnavailableError, match="cannot be read"):
        open_model(cut)
    none = write_model(tmp_path / "none", random_tensors(1))
    (none / "tokenizer.json").unlink()
    with pytest.raises(EmbedderUnavailableError, match=r"lacks tokenizer\.json"):
        open_model(none)


def test_weights_that_give_no_direction_fail_the_self_test(tmp_path: Path) -> None:
    tensors = random_tensors(1)
    tensors["encoder.layer.2.output.LayerNorm.bias"][:] = np.nan
    with pytest.raises(EmbedderUnavailableError, match="self-test"):
        open_model(write_model(tmp_path / "nan", tensors))


def test_a_damaged_cached_graph_says_what_to_delete(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model", random_tensors(1))
    graph = cached_graph(folder, cache_dir=folder / "cache")
    graph.path.write_bytes(graph.path.read_bytes()[:200])
    with pytest.raises(EmbedderUnavailableError, match="Delete it"):
        open_model(folder)
