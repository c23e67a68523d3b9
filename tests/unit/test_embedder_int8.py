"""The 8-bit embedder, beside the float32 one it is derived from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ingest.embedders.calibration import calibrate, check_rounding
from ingest.embedders.golden import minilm_golden
from ingest.embedders.graph_cache import cached_graph
from ingest.embedders.load import ClosableEmbedder, load_embedder
from ingest.embedders.weights import find_minilm, open_weights
from ingest.embedders.word_pieces import read_word_pieces
from ingest.types import EmbedderUnavailableError, Vectors

TOPICS = ("the tenant's deposit", "a liver enzyme", "the orbit of Mars", "sorting in place", "die Probezeit", "消費税")
FORMS = (
    "What is {}?",
    "{} — see section 4.2, table 7.",
    "In 2019 the committee reported on {} at length, and found that nothing had changed since the last report.",
    "def lookup(key): return index.get(key)  # {}",
    "Notes on {}: " + "first, measure; then decide; then measure again, and write down what you saw. " * 8,
)
TEXTS = [form.format(topic) for topic in TOPICS for form in FORMS]


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def exact(cache_dir: Path) -> Iterator[ClosableEmbedder]:
    embedder = load_embedder("minilm", cache_dir=cache_dir, allow_download=False)
    yield embedder
    embedder.close()


@pytest.fixture(scope="module")
def rounded(cache_dir: Path) -> Iterator[ClosableEmbedder]:
    embedder = load_embedder("minilm:int8", cache_dir=cache_dir, allow_download=False)
    yield embedder
    embedder.close()


def cosines(one: Vectors, other: Vectors) -> Vectors:
    return np.asarray(np.einsum("ij,ij->i", one, other))


def test_vectors_are_near_enough_to_search_with(exact: ClosableEmbedder, rounded: ClosableEmbedder) -> None:
    near = cosines(rounded.embed(TEXTS), exact.embed(TEXTS))
    assert near.mean() >= 0.998
    assert near.min() >= 0.995


def test_scores_move_less_than_a_hundredth(exact: ClosableEmbedder, rounded: ClosableEmbedder) -> None:
    before, after = (vectors @ vectors.T for vectors in (exact.embed(TEXTS), rounded.embed(TEXTS)))
    assert np.abs(before - after).mean() < 0.01


def test_it_is_really_another_computation_with_another_fingerprint(
    exact: ClosableEmbedder, rounded: ClosableEmbedder
) -> None:
    assert cosines(rounded.embed(TEXTS), exact.embed(TEXTS)).max() < 0.99999
    assert rounded.fingerprint.startswith("bert-onnx:int8:")
    assert rounded.fingerprint != exact.fingerprint
    assert (rounded.name, rounded.max_tokens) == (exact.name, exact.max_tokens)


def test_a_texts_length_does_not_change_its_neighbours_vector(rounded: ClosableEmbedder) -> None:
    together = rounded.embed(TEXTS)
    np.testing.assert_array_equal(together, np.concatenate([rounded.embed([text]) for text in TEXTS]))


def test_a_graph_that_strays_is_refused(cache_dir: Path, tmp_path: Path) -> None:
    folder = find_minilm(cache_dir=cache_dir, allow_download=False)
    graph = cached_graph(folder, cache_dir=cache_dir, precision="int8")
    inputs = [read_word_pieces(folder / "tokenizer.json").ids(text) for text in minilm_golden().texts[:2]]
    with open_weights(folder) as weights:
        calibration = calibrate(graph.config, weights, inputs, tmp_path)
    np.testing.assert_allclose(calibration.vectors, minilm_golden().vectors[:2], atol=1e-6)
    check_rounding(graph.path, calibration)
    with pytest.raises(EmbedderUnavailableError, match="without `:int8`"):
        check_rounding(graph.path, dataclasses.replace(calibration, vectors=calibration.vectors[::-1]))
