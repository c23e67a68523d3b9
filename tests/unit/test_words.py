"""Text as the word index sees it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.indexes.words import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is wi-fi?", ["what", "is", "wi", "fi"]),
        ("snake_case", ["snake", "case"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("ﬁle №１２", ["file", "no12"]),
        ("東京都", ["東京", "京都"]),
        ("京", ["京"]),
        ("東京Tower2020年", ["東京", "tower2020", "年"]),
        ("サーバー", ["サー", "ーバ", "バー"]),
        ("한국어", ["한국", "국어"]),
        ("किताब में हिन्दी। अच्छा", ["किताब", "में", "हिन्दी", "अच्छा"]),
        ("كِتَابٌ كـــتاب", ["كتاب", "كتاب"]),
        ("שָׁלוֹם", ["שלום"]),
        ("\x00 🧪 —", []),
        ("", []),
    ],
)
def test_words_are_folded_and_unspaced_scripts_are_pairs(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text())
def test_a_word_has_no_space_and_no_upper_case(text: str) -> None:
    for word in words(text):
        assert word
        assert word == word.casefold()
        assert not any(character.isspace() for character in word)


@given(st.text(alphabet="東京都日本語", min_size=1, max_size=20))
def test_every_part_of_an_unspaced_text_shares_its_pairs(text: str) -> None:
    for length in range(2, len(text) + 1):
        assert set(words(text[:length])) <= set(words(text))
