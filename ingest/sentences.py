"""Finds the sentences of a text in many languages: pure, exact, by rules alone.

A mark at the end of a word ends a sentence unless the word before it or the word after it says otherwise;
a blank line always does; a line break does where the line was ended on purpose (a list, a table), not where
a paragraph was merely wrapped.
"""

from __future__ import annotations

import itertools
import re

_MARK = re.compile(
    r"(?P<mark>[.!?…。！？｡।॥۔؟။።։]+)[\"'”’»)\]」』】）〉》]*(?:\[\d{1,3}\])*"  # closing quotes, footnote references
)
_ENDS_ANYWHERE = frozenset("。！？｡।॥۔؟။።։")
_SPACE_OR_IDEOGRAPH = re.compile(r"[\s\u3040-\u30ff\u3400-\u9fff]")  # not 3.14, not example.org
_PARAGRAPH_BREAK = re.compile(r"\n[^\S\n]*(?:\n\s*|\Z)|\f\s*")
_LIST_MARKER = re.compile(r"[^\S\n]*(?:[-*+•‣▪◦·–—]|\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,4})[.)])[^\S\n]+\S")
_NUMBERING = re.compile(r"[(\[]?(?:\d{1,3}(?:\.\d{1,3})*|[A-Za-z]|[ivxIVX]{1,4})\Z")
_ACRONYM = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]\Z")
_NEXT_WORD = re.compile(r"\s*[\"'“„«¿¡(\[‘「『]*([^\W_]*)")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Always followed by the rest of the sentence: titles, "for example".
_NEVER_LAST = _words(
    """dr mr mrs ms mx prof rev hon sgt capt lt messrs mme mlle hr sr sra srta dra st mt
    e.g eg i.e ie cf viz vs ca approx resp
    z.b d.h u.a u.ä o.ä i.d.r z.t bzw ggf evtl vgl sog inkl zzgl bspw s.o s.u
    p.ex c-à-d env réf p.ej т.е т.к т.н"""
)
# Part of the sentence before a number; else a word that may well be the last one.
_BEFORE_NUMBER = _words(
    """no nos nr art abs sec sect ch chap vol vols pp p par fig figs eq eqs núm pág págs стр рис г v
    jan feb mar apr jun jul aug sep sept oct nov dec
    etc inc ltd co corp bros jr al a.m p.m usw u.s.w dept est ave blvd т.д т.п др"""
)
# Where a capital proves nothing (an initial, an acronym), only these words begin a sentence.
_STARTERS = _words(
    """the a an this that these those it he she they we you i in on at as if when while there here but and so
    for to however its his her their our what who how why since after before by with from all some most many
    then no not der die das ein eine es er sie wir im bei mit le la les un une il elle ils nous en el los las una"""
)
# "am 3. Oktober": a number with a full stop is an ordinal before these.
_AFTER_ORDINAL = _words(
    """januar februar märz april mai juni juli august september oktober november dezember
    jahrhundert jahrhunderts jh"""
)
_OPENERS = frozenset("\"'“„«(['‘")

_WRAPPED_WIDTH = range(30, 121)  # columns; text is not wrapped narrower or wider than this
_SLACK = 8  # columns a wrapped line may end early, because people wrap by eye


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence, ascending and without white space around it.

    The spans do not overlap and together hold every character that is not white space.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for gap in _PARAGRAPH_BREAK.finditer(text):
        _split_paragraph(text, start, gap.start(), spans)
        start = gap.end()
    _split_paragraph(text, start, len(text), spans)
    return spans


def _split_paragraph(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> None:
    for position in _purposeful_breaks(text, start, end):
        _split_marks(text, start, position, spans)
        start = position
    _split_marks(text, start, end, spans)


def _split_marks(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> None:
    for mark in _MARK.finditer(text, start, end):
        if _ends_sentence(text, start, mark, end):
            _append_trimmed(text, start, mark.end(), spans)
            start = mark.end()
    _append_trimmed(text, start, end, spans)


def _append_trimmed(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        start += len(piece) - len(piece.lstrip())
        spans.append((start, start + len(stripped)))


def _ends_sentence(text: str, start: int, mark: re.Match[str], end: int) -> bool:
    """Whether the marks found end the sentence that begins at `start`."""
    if not _ENDS_ANYWHERE.isdisjoint(mark["mark"]):
        return True
    if mark.end() < end and not _SPACE_OR_IDEOGRAPH.match(text, mark.end()):
        return False
    following = _NEXT_WORD.match(text, mark.end(), min(end, mark.end() + 40))
    next_word = following[1] if following else ""
    if next_word[:1].islower():
        return False
    if mark["mark"] != ".":
        return True
    before = text[max(start, mark.start() - 24) : mark.start()]
    if _NUMBERING.match(before.strip()) and not text[start : mark.start() - len(before)].strip():
        return False  # "1. Install it", "B. Results"
    words = before.split()
    word = words[-1] if words else ""
    if word[:1] in _OPENERS:
        word = word[1:]
    lowered = word.lower()
    if lowered in _NEVER_LAST:
        return False
    if lowered in _BEFORE_NUMBER:
        return not next_word[:1].isdigit()
    if _ACRONYM.match(word):
        return not next_word or next_word.lower() in _STARTERS or not next_word[0].isupper()
    return not (word.isdigit() and len(word) < 3 and next_word.lower() in _AFTER_ORDINAL)


def _purposeful_breaks(text: str, start: int, end: int) -> list[int]:
    """Positions, ascending, of the line breaks at which the next word would still have fitted on the line.

    When many lines end so, the paragraph is a list or a table, and all its breaks are meant.
    """
    if text.find("\n", start, end) < 0:
        return []
    lines = text[start:end].split("\n")
    width = max(len(line.rstrip()) for line in lines)
    breaks: list[int] = []
    purposeful: list[int] = []
    position = start
    for line, following in itertools.pairwise(lines):
        position += len(line)
        breaks.append(position)
        if _LIST_MARKER.match(following) or not _is_wrapped(line.rstrip(), following, width):
            purposeful.append(position)
        position += 1
    return breaks if 3 * len(purposeful) > len(breaks) else purposeful


def _is_wrapped(line: str, following: str, width: int) -> bool:
    if width < _WRAPPED_WIDTH.start or len(line) >= _WRAPPED_WIDTH.stop:
        return False
    next_word = following.split(maxsplit=1)[:1]
    needed = len(next_word[0][:20]) if next_word else 0
    return len(line) + 1 + needed + _SLACK > width
