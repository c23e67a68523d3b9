"""The default embedder with its real weights."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.embedders.golden import check_parity, minilm_golden
from ingest.embedders.load import ClosableEmbedder, load_embedder
from ingest.embedders.priority import background_pool, foreground_pool
from ingest.embedders.weights import find_minilm
from ingest.types import EmbedderUnavailableError, TextTooLongError, Vectors


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def minilm(cache_dir: Path) -> Iterator[ClosableEmbedder]:
    embedder = load_embedder("all-MiniLM-L6-v2", cache_dir=cache_dir, threads=2, allow_download=False)
    yield embedder
    embedder.close()


def test_it_is_the_model_it_says(minilm: ClosableEmbedder) -> None:
    assert (minilm.name, minilm.dimensions, minilm.max_tokens) == ("all-MiniLM-L6-v2", 384, 254)
    assert minilm.fingerprint.startswith("bert-onnx:fp32:")


def test_golden_vectors_to_the_sixth_digit(minilm: ClosableEmbedder) -> None:
    golden = minilm_golden()
    np.testing.assert_allclose(minilm.embed(golden.texts), golden.vectors, atol=1e-6)


def test_the_self_test_fails_for_other_vectors(minilm: ClosableEmbedder) -> None:
    def noisy(texts: tuple[str, ...]) -> Vectors:
        vectors = minilm.embed(texts)
        vectors[3] += np.random.default_rng(0).normal(0, 2e-3, 384).astype(np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    with pytest.raises(EmbedderUnavailableError, match="検索拡張生成"):
        check_parity(noisy, minilm_golden(), least_cosine=0.99999)
    with pytest.raises(EmbedderUnavailableError):
        check_parity(lambda texts: np.full((len(texts), 384), np.nan, np.float32), minilm_golden(), least_cosine=0.99)


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(st.text(max_size=30), max_size=6), background=st.booleans())
def test_a_text_has_one_vector_however_it_is_asked_for(
    minilm: ClosableEmbedder, texts: list[str], background: bool
) -> None:
    together = minilm.embed(texts, background=background)
    assert together.shape == (len(texts), 384)
    assert together.dtype == np.float32
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_array_equal(minilm.embed([text])[0], vector)
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=200))
def test_token_offsets_are_ordered_slices_of_the_text(minilm: ClosableEmbedder, text: str) -> None:
    offsets = minilm.tokenizer.offsets(text)
    assert all(0 <= start < end <= len(text) for start, end in offsets)
    assert offsets == sorted(offsets)


def test_long_texts_are_counted_whole(minilm: ClosableEmbedder) -> None:
    # The model's own file truncates at 128 and pads to 128.
    assert len(minilm.tokenizer.offsets("word " * 5000)) == 5000
    assert minilm.tokenizer.offsets("") == []


@pytest.mark.parametrize("background", [False, True])
def test_one_token_too_many_is_an_error(minilm: ClosableEmbedder, background: bool) -> None:
    minilm.embed(["word " * 254])
    with pytest.raises(TextTooLongError, match="255 tokens, at most 254"):
        minilm.embed(["short", "word " * 255, "short"], background=background)


def test_calls_from_many_threads_do_not_disturb_each_other(minilm: ClosableEmbedder) -> None:
    texts = [f"Clause {number} binds the tenant." for number in range(12)]
    expected = minilm.embed(texts)
    wrong: list[str] = []

    def ask(background: bool) -> None:
        if not np.array_equal(minilm.embed(texts, background=background), expected):
            wrong.append(threading.current_thread().name)

    threads = [threading.Thread(target=ask, args=(number % 2 == 0,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems lower whole processes only")
def test_only_background_threads_yield() -> None:
    def standing() -> tuple[int, int]:
        return os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = standing()
    with background_pool(1) as pool:
        policy, nice = pool.submit(standing).result()
    assert policy == os.SCHED_IDLE or nice == 19
    with foreground_pool(1) as pool:
        assert pool.submit(standing).result() == before
    assert standing() == before


def test_a_closed_embedder_leaves_no_threads(cache_dir: Path) -> None:
    before = set(threading.enumerate())
    embedder = load_embedder("minilm", cache_dir=cache_dir, threads=2)
    embedder.embed(["one", "two"], background=True)
    assert set(threading.enumerate()) > before
    embedder.close()
    assert set(threading.enumerate()) == before


def test_a_start_from_the_cache_imports_nothing_heavy(minilm: ClosableEmbedder, cache_dir: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from ingest.embedders.load import load_embedder\n"
        "embedder = load_embedder('minilm', cache_dir=Path(sys.argv[1]), threads=1)\n"
        "embedder.embed(['a']); embedder.close()\n"
        "heavy = {'torch', 'sentence_transformers', 'onnx', 'huggingface_hub', 'chromadb', 'safetensors'}\n"
        "print(embedder.fingerprint, sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script, cache_dir], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == f"{minilm.fingerprint} []"


def test_other_weights_in_the_named_models_place_are_refused(cache_dir: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    from ingest.embedders.onnx_bert import open_onnx_embedder

    real = find_minilm(cache_dir=cache_dir, allow_download=False)
    for name in ("config.json", "tokenizer.json", "sentence_bert_config.json"):
        (tmp_path / name).write_bytes((real / name).read_bytes())
    tensors = load_file(real / "model.safetensors")
    tensors["encoder.layer.5.output.dense.weight"] *= 1.1
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(EmbedderUnavailableError, match="self-test"):
        open_onnx_embedder(tmp_path, name="all-MiniLM-L6-v2", cache_dir=cache_dir, threads=1)
    open_onnx_embedder(tmp_path, name="mine", cache_dir=cache_dir, threads=1).close()
