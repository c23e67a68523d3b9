"""The quotable units of a chunk: its sentences, list items and table rows, each with the words above it."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.core.extractive.wording import word_count
from app.core.types import Source
from ingest.sentences import sentence_spans

_LIST_MARKER = re.compile(
    r"(?:[-*+•‣▪◦·–—]|\(?(?:\d{1,3}|[A-Za-z]|[ivx]{1,4})[.)]|(?:step|schritt|étape|paso) \d+)[^\S\n]", re.I
)
_ROW = re.compile(r"\A\||\S · \S|\S[^\S\n]\|[^\S\n]\S|\S\t\S")
_LINE = re.compile(r"\S(?:.*\S)?")
_TERMINAL = re.compile(r"[.!?…。！？।۔؟:：;,，；][\"'”’»)\]」』】）*_`]*\Z")
# Words that point back to the sentence before.
_DANGLING = re.compile(
    r"[\"'“„«(]*(?:(?:he|she|it|they|this|that|these|those|his|her|its|their|such|both|also|however|therefore|thus|"
    r"hence|moreover|furthermore|additionally|but|and|so|then|instead|otherwise|similarly|consequently|nevertheless|"
    r"er|sie|es|dies|diese|dieser|dieses|dadurch|daher|deshalb|außerdem|jedoch|aber|und|auch|dabei|"
    r"esto|este|esta|estos|estas|ella|ellos|además|pero|también|il|elle|ils|elles|ce|cela|cette|ces|cependant|mais|"
    r"questo|questa|essi|inoltre|ma|ele|ela|eles|isso|isto|mas|он|она|оно|они|это|эти|этот|эта|также|однако|но|"
    r"هذا|هذه|وهو|وهي|كما|لكن)\b(?!-)|[他她它这該该其此]|然而|但是|因此|それ|これ)",
    re.IGNORECASE,
)
_HEADING_WORDS = 14  # a line of more words is a sentence without its full stop
_ITEM_WORDS = 60  # a longer list item is quoted by the sentence


class UnitKind(enum.StrEnum):
    """What a unit is in its chunk."""

    SENTENCE = "sentence"
    HEADING = "heading"  # also a question that the text itself goes on to answer
    ITEM = "item"
    ROW = "row"  # of a table, or a line that stands for itself


@dataclass(frozen=True, slots=True)
class Unit:
    """A quotable piece of a source: `source.hit.content[start:end]`."""

    source: Source
    start: int
    end: int
    kind: UnitKind
    index: int  # among the units of its source
    paragraph: int  # number of its paragraph in the source
    context: str = ""  # the nearest heading above it

    @property
    def text(self) -> str:
        return self.source.hit.content[self.start : self.end]


def units_of(source: Source) -> list[Unit]:
    """The units of a source in reading order; together they hold all its text but white space."""
    content = source.hit.content
    headings = {_plain(heading) for heading in source.hit.heading_path}
    context = source.hit.heading_path[-1] if source.hit.heading_path else ""
    spans = _whole_items(content, _single_rows(content, sentence_spans(content)))
    units: list[Unit] = []
    paragraph = 0
    for position, (start, end) in enumerate(spans):
        before = content[spans[position - 1][1] : start] if position else "\n\n"
        after = content[end : spans[position + 1][0]] if position + 1 < len(spans) else ""
        following = content[slice(*spans[position + 1])] if after else ""
        paragraph += position > 0 and before.count("\n") > 1
        kind = _kind(content[start:end], before, after, following, headings)
        units.append(Unit(source, start, end, kind, position, paragraph, context))
        if kind is UnitKind.HEADING:
            context = content[start:end].strip("# \t*_")
    return units


def is_dangling(unit: Unit) -> bool:
    """Whether a sentence leans on the one before it: it begins with a pronoun or a connective, or in mid-sentence."""
    if unit.kind is not UnitKind.SENTENCE or unit.index == 0:
        return False
    return _DANGLING.match(unit.text) is not None or unit.text[0].islower()


def _plain(text: str) -> str:
    return " ".join(text.strip("# \t*_").casefold().split())


def _kind(text: str, before: str, after: str, following: str, headings: set[str]) -> UnitKind:
    """`before` and `after` are the white space around the unit, `following` the next one; "" after the last."""
    own_line = "\n" in before
    if own_line and _ROW.search(text):
        return UnitKind.ROW
    alone = own_line and (not following or "\n" in after)
    if alone and (text.startswith("#") or text.isupper() or _plain(text) in headings):
        return UnitKind.HEADING
    if own_line and _LIST_MARKER.match(text):
        return UnitKind.ITEM
    if following and text.endswith(("?", "？", "؟")):
        return UnitKind.HEADING
    if not alone or _TERMINAL.search(text) or word_count(text) > _HEADING_WORDS:
        return UnitKind.SENTENCE
    starts_paragraph = before.count("\n") > 1
    ends_paragraph = after.count("\n") > 1
    if following and starts_paragraph and (ends_paragraph or _reads_as_sentence(following)):
        return UnitKind.HEADING
    return UnitKind.SENTENCE if starts_paragraph and not following else UnitKind.ROW


def _reads_as_sentence(text: str) -> bool:
    return word_count(text) > _HEADING_WORDS or _TERMINAL.search(text) is not None


def _single_rows(content: str, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Cuts the lines of a table apart, which look like a wrapped paragraph where they happen to be equally long."""
    for start, end in spans:
        rest = start
        for line in _LINE.finditer(content, start, end):
            if _ROW.search(line.group()):
                yield from _trimmed(content, rest, line.start())
                yield line.span()
                rest = line.end()
        yield from _trimmed(content, rest, end)


def _trimmed(content: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    text = content[start:end].strip()
    if text:
        start = content.index(text, start)
        yield start, start + len(text)


def _whole_items(content: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Joins the sentences of one short list item."""
    joined: list[tuple[int, int]] = []
    in_item = False
    for start, end in spans:
        gap = content[joined[-1][1] : start] if joined else "\n"
        if "\n" in gap:
            in_item = _LIST_MARKER.match(content, start) is not None
        elif in_item and word_count(content[joined[-1][0] : end]) <= _ITEM_WORDS:
            joined[-1] = (joined[-1][0], end)
            continue
        joined.append((start, end))
    return joined
