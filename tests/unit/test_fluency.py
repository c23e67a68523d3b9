"""How well a model can read a question, told by its vocabulary."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.fluency import fluency, piece_length
from ingest.embedders.load import ClosableEmbedder, load_embedder


class Letters:
    """A vocabulary of single characters."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return [(at, at + 1) for at, character in enumerate(text) if not character.isspace()]


class Pieces:
    """A vocabulary whose pieces are all of one length."""

    def __init__(self, length: int) -> None:
        self._length = length

    def offsets(self, text: str) -> list[tuple[int, int]]:
        found, at = [], 0
        for word in text.split():
            start = text.index(word, at)
            at = start + len(word)
            found += [(piece, min(piece + self._length, at)) for piece in range(start, at, self._length)]
        return found


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClosableEmbedder]:
    embedder = load_embedder(
        "all-MiniLM-L6-v2", cache_dir=tmp_path_factory.mktemp("models"), threads=1, allow_download=False
    )
    yield embedder
    embedder.close()


@pytest.mark.parametrize(
    ("question", "least", "most"),
    [
        ("How long may I borrow a pressure washer?", 1.0, 1.0),
        ("What is the pKa of acetylsalicylic acid?", 0.5, 1.0),
        ("Wie lange darf ich einen Hochdruckreiniger ausleihen?", 0.2, 0.9),
        ("¿Cuánto tiempo puedo tomar prestada una hidrolavadora?", 0.2, 0.95),
        ("Как долго можно пользоваться мойкой высокого давления?", 0.0, 0.05),
        ("كم من الوقت يمكنني استعارة غسالة الضغط؟", 0.0, 0.05),
        ("我可以借用高压清洗机多长时间？", 0.0, 0.05),
        ("ฉันสามารถยืมเครื่องฉีดน้ำแรงดันสูงได้นานแค่ไหน", 0.0, 0.05),
    ],
)
def test_minilm_reads_english_and_no_other_script(
    minilm: ClosableEmbedder, question: str, least: float, most: float
) -> None:
    assert least <= fluency(question, minilm.tokenizer) <= most


def test_a_vocabulary_of_letters_reads_nothing_and_one_of_words_everything() -> None:
    question = "Wie lange darf ich Hochdruckreiniger ausleihen"
    assert fluency(question, Letters()) == 0.0
    assert fluency(question, Pieces(99)) == 1.0


WORDS = st.text(st.characters(categories=["Lu", "Ll", "Lo"]), min_size=1, max_size=6)


@given(st.lists(WORDS, max_size=9), st.integers(1, 9))
def test_longer_pieces_never_read_less(words: list[str], length: int) -> None:
    question = " ".join(words)
    short, long = (fluency(question, Pieces(each)) for each in (length, length * 2))
    assert 0 <= short <= long <= 1


@given(st.text(max_size=60), st.integers(1, 9))
def test_it_is_a_share_whatever_is_asked(question: str, length: int) -> None:
    assert 0 <= fluency(question, Pieces(length)) <= 1


@pytest.mark.parametrize("question", ["", "?!", "   ", "___"])
def test_a_question_without_words_is_read(question: str) -> None:
    assert piece_length(question, Letters()) is None
    assert fluency(question, Letters()) == 1.0
