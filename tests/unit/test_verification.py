"""Anyone can re-check an answer, and nobody can change one unseen."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.citing import cite, sha256
from app.core.tracing import describe_citation
from app.core.types import Source
from app.core.verification import Checked, answer_text, texts_needed, verify
from app.dialects.chunks import document_chunks
from tests.unit.sources import hit

TEXT = "Preface. A pressure washer may be borrowed for three days. A fee of two euros is due. Appendix."
CONTENT = TEXT[9:85]
SAID = "A pressure washer may be borrowed for three days [1]. It is cheap [1]. Nobody said this [4]."


def answer() -> dict[str, Any]:
    found = hit(CONTENT, before=TEXT[:9], after=TEXT[85:])
    citations = cite(SAID, [Source(1, found)])
    return {
        "choices": [{"message": {"content": SAID}}],
        "citations": [describe_citation(each) for each in citations],
        "document_chunks": document_chunks([found], citations),
    }


def check(said: dict[str, Any]) -> list[Checked]:
    return verify(said, {sha256(TEXT): TEXT})


def test_an_untouched_answer_holds_but_for_what_was_made_up() -> None:
    assert [(each.what, each.valid) for each in check(answer())] == [
        ("citation", True),
        ("citation", True),
        ("citation", False),
        ("document_chunk", True),
    ]
    assert "names no source" in check(answer())[2].reason
    assert texts_needed(answer()) == {sha256(TEXT)}
    assert answer_text(answer()) == SAID


@given(data=st.data())
def test_any_change_of_a_quote_a_content_an_offset_or_a_hash_is_seen(data: st.DataObject) -> None:
    changed = copy.deepcopy(answer())
    part, names = data.draw(
        st.sampled_from(
            [
                (0, ("quote", "start", "end", "quote_sha256", "text_sha256")),
                (1, ("quote", "start", "end", "quote_sha256", "text_sha256")),
                (3, ("content", "start", "end", "text_sha256")),
            ]
        )
    )
    item = changed["document_chunks"][0] if part == 3 else changed["citations"][part]
    name = data.draw(st.sampled_from(names))
    value = item[name]
    if isinstance(value, int):
        item[name] = data.draw(st.integers(-200, 200).filter(lambda other: other != value))
    else:
        at = data.draw(st.integers(0, len(value) - 1))
        kind = data.draw(st.sampled_from(["replace", "delete", "insert"]))
        letter = data.draw(st.characters(codec="utf-8"))
        rest = value[at:] if kind == "insert" else value[at + 1 :]
        item[name] = value[:at] + ("" if kind == "delete" else letter) + rest
        if item[name] == value:
            return
    assert not check(changed)[part].valid


@given(st.text(max_size=120).filter(lambda said: CONTENT[:48] not in said))
def test_an_answer_that_no_longer_says_its_quote_is_seen(said: str) -> None:
    changed = answer()
    changed["choices"][0]["message"]["content"] = said
    assert not check(changed)[0].valid


def test_a_text_that_is_not_what_its_hash_says_is_not_trusted() -> None:
    forged = TEXT.replace("three", "eight")
    assert not any(each.valid for each in verify(answer(), {sha256(TEXT): forged}))


def test_without_its_text_nothing_can_be_said_to_hold() -> None:
    checked = verify(answer(), {})
    assert not any(each.valid for each in checked)
    assert "no text with sha256" in checked[0].reason


def test_a_shortened_content_holds_if_it_is_the_beginning() -> None:
    shortened = answer()
    chunk = shortened["document_chunks"][0]
    chunk |= {"content": chunk["content"][:15], "content_truncated": True}
    assert check(shortened)[-1].valid
    chunk["content"] = chunk["content"][1:]
    assert not check(shortened)[-1].valid


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["quote", "start", "end", "marker", "text_sha256", "verdict", "message"]), inner, max_size=5
        )
    ),
    max_leaves=12,
)


@given(
    st.fixed_dictionaries({}, optional={"citations": JSON, "document_chunks": JSON, "choices": JSON, "answer": JSON})
)
def test_any_json_can_be_checked_and_nonsense_never_holds(nonsense: dict[str, Any]) -> None:
    assert not any(each.valid for each in check(nonsense))
    texts_needed(nonsense)


@pytest.mark.parametrize("said", [{}, {"citations": None}, {"citations": []}, {"answer": "x"}])
def test_an_answer_without_citations_has_nothing_to_check(said: dict[str, Any]) -> None:
    assert check(said) == []
