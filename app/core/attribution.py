"""Who an answer is owed to: its cited characters, shared out over documents, repositories, addresses and sites.

Shares are fractions from 0 to 1 in steps of 2**-30. Such fractions add up without rounding: those of one kind give
exactly 1, in any order, or there are none because nothing is cited.
"""

from __future__ import annotations

import itertools
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import urlsplit

from app.core.types import Citation, Hit, Json, Verdict

STEPS = 2**30
UNKNOWN_DOMAIN = "unknown"  # of the documents that name no address

Shares = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Attribution:
    """The shares of one answer, each kind by its own key."""

    documents: Shares  # SHA-256 of the canonical text
    repositories: Shares  # see repository_uuid
    urls: Shares  # `urn:sha256:<text_sha256>` for a document without an address
    domains: Shares


def attribute(citations: Sequence[Citation], hits: Sequence[Hit]) -> Attribution:
    """The shares of the documents that these citations name; marker n is the n-th hit.

    Each cited character of the answer counts once: where several documents are cited for it, they share it equally.
    """
    credit = _credit(citations, hits)
    sources = {hit.text_sha256: hit for hit in reversed(hits)}  # of equal texts the better hit speaks
    return Attribution(
        documents=_shares(credit, lambda text: text),
        repositories=_shares(credit, lambda text: repository_uuid(sources[text].repository_id)),
        urls=_shares(credit, lambda text: address_of(sources[text].attributes) or f"urn:sha256:{text}"),
        domains=_shares(credit, lambda text: domain_of(sources[text].attributes) or UNKNOWN_DOMAIN),
    )


def repository_uuid(repository_id: int) -> str:
    """The same UUID for a repository, always."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:footnote:repository:{repository_id}"))


def address_of(attributes: Mapping[str, Json]) -> str | None:
    """A document's URL, where its attributes have one."""
    url = attributes.get("url")
    return url if isinstance(url, str) and url else None


def domain_of(attributes: Mapping[str, Json]) -> str | None:
    """A document's site: the attribute `domain`, else the host of its URL."""
    named = attributes.get("domain")
    if isinstance(named, str) and named:
        return named
    try:
        return urlsplit(address_of(attributes) or "").hostname
    except ValueError:  # a URL that is none
        return None


def _credit(citations: Sequence[Citation], hits: Sequence[Hit]) -> dict[str, Fraction]:
    """Cited characters of the answer by document text."""
    ranges: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for citation in citations:
        if citation.verdict is not Verdict.FABRICATED and citation.answer_end > citation.answer_start:
            text = hits[citation.marker - 1].text_sha256
            ranges[text].append((citation.answer_start, citation.answer_end))
    edges = sorted({edge for each in ranges.values() for span in each for edge in span})
    credit: dict[str, Fraction] = defaultdict(Fraction)
    for start, end in itertools.pairwise(edges):
        owed = [text for text, spans in ranges.items() if any(a <= start and end <= b for a, b in spans)]
        for text in owed:
            credit[text] += Fraction(end - start, len(owed))
    return credit


def _shares(credit: Mapping[str, Fraction], key: Callable[[str], str]) -> Shares:
    """Fractions of the whole by key, largest remainders rounded up until they add to 1."""
    by_key: dict[str, Fraction] = defaultdict(Fraction)
    for text, owed in credit.items():
        by_key[key(text)] += owed
    whole = sum(by_key.values())
    exact = {each: owed * STEPS / whole for each, owed in by_key.items()}
    steps = {each: int(share) for each, share in exact.items()}
    left_over = STEPS - sum(steps.values()) if steps else 0
    for each in sorted(exact, key=lambda each: (steps[each] - exact[each], each))[:left_over]:
        steps[each] += 1
    return {each: steps[each] / STEPS for each in sorted(steps, key=lambda each: (-steps[each], each))}
