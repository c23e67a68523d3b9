"""What a question seeks, what bears it, and which words count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.extractive.questions import Sought, bears, sought
from app.core.extractive.wording import content_terms, word_count


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How much does a delivery cost?", Sought.MONEY),
        ("Was kostet ein Bohrer?", Sought.MONEY),
        ("How many people came?", Sought.NUMBER),
        ("Wie viele Punkte gab die Verteidigung ab?", Sought.NUMBER),
        ("Сколько очков уступила защита?", Sought.NUMBER),
        ("黑豹队的防守丢了多少分？", Sought.NUMBER),
        ("When did the crisis begin?", Sought.TIME),
        ("¿En qué año nació?", Sought.TIME),
        ("Who wrote it?", Sought.PERSON),
        ("Wer führte die Panthers an?", Sought.PERSON),
        ("Where is it kept?", Sought.PLACE),
        ("Pourquoi est-ce fermé ?", Sought.REASON),
        ("How do I reset the device?", Sought.STEPS),
        ("如何安装？", Sought.STEPS),
        ("What are the three sources of law?", Sought.LIST),
        ("What is a near miss?", Sought.DEFINITION),
        ("Does it rain?", Sought.OTHER),
        ("", Sought.OTHER),
    ],
)
def test_the_kind_of_answer_a_question_seeks(question: str, kind: Sought) -> None:
    assert sought(question) is kind


@pytest.mark.parametrize(
    ("kind", "sentence", "question", "expected"),
    [
        (Sought.NUMBER, "It has 639 stores.", "How many stores?", True),
        (Sought.NUMBER, "It won in 2015.", "How many games in 2015?", False),
        (Sought.MONEY, "The fee is £5.", "What does it cost?", True),
        (Sought.MONEY, "The fee is low.", "What does it cost?", False),
        (Sought.TIME, "It began in October.", "When did it begin?", True),
        (Sought.PERSON, "The library was founded by Ottilie Brandt.", "Who founded the library?", True),
        (Sought.PERSON, "The library was founded by two friends.", "Who founded the library?", False),
        (Sought.REASON, "It closed because the river rose.", "Why did it close?", True),
        (Sought.OTHER, "It closed in 1999.", "Did it close?", False),
    ],
)
def test_whether_a_sentence_bears_it(kind: Sought, sentence: str, question: str, expected: bool) -> None:
    assert bears(kind, sentence, question) is expected


def test_inflected_words_meet_in_one_stem() -> None:
    assert content_terms("bikes") == content_terms("bike")
    assert content_terms("renewed") == content_terms("renewing")
    assert content_terms("The what and of") == []


def test_scripts_without_spaces_give_pairs_of_characters() -> None:
    assert content_terms("防守丢") == ["防守", "守丢"]


def test_vowel_signs_stay_with_their_letters() -> None:
    assert len(content_terms("हिन्दी भाषा")) == 2


def test_words_are_counted_in_every_script() -> None:
    assert word_count("one two three") == 3
    assert word_count("黑豹队的防守丢了") == 4


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert all(content_terms(text))
    assert word_count(text) >= 0
    for kind in Sought:
        assert bears(kind, text, "") in {True, False}
    assert sought(text) in Sought
