"""Sentences: the cases people notice when they go wrong, and the properties a citation relies on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sentences import sentence_spans


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["It works.", "It is fast!", "Is it?", "Yes."],
        ["Use a tool, e.g. Footnote, to cite.", "Dr. Smith and Mrs. Jones agree."],
        ["Pi is 3.14 and the site is example.org today.", "The rest follows."],
        ["J. R. R. Tolkien wrote it.", "He lived in the U.S. Army barracks, or so."],
        ["He moved to the U.S.", "Then he took vitamin C.", "It helped."],
        ["Wait... what is that?", "Nothing."],
        ["She wrote to Acme Inc. in May.", "They replied at 5 p.m. sharp."],
        ["“It is late.”", "He left (at last).", "Gone."],
        ["Claims need proof.[1][23]", "This one has it."],
        ["Am 3. Oktober war es soweit.", "Im 19. Jahrhundert nicht."],
        ["Es waren 12.", "Dann kam z. B. Anna, bzw. niemand."],
        ["See Fig. 3 and No. 7 for more.", "Done."],
        ["Yahoo! is a company.", "Really."],
        ["¿Qué es esto?", "Es una prueba.", "¡Muy bien!"],
        ["Это предложение.", "А это второе, т.е. последнее."],
    ],
)
def test_sentences_joined_by_a_space_are_found_again(sentences: list[str]) -> None:
    assert split(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["今天天气很好。", "我们去公园吧！", "你来吗？"],
        ["彼は「行こう。」", "と言った。"],
        ["यह पहला वाक्य है।", "यह दूसरा है॥"],
    ],
)
def test_marks_of_other_scripts_need_no_space(sentences: list[str]) -> None:
    assert split("".join(sentences)) == sentences


def test_a_wrapped_paragraph_is_not_cut_at_its_line_ends() -> None:
    wrapped = (
        "The committee of the society met in the old town hall of\n"
        "Paris on a Monday, and it decided that the annual report\n"
        "would be printed. Nobody objected to it."
    )
    assert len(split(wrapped)) == 2


def test_the_lines_of_a_list_are_sentences_of_their_own() -> None:
    assert split("flour\nsugar\nbutter") == ["flour", "sugar", "butter"]
    rows = [
        "Name: Ada · Born: 1815",
        "Name: Grace Brewster Hopper · Born: 1906 · Died: 1992",
        "Name: Al · Born: 1",
    ]
    assert split("\n".join(rows)) == rows


def test_numbering_stays_with_its_item() -> None:
    assert split("1. Install it.\n2. Run it.\n3. Done.") == ["1. Install it.", "2. Run it.", "3. Done."]


def test_a_blank_line_always_ends_a_sentence() -> None:
    assert split("A title without a mark\n\nand its text") == ["A title without a mark", "and its text"]


@given(st.text(alphabet=st.sampled_from(list("ab A1.!?…。।\n\n\t \u3000'”)-e.g")) | st.characters(), max_size=300))
def test_spans_hold_every_visible_character_once(text: str) -> None:
    spans = sentence_spans(text)
    flat = [position for span in spans for position in span]
    assert flat == sorted(flat)
    covered = set[int]()
    for start, end in spans:
        assert text[start:end] == text[start:end].strip() != ""
        covered.update(range(start, end))
    assert all(character.isspace() for position, character in enumerate(text) if position not in covered)


@given(st.text(max_size=120), st.text(max_size=120))
def test_paragraphs_are_split_alike_alone_and_together(first: str, second: str) -> None:
    assert split(first.strip() + "\n\n" + second.strip()) == split(first.strip()) + split(second.strip())
