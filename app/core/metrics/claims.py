"""The claims of a text, and whether passages support them: by words, numbers, names and, where possible, meaning.

Stands where RAGAS asks a language model and ALCE an entailment model (TRUE, a T5 of 11 billion parameters): it costs
no call, needs no key and says the same every time, but sees neither negation nor reasoning. German nouns have
capitals and count as names, so that paraphrases are judged more strictly there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.extractive.wording import content_terms
from app.core.metrics.normalising import spoken
from app.core.metrics.sample import Meaning
from app.core.types import Hit
from ingest.sentences import sentence_spans

WORDS = 0.7  # least share of a claim's content words that stand in the passages
MEANING = 0.8  # or least cosine of the claim and one sentence of them
_NUMBER = re.compile(r"\d+(?:[.,'’\u00a0\u202f]\d+)*")
_GROUPED = re.compile(r"(\d)[.,'’\u00a0\u202f](?=\d{3}(?!\d))")
_WORD = re.compile(r"[^\W\d_]+")
_POLAR = frozenset({"yes", "ja", "nein", "doch", "oui", "non", "sí", "sì", "sim", "nee", "да", "нет", "نعم"})


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that says something which can be checked."""

    text: str  # without markers
    start: int  # in the text it is of, markers included
    end: int
    terms: frozenset[str]  # stems of its content words
    numbers: frozenset[str]
    names: frozenset[str]  # stems of the words with a capital that do not begin it


def claims_of(text: str) -> tuple[Claim, ...]:
    """The sentences with at least one content word; a mere yes or no is none."""
    found = (_claim(text, start, end) for start, end in sentence_spans(text))
    return tuple(claim for claim in found if claim.terms)


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk below its headings, as claims are held against it."""

    sentences: tuple[str, ...]
    terms: frozenset[str]
    numbers: frozenset[str]


def passage_of(hit: Hit) -> Passage:
    """Reads a chunk once for all claims."""
    text = "\n\n".join((*hit.heading_path, hit.content))
    sentences = tuple(text[start:end] for start, end in sentence_spans(text))
    return Passage(sentences, frozenset(content_terms(text)), numbers_of(text))


def supports(claim: Claim, passages: Sequence[Passage], meaning: Meaning | None) -> bool:
    """Do these passages, taken together, say what the claim says?

    All its numbers and names must stand in them, and most of its content words; or, instead of the words, one of their
    sentences means the same.
    """
    terms = frozenset[str]().union(*(each.terms for each in passages))
    numbers = frozenset[str]().union(*(each.numbers for each in passages))
    if not passages or not claim.names <= terms or not claim.numbers <= numbers:
        return False
    if len(claim.terms & terms) >= WORDS * len(claim.terms):
        return True
    if meaning is None:
        return False
    return meaning.similarity(claim.text, [sentence for each in passages for sentence in each.sentences]) >= MEANING


def numbers_of(text: str) -> frozenset[str]:
    """The numbers of a text: 1,000 and 1.000 and 1000 are one, so are 2,5 and 2.50."""
    return frozenset(_plain(found) for found in _NUMBER.findall(unicodedata.normalize("NFKC", text)))


def _claim(text: str, start: int, end: int) -> Claim:
    said = " ".join(spoken(text[start:end]).split())
    _, *later = _WORD.findall(said) or [""]
    names = {term for word in later if word[0].isupper() for term in content_terms(word)}
    return Claim(said, start, end, frozenset(_terms(said)), numbers_of(said), frozenset(names))


def _terms(said: str) -> list[str]:
    return [] if said.casefold().strip(".!,? ") in _POLAR else content_terms(said)


def _plain(number: str) -> str:
    digits = "".join(str(unicodedata.digit(each)) if each.isdigit() else each for each in number)
    whole, *parts = re.split(r"\D", _GROUPED.sub(r"\1", digits))
    fraction = ".".join(parts)
    if len(parts) == 1:
        fraction = fraction.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")
