"""Writes an extract down as an answer whose every quotation knows its exact place in both texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.core.extractive.extraction import Excerpt, Extract
from app.core.extractive.passages import UnitKind
from app.core.types import Quote

NO_SOURCES = "No sources were found, and this model answers only by quoting sources."
NOT_ANSWERED = "The sources found do not answer this directly. Closest, in "


@dataclass(frozen=True, slots=True)
class Composition:
    """An answer and its quotations, cut into the pieces it is to be streamed in."""

    text: str
    quotes: tuple[Quote, ...] = ()
    piece_ends: tuple[int, ...] = ()  # in `text`, ascending; the last is its length

    def pieces(self) -> Iterator[tuple[str, tuple[Quote, ...]]]:
        """The text piece by piece, each with the quotations that end in it."""
        start = 0
        for end in self.piece_ends:
            yield self.text[start:end], tuple(quote for quote in self.quotes if start < quote.answer_end <= end)
            start = end


def compose(extract: Extract | None) -> Composition:
    """Every excerpt verbatim, followed by its marker; None when there is no source."""
    if extract is None:
        return Composition(NO_SOURCES, piece_ends=(len(NO_SOURCES),))
    text = ""
    quotes: list[Quote] = []
    ends: list[int] = []
    if not extract.answers:
        text = NOT_ANSWERED + _place(extract.excerpts[0]) + ":\n"
        ends.append(len(text))
    for number, excerpt in enumerate(extract.excerpts):
        if number:
            text += "\n" if _stands_alone(excerpt) or _stands_alone(extract.excerpts[number - 1]) else " "
        hit = excerpt.source.hit
        begin = len(text)
        text += hit.content[excerpt.start : excerpt.end]
        quotes.append(
            Quote(excerpt.source.marker, hit.start + excerpt.start, hit.start + excerpt.end, begin, len(text))
        )
        ends.extend(begin + following.start - excerpt.start for following in excerpt.units[1:])
        text += f" [{excerpt.source.marker}]"
        ends.append(len(text))
    return Composition(text, tuple(quotes), tuple(ends))


def shorten(composition: Composition, length: int) -> Composition:
    """The first `length` characters; a quotation that is cut stays exact, one without words is dropped."""
    if length >= len(composition.text):
        return composition
    quotes = tuple(
        replace(quote, end=quote.end - over, answer_end=quote.answer_end - over)
        for quote in composition.quotes
        if quote.answer_start < length
        for over in [max(0, quote.answer_end - length)]
    )
    ends = (*(end for end in composition.piece_ends if end < length), *([length] if length else []))
    return Composition(composition.text[:length], quotes, ends)


def _place(excerpt: Excerpt) -> str:
    context = excerpt.units[0].context
    name = excerpt.source.hit.document_name
    return f"{name}, {context}" if context and context != name else name


def _stands_alone(excerpt: Excerpt) -> bool:
    return any(unit.kind in {UnitKind.ITEM, UnitKind.ROW} for unit in excerpt.units)
