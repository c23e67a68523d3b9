"""The embedder without a model."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.embedders.hashing import HashingEmbedder
from ingest.types import TextTooLongError

EMBEDDER = HashingEmbedder()


@given(texts=st.lists(st.text(st.characters(), max_size=60), max_size=5))
def test_every_text_has_a_unit_vector(texts: list[str]) -> None:
    vectors = EMBEDDER.embed(texts)
    assert vectors.shape == (len(texts), 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


@given(text=st.text(max_size=100))
def test_offsets_are_ordered_slices_that_leave_only_space_out(text: str) -> None:
    offsets = EMBEDDER.tokenizer.offsets(text)
    assert offsets == sorted(offsets)
    assert "".join(text[start:end] for start, end in offsets) == "".join(text.split())


def test_shared_words_are_near_and_others_far() -> None:
    question, answer, other = EMBEDDER.embed(
        [
            "When does the tenant pay the rent?",
            "The rent is paid by the tenant on the third working day.",
            "Photosynthesis turns light into sugar.",
        ]
    )
    assert question @ answer > question @ other + 0.2


def test_forms_of_a_word_are_nearer_than_strangers() -> None:
    one, many, other = EMBEDDER.embed(["contract", "contracts", "elephants"])
    assert one @ many > one @ other + 0.1


def test_another_process_hashes_the_same() -> None:
    script = (
        "from ingest.embedders.hashing import HashingEmbedder\n"
        "print(HashingEmbedder().embed(['naïve rent'])[0].tobytes().hex())"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == EMBEDDER.embed(["naïve rent"])[0].tobytes().hex()


def test_one_token_too_many_is_an_error() -> None:
    EMBEDDER.embed(["word " * 254])
    with pytest.raises(TextTooLongError, match="255 tokens, at most 254"):
        EMBEDDER.embed(["word " * 255])
