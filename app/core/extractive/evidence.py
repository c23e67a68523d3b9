"""How well each unit of the sources supports an answer, and how much support an answer needs.

Every weight here was measured by `bench/extractive.py`; change none without running it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.core.extractive.passages import Unit, UnitKind, is_dangling
from app.core.extractive.questions import Sought, bears, sought
from app.core.extractive.wording import content_terms

MAX_CANDIDATES = 12  # units embedded for a question, some 5 ms each; 24 find no more answers, 8 find fewer
SUPPORT_BAR = 0.42  # refuses 2 % of the answerable, 86% of questions off the topic (with all-MiniLM-L6-v2)

_SIMILARITY = 0.60
_COVERAGE = 0.44
_CONTEXT = 0.50
_KIND = 0.25
_SOURCE = 0.15


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit, and how its words fit the question."""

    unit: Unit
    terms: frozenset[str]
    coverage: float  # idf-weighted share of the question's words that it says, 0..1
    context: float  # the further share that the heading above it (or the sentence it leans on) says
    fits: bool  # it holds the kind of thing the question seeks
    behind: float  # how far its source's score lies behind the best source's, 0..1

    @property
    def wording(self) -> float:
        """The part of the score that needs no embedding."""
        fit = _KIND if self.fits else 0.0
        return _COVERAGE * self.coverage + _CONTEXT * self.context + fit - _SOURCE * self.behind


@dataclass(frozen=True, slots=True)
class Evidence:
    """A candidate with its similarity to the question."""

    candidate: Candidate
    similarity: float  # cosine, -1..1
    score: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "score", self.candidate.wording + _SIMILARITY * self.similarity)


def candidates(question: str, units: Sequence[Unit]) -> list[Candidate]:
    """The units worth embedding, at most MAX_CANDIDATES, in reading order.

    Headings are none of them, unless there is nothing else.
    """
    terms = [frozenset(content_terms(unit.text)) for unit in units]
    weights = _idf(content_terms(question), terms)
    total = sum(weights.values()) or 1.0
    kind = sought(question)
    best_source = max((unit.source.hit.score for unit in units), default=0.0)
    only_headings = all(unit.kind is UnitKind.HEADING for unit in units)
    found: list[Candidate] = []
    for position, unit in enumerate(units):
        if unit.kind is UnitKind.HEADING and not only_headings:
            continue
        above = frozenset(content_terms(unit.context))
        if unit.index > 0 and is_dangling(unit):
            above |= terms[position - 1]
        found.append(
            Candidate(
                unit,
                terms[position],
                coverage=sum(weight for term, weight in weights.items() if term in terms[position]) / total,
                context=sum(w for term, w in weights.items() if term in above and term not in terms[position]) / total,
                fits=_fits(kind, unit, question),
                behind=best_source - unit.source.hit.score,
            )
        )
    kept = sorted(range(len(found)), key=lambda i: -found[i].wording)[:MAX_CANDIDATES]
    return [found[i] for i in sorted(kept)]


def ranked(found: Sequence[Candidate], similarities: Sequence[float]) -> list[Evidence]:
    """The candidates as evidence, best first; ties in reading order."""
    evidence = [Evidence(candidate, cosine) for candidate, cosine in zip(found, similarities, strict=True)]
    return sorted(evidence, key=lambda item: -item.score)


def support(evidence: Sequence[Evidence]) -> float:
    """How much all the evidence, best first, speaks for the question being answered here; compare SUPPORT_BAR."""
    best = evidence[0].candidate
    closest = max(item.similarity for item in evidence)
    return closest + 0.35 * best.coverage + 0.65 * best.context


def _idf(question_terms: Sequence[str], units: Sequence[frozenset[str]]) -> dict[str, float]:
    return {
        term: math.log(1 + len(units) / (sum(term in terms for terms in units) + 0.5))
        for term in dict.fromkeys(question_terms)
    }


def _fits(kind: Sought, unit: Unit, question: str) -> bool:
    if kind in {Sought.STEPS, Sought.LIST}:
        return unit.kind is UnitKind.ITEM
    return bears(kind, unit.text, question)
