"""Binds each marker of an answer to the words it cites, and says how well they hold.

Offsets are never found by searching a document: a citation is a slice of a hit, and a hit is a slice of its
canonical text. Markers that name no source are reported as fabricated, never dropped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from app.core.types import Citation, Hit, Quote, Source, Verdict
from ingest.sentences import sentence_spans

MARKER = re.compile(r"\[(\d{1,4}(?:\s*[,;]\s*\d{1,4})*)\]")
_QUOTED = re.compile(r"[\"“«„]([^\"“”«»„]{8,})[\"”»“]")
_EDGES = " \t\n.,;:!?*_-–—•"


def cite(answer: str, sources: Sequence[Source], quotes: Sequence[Quote] = ()) -> tuple[Citation, ...]:
    """The citations of an answer, in its order: `quotes` where the generator knew them, else by its markers."""
    hits = {source.marker: source.hit for source in sources}
    known = [_quoted(answer, quote, hits.get(quote.marker)) for quote in quotes]
    covered = {(quote.marker, quote.answer_end) for quote in quotes}
    found = [
        citation
        for marker, start, end in claims(answer)
        if not any(marker == m and start <= e <= end + 1 for m, e in covered)
        for citation in [_checked(answer, marker, start, end, hits.get(marker))]
    ]
    return tuple(sorted((*known, *found), key=lambda each: (each.answer_start, each.answer_end, each.marker)))


def claims(answer: str) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of the words each marker stands for: its sentence, up to the markers before it."""
    sentences = sentence_spans(answer)
    spoken_from, last_claim = 0, (0, 0)
    for found in MARKER.finditer(answer):
        before = answer[spoken_from : found.start()]
        if before.strip(_EDGES):
            # The sentence the marker stands in, or the one that ends right before it.
            inside = [span for span in sentences if span[0] < found.start() and span[1] > spoken_from]
            said = [
                (max(start, spoken_from), min(end, found.start()))
                for start, end in inside
                if answer[max(start, spoken_from) : min(end, found.start())].strip(_EDGES)
            ]
            last_claim = _trimmed(answer, *(said[-1] if said else (spoken_from, found.start())))
        spoken_from = found.end()
        for number in re.findall(r"\d+", found[1]):
            yield int(number), *last_claim


def sha256(text: str) -> str:
    """Hex SHA-256 of the UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def cited_markers(citations: Sequence[Citation]) -> set[int]:
    """Markers that point to a source."""
    return {citation.marker for citation in citations if citation.verdict is not Verdict.FABRICATED}


def _quoted(answer: str, quote: Quote, hit: Hit | None) -> Citation:
    if hit is not None and hit.start <= quote.start < quote.end <= hit.end:
        said = answer[quote.answer_start : quote.answer_end]
        if hit.content[quote.start - hit.start : quote.end - hit.start] == said:
            return _bound(
                hit, quote.marker, Verdict.VERBATIM, quote.start, quote.end, quote.answer_start, quote.answer_end
            )
    return _checked(answer, quote.marker, quote.answer_start, quote.answer_end, hit)


def _checked(answer: str, marker: int, start: int, end: int, hit: Hit | None) -> Citation:
    if hit is None:
        return Citation(marker, Verdict.FABRICATED, start, end)
    claim = answer[start:end]
    for verdict, at, until in _places(claim, hit.content):
        return _bound(hit, marker, verdict, hit.start + at, hit.start + until, start, end)
    return _bound(hit, marker, Verdict.UNVERIFIED, hit.start, hit.end, start, end)


def _places(claim: str, content: str) -> Iterator[tuple[Verdict, int, int]]:
    """Where in the cited chunk the claim's words stand: the whole claim first, then what it puts in quotation marks."""
    wanted = [claim.strip(_EDGES), *(found[1].strip(_EDGES) for found in _QUOTED.finditer(claim))]
    for words in wanted:
        if words and (at := content.find(words)) >= 0:
            yield Verdict.VERBATIM, at, at + len(words)
    folded, origin = _folded(content)
    for words in wanted:
        needle = _folded(words)[0].strip()
        if needle and (at := folded.find(needle)) >= 0:
            yield Verdict.NORMALISED, origin[at], origin[at + len(needle) - 1] + 1


def _folded(text: str) -> tuple[str, list[int]]:
    """Lower case, single spaces, no hyphens; and for each character its place in `text`."""
    out: list[str] = []
    origin: list[int] = []
    for at, character in enumerate(text):
        if character in "-\u00ad\u2010\u2011":
            continue
        kept = " " if character.isspace() else character.casefold()
        if kept == " " and (not out or out[-1] == " "):
            continue
        out.extend(kept)
        origin.extend([at] * len(kept))
    return "".join(out), origin


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _bound(
    hit: Hit, marker: int, verdict: Verdict, start: int, end: int, answer_start: int, answer_end: int
) -> Citation:
    quote = hit.content[start - hit.start : end - hit.start]
    return Citation(
        marker=marker,
        verdict=verdict,
        answer_start=answer_start,
        answer_end=answer_end,
        document_id=hit.document_id,
        document_name=hit.document_name,
        start=start,
        end=end,
        quote=quote,
        quote_sha256=sha256(quote),
        text_sha256=hit.text_sha256,
        page=hit.page,
    )
