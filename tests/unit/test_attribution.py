"""Credit shares: each cited character once, exactly 1 in sum, and nothing for what is not cited."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.attribution import UNKNOWN_DOMAIN, Attribution, attribute, domain_of, repository_uuid
from app.core.types import Citation, Hit, Json, Verdict

URLS = st.sampled_from([None, "", "https://a.example/1", "https://a.example/2", "http://b.example:8080/x", "no url", 7])
SPANS = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted)


def hit(number: int, **attributes: Json) -> Hit:
    """A chunk of a document of its own, two documents a repository."""
    return Hit(
        number, number, 1 + number // 2, f"{number}.txt", "text", 0, 4, f"sha-{number}", 0.5, attributes=attributes
    )


def cited(marker: int, start: int, end: int, verdict: Verdict = Verdict.VERBATIM) -> Citation:
    return Citation(marker, verdict, start, end)


def kinds(found: Attribution) -> list[dict[str, float]]:
    return [dict(each) for each in (found.documents, found.repositories, found.urls, found.domains)]


@given(
    st.lists(URLS, min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(1, 6), SPANS, st.booleans()), max_size=12),
)
def test_shares_add_to_exactly_1_or_there_are_none(urls: list[Json], uses: list[tuple[int, list[int], bool]]) -> None:
    hits = [hit(number, url=url) for number, url in enumerate(urls, 1)]
    citations = [
        cited(marker, span[0], span[1], Verdict.FABRICATED if made_up or marker > len(hits) else Verdict.NORMALISED)
        for marker, span, made_up in uses
    ]
    found = attribute(citations, hits)
    characters = {
        (each.marker, at)
        for each in citations
        if each.verdict is not Verdict.FABRICATED
        for at in range(each.answer_start, each.answer_end)
    }
    for shares in kinds(found):
        assert all(share >= 0 for share in shares.values())
        for order in (list(shares.values()), list(reversed(shares.values())), sorted(shares.values())):
            total = 0.0
            for share in order:
                total += share
            assert total == (1 if characters else 0)
    owed = {marker: sum(1 / len({m for m, a in characters if a == at}) for m, at in characters if m == marker)
            for marker in {marker for marker, _ in characters}}  # fmt: skip
    for marker, characters_owed in owed.items():
        share = found.documents[f"sha-{marker}"]
        assert share == pytest.approx(characters_owed / sum(owed.values()), abs=2**-29)
    assert found.documents.keys() == {f"sha-{marker}" for marker in owed}


def test_overlapping_citations_of_a_document_count_once() -> None:
    hits = [hit(1), hit(2)]
    found = attribute([cited(1, 0, 10), cited(1, 5, 10), cited(1, 0, 10), cited(2, 20, 30)], hits)
    assert found.documents == {"sha-1": 0.5, "sha-2": 0.5}


def test_documents_cited_for_the_same_words_share_them() -> None:
    found = attribute([cited(1, 0, 10), cited(2, 0, 10), cited(2, 10, 20)], [hit(1), hit(2)])
    assert found.documents == {"sha-2": 0.75, "sha-1": 0.25}


def test_shares_are_summed_up_by_repository_address_and_site() -> None:
    hits = [hit(2, url="https://a.example/1"), hit(3, url="https://a.example/2"), hit(4)]
    found = attribute([cited(1, 0, 1), cited(2, 1, 2), cited(3, 2, 4)], hits)
    assert found.repositories == {repository_uuid(2): 0.5, repository_uuid(3): 0.5}
    assert found.urls == {"urn:sha256:sha-4": 0.5, "https://a.example/1": 0.25, "https://a.example/2": 0.25}
    assert found.domains == {"a.example": 0.5, UNKNOWN_DOMAIN: 0.5}


def test_the_order_of_citations_changes_nothing() -> None:
    citations = [cited(1, 0, 3), cited(2, 2, 9), cited(3, 4, 11), cited(1, 8, 9)]
    found = [attribute(order, [hit(1), hit(2), hit(3)]) for order in permutations(citations)]
    assert all(each == found[0] for each in found)


def test_a_repository_has_one_uuid_for_ever() -> None:
    assert repository_uuid(4) == "3461d7bb-a9c8-5c9b-999b-fdbba232fdde"
    assert len({repository_uuid(each) for each in range(1, 100)}) == 99


@pytest.mark.parametrize(
    ("attributes", "domain"),
    [
        ({"url": "https://www.Example.org:8080/x?y"}, "www.example.org"),
        ({"url": "https://example.org", "domain": "example.net"}, "example.net"),
        ({"url": "http://[broken"}, None),
        ({"url": 5}, None),
        ({}, None),
    ],
)
def test_a_site_is_what_the_attributes_say(attributes: dict[str, Json], domain: str | None) -> None:
    assert domain_of(attributes) == domain
