"""Our embedders beside the real sentence-transformers, on texts of every length and many scripts."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.embedders.golden import minilm_golden
from ingest.embedders.load import ClosableEmbedder, load_embedder
from ingest.embedders.weights import find_minilm

pytestmark = pytest.mark.peer

PEER = Path(__file__).parents[2] / ".peers/sentence-transformers/bin/python"
SENTENCE = (
    "the tenant landlord pays rent on third working day contract notice period of three months unless agreed otherwise "
    "photosynthesis light sugar mitochondria membrane 1984 3.14 §12 (b) e.g. O'Neil's co-operative re-elected "
    "function return index[0] == None; user@example.org 50% €1,200.50 naïve café Zürich façade Ærøskøbing https://x.org"
)
SCRIPTS = (
    "Die Kündigungsfrist beträgt drei Monate.",
    "検索拡張生成は、文書を検索してから回答を生成します。",
    "계약 기간은 삼 년입니다.",
    "Договор вступает в силу со дня подписания.",
    "يدفع المستأجر الإيجار في اليوم الثالث.",
    "השוכר משלם את דמי השכירות.",
    "ผู้เช่าชำระค่าเช่าทุกเดือน",
    "किरायेदार हर महीने किराया देता है।",
    "🚀🔥 emoji 👩‍👩‍👧‍👦 family 🇨🇭 flag",
    "ﬁne ligatures and ﬀ, ½ ² ℃ ™",
    "zero\u200bwidth soft\u00adhyphen nbsp\u00a0here \ufeffbom",
    "combining e\u0301 a\u0308 n\u0303 \u0645\u064e",
    "tabs\tand\nnew\r\nlines \u2028 separators",
    "∑∫√∞≠≤ αβγδ x² + y² = z²",
    "𝕸𝖆𝖙𝖍 𝒜𝓁𝓅𝒽𝒶 𐍈 gothic",
    "ALL CAPS and MiXeD CaSe İstanbul ß ẞ",
    "control \x01\x02 chars \x7f",
    "a" * 150,
    "....!!!???---___",
    "[MASK] [SEP] [CLS] [UNK] [PAD] special words",
)


def varied_texts(embedder: ClosableEmbedder) -> list[str]:
    """Some 300 texts: every second token count up to the window, many scripts alone and mixed, and the golden ones."""
    rng = random.Random(20)
    words_of = SENTENCE.split()
    lengths = []
    for tokens in range(2, embedder.max_tokens + 1, 2):
        words = " ".join(rng.choices(words_of, k=tokens))
        lengths.append(words[: embedder.tokenizer.offsets(words)[tokens - 1][1]])
    mixed = [" ".join(rng.sample(SCRIPTS, 3)) for _ in range(140)]
    fitting = [text for text in mixed if len(embedder.tokenizer.offsets(text)) <= embedder.max_tokens]
    return [*lengths, *SCRIPTS, *fitting, *minilm_golden().texts, "", " ", "a"]


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def minilm(cache_dir: Path) -> Iterator[ClosableEmbedder]:
    embedder = load_embedder("minilm", cache_dir=cache_dir)
    yield embedder
    embedder.close()


@pytest.fixture(scope="module")
def texts(minilm: ClosableEmbedder) -> list[str]:
    return varied_texts(minilm)


@pytest.fixture(scope="module")
def peer(texts: list[str], cache_dir: Path) -> Any:
    if not PEER.exists():
        reason = "no .peers/sentence-transformers: run tests/peers/install.sh"
        pytest.fail(reason) if os.environ.get("FOOTNOTE_REQUIRE_PEERS") == "1" else pytest.skip(reason)
    out = cache_dir / "reference.npz"
    script = Path(__file__).with_name("sentence_transformers_reference.py")
    command = [PEER, script, find_minilm(cache_dir=cache_dir), out]
    run = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return np.load(out)


def cosines(ours: Any, theirs: Any) -> Any:
    return np.einsum("ij,ij->i", ours.astype(np.float64), theirs.astype(np.float64))


def test_the_texts_are_many_long_and_varied(minilm: ClosableEmbedder, texts: list[str]) -> None:
    counts = [len(minilm.tokenizer.offsets(text)) for text in texts]
    assert len(texts) >= 280
    assert max(counts) == minilm.max_tokens
    assert sum(count > 128 for count in counts) >= 60  # beyond the limit baked into the model's tokenizer file


def test_every_vector_equals_sentence_transformers(minilm: ClosableEmbedder, texts: list[str], peer: Any) -> None:
    ours = minilm.embed(texts)
    assert cosines(ours, peer["reference"]).min() >= 0.99999
    np.testing.assert_allclose(ours, peer["reference"], atol=2e-6)


def test_int8_stays_near_sentence_transformers(cache_dir: Path, texts: list[str], peer: Any) -> None:
    rounded = load_embedder("minilm:int8", cache_dir=cache_dir)
    near = cosines(rounded.embed(texts), peer["reference"])
    rounded.close()
    assert near.mean() >= 0.998
    assert near.min() >= 0.99


def test_the_golden_vectors_are_still_what_the_package_says(texts: list[str], peer: Any) -> None:
    golden = minilm_golden()
    rows = [texts.index(text) for text in golden.texts]
    assert cosines(golden.vectors, peer["reference"][rows]).min() >= 0.999999


def test_the_adapter_over_the_package_says_the_same(minilm: ClosableEmbedder, texts: list[str], peer: Any) -> None:
    for way in ("foreground", "background"):
        assert cosines(peer[way], peer["reference"][:: int(peer["every"])]).min() >= 0.99999
    assert int(peer["max_tokens"]) == minilm.max_tokens
    assert int(peer["dimensions"]) == minilm.dimensions
    offsets = [[tuple(pair) for pair in text] for text in json.loads(str(peer["offsets"]))]
    assert offsets == [minilm.tokenizer.offsets(text) for text in texts]


def test_the_adapter_refuses_what_the_package_would_cut(peer: Any) -> None:
    assert "255 tokens, at most 254" in str(peer["refusal"])
    assert str(peer["fingerprint"]).startswith("sentence-transformers:")
