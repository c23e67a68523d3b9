"""Turns the lines of PDF pages into headings, paragraphs and table rows: pure geometry and typography."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median

from ingest.readers.characters import clean_characters
from ingest.readers.headings import HeadingTrail
from ingest.readers.pdf_lines import Line
from ingest.readers.pdf_tables import label_rows
from ingest.types import Block, BlockKind

_BULLET = re.compile(r"(?:[•‣▪◦●○■–-]|\(?\d{1,2}[.)])(?:\s|\Z)")
_SENTENCE_END = (".", "!", "?", ":", "。", "！", "？", "।", "؟", "”", '."')
_WORDS = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_HEADING_RATIO = 1.15  # of the body's size
_LONGEST_HEADING = 150  # characters
_HEADING_LEVELS = 4


def page_blocks(pages: Sequence[Sequence[Line]]) -> Iterator[Block]:
    """The blocks of a document, page by page (the first is page 1)."""
    lines = [line for page in pages for line in page]
    levels = _heading_levels(lines)
    vocabulary = Counter(word.lower() for line in lines for word in _WORDS.findall(line.text))
    trail = HeadingTrail()
    for number, page in enumerate(pages, 1):
        for is_table, groups in groupby(_paragraphs(page), key=_is_row):
            if is_table:
                for row in label_rows([line for group in groups for line in group]):
                    yield Block(clean_characters(row), BlockKind.TABLE_ROW, number, trail.path)
                continue
            for group in groups:
                text = clean_characters(_join(group, vocabulary)).strip()
                level = levels.get(group[0].size)
                if level and _may_be_heading(text):
                    yield Block(text, BlockKind.HEADING, number, trail.enter(level, text))
                elif text:
                    kind = BlockKind.LIST_ITEM if _BULLET.match(text) else BlockKind.PARAGRAPH
                    yield Block(text, kind, number, trail.path)


def _is_row(group: Sequence[Line]) -> bool:
    return len(group) == 1 and len(group[0].cells) > 1


def _may_be_heading(text: str) -> bool:
    return len(text) <= _LONGEST_HEADING and not text.endswith(".") and any(map(str.isalpha, text))


def _heading_levels(lines: Sequence[Line]) -> dict[float, int]:
    """Levels by letter size: the sizes clearly above that of most of the text, the largest first."""
    weights = Counter[float]()
    for line in lines:
        weights[line.size] += len(line.text)
    if not weights:
        return {}
    body = weights.most_common(1)[0][0]
    larger = sorted((size for size in weights if size > _HEADING_RATIO * body), reverse=True)
    return {size: min(rank, _HEADING_LEVELS) for rank, size in enumerate(larger, 1)}


def _paragraphs(page: Sequence[Line]) -> Iterator[list[Line]]:
    """Groups the lines that are one paragraph, heading or table row."""
    pitches = [
        (above.bottom - below.bottom) / above.height
        for above, below in pairwise(page)
        if above.bottom > below.bottom and above.height > 0 and above.size == below.size
    ]
    pitch = median(pitches) if pitches else 1.2
    group: list[Line] = []
    for line in page:
        if group and not _continues(group, line, pitch):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _continues(group: Sequence[Line], line: Line, pitch: float) -> bool:
    """Whether `line` goes on with the paragraph of `group`; `pitch` is the page's line distance in line heights."""
    above = group[-1]
    if above.hyphenated or _same_line(above, line):
        return True
    text, following = above.text, line.text
    if len(line.cells) > 1 or len(above.cells) > 1 or _BULLET.match(following):
        return False
    if abs(line.size - above.size) > 0.12 * above.size:
        return False
    ended = text.endswith(_SENTENCE_END)
    distance = above.bottom - line.bottom
    if distance <= 0:  # the next column
        return not ended and following[:1].islower()
    if distance > 1.3 * pitch * above.height:
        return False
    if ended and line.left - above.left > 0.8 * above.height:
        return False  # an indented first line
    word = following.split(maxsplit=1)[0]
    word_width = (line.right - line.left) * (len(word) + 1) / max(len(following), 1)
    right = max(line.right, *(each.right for each in group))
    would_have_fitted = above.right + word_width < right
    return not would_have_fitted or (not ended and following[:1].islower())


def _same_line(before: Line, line: Line) -> bool:
    """Whether the two stand side by side: PDFium gives superscripts and what follows them as lines."""
    overlap = min(before.top, line.top) - max(before.bottom, line.bottom)
    beside = -1 <= line.left - before.right < 0.5 * max(before.height, line.height)
    return beside and overlap > 0.4 * min(before.height, line.height)


def _join(group: Sequence[Line], vocabulary: Counter[str]) -> str:
    text = group[0].text
    for before, line in pairwise(group):
        following = line.text
        if before.hyphenated:
            text += _hyphen(text, following, vocabulary) + following
        elif _same_line(before, line):
            text += following
        else:
            text += " " + following
    return text


def _hyphen(text: str, following: str, vocabulary: Counter[str]) -> str:
    """The hyphen between two halves if it belongs to the word, else nothing; the document's other words know."""
    halves = re.search(r"[^\W\d_]+\Z", text), re.match(r"[^\W\d_]+", following)
    if halves[0] is None or halves[1] is None or following[:1].isupper():
        return "-"
    first, second = halves[0][0].lower(), halves[1][0].lower()
    return "-" if vocabulary[f"{first}-{second}"] > vocabulary[first + second] else ""
