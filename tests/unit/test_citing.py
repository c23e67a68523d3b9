"""Every marker is bound to exact words, or says that it is not."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.citing import cite, claims
from app.core.types import Quote, Verdict
from tests.unit.sources import source

LOAN = "A pressure washer may be borrowed for three days. A fee of two euros is due."


def verdicts(answer: str, *contents: str) -> list[tuple[int, Verdict, str | None]]:
    sources = [source(content, marker) for marker, content in enumerate(contents, 1)]
    return [(each.marker, each.verdict, each.quote) for each in cite(answer, sources)]


@pytest.mark.parametrize(
    ("answer", "verdict", "quote"),
    [
        ("A pressure washer may be borrowed for three days [1].", Verdict.VERBATIM, LOAN[:48]),
        ("A pressure washer may be borrowed for three days. [1]", Verdict.VERBATIM, LOAN[:48]),
        ("a pressure  washer may be BORROWED for three days [1].", Verdict.NORMALISED, LOAN[:48]),
        ("You may have it for a week [1].", Verdict.UNVERIFIED, LOAN),
        ('It says "borrowed for three days" there [1].', Verdict.VERBATIM, "borrowed for three days"),
        ("It says “Borrowed for  three days” there [1].", Verdict.NORMALISED, "borrowed for three days"),
        ("A pressure washer may be borrowed for three days [7].", Verdict.FABRICATED, None),
    ],
)
def test_a_citation_says_how_well_it_holds(answer: str, verdict: Verdict, quote: str | None) -> None:
    (citation,) = cite(answer, [source(LOAN)])
    assert (citation.verdict, citation.quote) == (verdict, quote)
    assert (citation.document_id is None) == (verdict is Verdict.FABRICATED)


@pytest.mark.parametrize("markers", ["[1][2]", "[1, 2]", "[1,2]", "[1; 2]", "[1] [2]"])
def test_several_markers_cite_the_same_words(markers: str) -> None:
    same = "A fee of two euros is due."
    assert verdicts(f"A fee of two euros is due {markers}.", same, same) == [
        (1, Verdict.VERBATIM, same[:-1]),
        (2, Verdict.VERBATIM, same[:-1]),
    ]


def test_each_marker_stands_for_its_own_sentence() -> None:
    answer = "It rains. Three days are allowed [1]. The fee is two euros [2]. Nothing cited."
    assert [(marker, answer[start:end]) for marker, start, end in claims(answer)] == [
        (1, "Three days are allowed"),
        (2, "The fee is two euros"),
    ]


@pytest.mark.parametrize("answer", ["No marker.", "[x] [1 2] [] [12345]", "array[0", "", "(1)"])
def test_what_is_no_marker_cites_nothing(answer: str) -> None:
    assert cite(answer, [source(LOAN)]) == ()


def test_a_quotation_of_known_offsets_is_exact() -> None:
    found = source(LOAN)
    start = found.hit.start + LOAN.index("A fee")
    answer = "A fee of two euros is due. [1]"
    quote = Quote(1, start, start + 26, 0, 26)
    (citation,) = cite(answer, [found], [quote])
    assert (citation.verdict, citation.quote, citation.start, citation.end) == (
        Verdict.VERBATIM,
        answer[:26],
        start,
        start + 26,
    )


@pytest.mark.parametrize("quote", [Quote(1, 8, 20, 0, 26), Quote(1, 0, 26, 0, 26), Quote(9, 58, 84, 0, 26)])
def test_a_quotation_that_does_not_hold_is_not_taken_at_its_word(quote: Quote) -> None:
    (citation, *_) = cite("Something never said here. [1]", [source(LOAN)], [quote])
    assert citation.verdict in (Verdict.UNVERIFIED, Verdict.FABRICATED)


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            ["[1]", "[2]", "[3]", "[1, 2]", "[99]", ". ", "\n", '"', "“", "”", LOAN, "Straße ", "ﬁne ", "ß"]
        ),
        st.text(max_size=12),
    ),
    max_size=14,
).map("".join)


@given(
    answer=PIECES, contents=st.lists(st.one_of(st.just(LOAN), st.text(min_size=1, max_size=60)), min_size=1, max_size=3)
)
def test_every_citation_is_an_exact_slice_of_both_texts(answer: str, contents: list[str]) -> None:
    answer = answer.encode("utf-8", "ignore").decode()
    sources = [source(text.encode("utf-8", "replace").decode(), marker) for marker, text in enumerate(contents, 1)]
    citations = cite(answer, sources)
    assert len(citations) == len(list(claims(answer)))
    for citation in citations:
        assert 0 <= citation.answer_start <= citation.answer_end <= len(answer)
        known = 1 <= citation.marker <= len(sources)
        assert (citation.verdict is Verdict.FABRICATED) == (not known)
        if known:
            hit = sources[citation.marker - 1].hit
            text = "Before. " + hit.content
            assert citation.start is not None
            assert citation.end is not None
            assert hit.start <= citation.start < citation.end <= hit.end
            assert text[citation.start : citation.end] == citation.quote
            assert citation.quote_sha256 == hashlib.sha256(citation.quote.encode()).hexdigest()
            cited = text[citation.start : citation.end]
            assert hashlib.sha256(cited.encode()).hexdigest() == citation.quote_sha256
            if citation.verdict is Verdict.VERBATIM:
                assert citation.quote in answer[citation.answer_start : citation.answer_end]
