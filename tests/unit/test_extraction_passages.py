"""The units of a chunk: exact, complete, and of the right kind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.core.extractive.passages import UnitKind, units_of
from app.core.types import Hit, Source


def source(content: str, heading_path: tuple[str, ...] = ()) -> Source:
    return Source(1, Hit(1, 1, 1, "a.txt", content, 0, len(content), "", 0.5, None, heading_path))


def kinds(content: str, heading_path: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(unit.kind.value, unit.text) for unit in units_of(source(content, heading_path))]


def test_a_heading_is_told_from_the_sentence_below_it() -> None:
    assert kinds("Late returns\n\nThe first day is forgiven. Then it is £6.") == [
        ("heading", "Late returns"),
        ("sentence", "The first day is forgiven."),
        ("sentence", "Then it is £6."),
    ]


def test_the_heading_path_names_a_heading_whatever_it_looks_like() -> None:
    assert kinds("Late, later, latest.\n\nIt is £6.", ("Late, later, latest.",))[0][0] == "heading"


def test_lines_of_a_schedule_are_rows() -> None:
    content = "Tuesday    10:00 to 14:00\nThursday   15:00 to 20:00\nFriday     10:00 to 14:00"
    assert [kind for kind, _ in kinds(content)] == ["row"] * 3


def test_a_short_list_item_keeps_its_sentences_together() -> None:
    assert kinds("Do this:\n- Ring us. We answer at once.\n- Come in.") == [
        ("sentence", "Do this:"),
        ("item", "- Ring us. We answer at once."),
        ("item", "- Come in."),
    ]


def test_a_question_in_the_text_is_the_heading_of_its_answer() -> None:
    units = units_of(source("May I bring a dog? Guide dogs are welcome."))
    assert units[0].kind is UnitKind.HEADING
    assert units[1].context == "May I bring a dog?"


def test_the_last_heading_of_the_path_is_the_first_context() -> None:
    assert units_of(source("It is £6.", ("Rules", "Late returns")))[0].context == "Late returns"


def test_rows_of_equal_length_are_not_taken_for_a_wrapped_paragraph() -> None:
    rows = [f"Thing: {name} of the house · Shelf: Green · Loan days: 14" for name in ("Drill", "Press", "Clamp")]
    assert kinds("\n".join(rows)) == [("row", row) for row in rows]


def test_a_line_of_capitals_is_a_heading() -> None:
    assert kinds("LENDING DESK\nTuesday 10:00")[0] == ("heading", "LENDING DESK")


@given(st.text(st.sampled_from("ab .!?:\n-|·\t1#。我👩\u200d"), max_size=120))
def test_units_hold_all_but_white_space_in_order(content: str) -> None:
    units = units_of(source(content))
    position = 0
    for index, unit in enumerate(units):
        assert unit.index == index
        assert not content[position : unit.start].strip()
        assert unit.text == unit.text.strip() != ""
        position = unit.end
    assert not content[position:].strip()
