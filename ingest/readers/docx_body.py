"""Walks the XML of a Word document's body.

The walk is our own because python-docx leaves out what stands in content controls, insertions and text boxes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ingest.readers.characters import clean_characters
from ingest.readers.headings import HeadingTrail
from ingest.readers.tables import has_header, table_blocks
from ingest.types import Block, BlockKind

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"  # repeats a text box
_HEADING_STYLE = re.compile(r"heading ([1-9])|(title)", re.IGNORECASE)
_SYMBOLS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "\u2011"}
_MAX_DEPTH = 50  # of tables in tables and content controls in content controls

Element = Any  # lxml's, which has no types


class BodyWalk:
    """One pass over a body; remembers the headings and the page it is at."""

    def __init__(self, styles: Element, body: Element) -> None:
        self._heading_levels = _heading_levels(styles)
        self._list_styles = _list_styles(styles)
        self._trail = HeadingTrail()
        self._page = 1 if next(body.iter(f"{_W}lastRenderedPageBreak"), None) is not None else None

    def blocks(self, container: Element, depth: int = 0) -> Iterator[Block]:
        """The blocks of a body, a text box or a content control."""
        if depth > _MAX_DEPTH:
            return
        for child in container.iterchildren():
            if child.tag == f"{_W}p":
                yield from self._paragraph(child, depth)
            elif child.tag == f"{_W}tbl":
                yield from self._table(child, depth)
            elif child.tag in {f"{_W}sdt", f"{_W}sdtContent", f"{_W}customXml", f"{_W}ins", f"{_W}smartTag"}:
                yield from self.blocks(child, depth + 1)

    def notes(self, part: bytes) -> Iterator[Block]:
        """The foot- or endnotes of a notes part, each a paragraph."""
        from docx.oxml.parser import parse_xml

        for note in parse_xml(part).iterchildren():
            if note.get(f"{_W}type") is None:  # the others are separator lines
                text = " ".join(_text(paragraph) for paragraph in note.iter(f"{_W}p")).strip()
                if text:
                    yield Block(text)

    def _paragraph(self, paragraph: Element, depth: int) -> Iterator[Block]:
        page = self._page
        text = _text(paragraph)
        breaks = sum(1 for _ in paragraph.iter(f"{_W}lastRenderedPageBreak"))
        if page is not None and breaks:
            self._page = page + breaks
            page = self._page if _breaks_before_text(paragraph) else page
        if text:
            level = self._heading_level(paragraph)
            if level is not None:
                text = " ".join(text.split())
                yield Block(text, BlockKind.HEADING, page, self._trail.enter(level, text))
            else:
                kind = BlockKind.LIST_ITEM if self._is_listed(paragraph) else BlockKind.PARAGRAPH
                yield Block(text, kind, page, self._trail.path)
        for box in _text_boxes(paragraph):
            yield from self.blocks(box, depth + 1)

    def _table(self, table: Element, depth: int) -> Iterator[Block]:
        page = self._page
        rows: list[list[str]] = []
        above: list[str] = []
        for row in table.iterchildren(f"{_W}tr"):
            cells: list[str] = []
            for cell in row.iter(f"{_W}tc"):
                if next(cell.iterancestors(f"{_W}tbl")) is not table:
                    continue  # of a table inside
                column = len(cells)
                merge = cell.find(f"{_W}tcPr/{_W}vMerge")
                if merge is not None and merge.get(f"{_W}val") != "restart" and column < len(above):
                    text = above[column]
                else:
                    text = " ".join(block.text for block in self._cell_blocks(cell, depth))
                span = cell.find(f"{_W}tcPr/{_W}gridSpan")
                width = int(span.get(f"{_W}val", "1")) if span is not None else 1
                cells += [text] + [""] * min(width - 1, 100)
            rows.append(cells)
            above = cells
        headed = has_header(rows)
        body = rows[1:] if headed else rows
        yield from table_blocks(body, header=rows[0] if headed else (), page=page, heading_path=self._trail.path)

    def _cell_blocks(self, cell: Element, depth: int) -> list[Block]:
        outside = self._trail
        self._trail = HeadingTrail()  # a heading style in a cell heads nothing outside of it
        try:
            return list(self.blocks(cell, depth + 1))
        finally:
            self._trail = outside

    def _heading_level(self, paragraph: Element) -> int | None:
        outline = paragraph.find(f"{_W}pPr/{_W}outlineLvl")
        if outline is not None and outline.get(f"{_W}val", "9") < "9":
            return int(outline.get(f"{_W}val")) + 1
        return self._heading_levels.get(_style(paragraph))

    def _is_listed(self, paragraph: Element) -> bool:
        return paragraph.find(f"{_W}pPr/{_W}numPr") is not None or _style(paragraph) in self._list_styles


def _style(paragraph: Element) -> str:
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return "" if style is None else str(style.get(f"{_W}val", ""))


def _heading_levels(styles: Element) -> dict[str, int]:
    """Levels by style id; the name is "heading 1" in every language of Word, the id is not."""
    levels: dict[str, int] = {}
    for style in styles.iter(f"{_W}style"):
        name = style.find(f"{_W}name")
        match = _HEADING_STYLE.fullmatch(name.get(f"{_W}val", "")) if name is not None else None
        if match:
            levels[style.get(f"{_W}styleId", "")] = int(match[1]) if match[1] else 0  # the title is above all
    return levels


def _list_styles(styles: Element) -> frozenset[str]:
    return frozenset(
        style.get(f"{_W}styleId", "")
        for style in styles.iter(f"{_W}style")
        if (name := style.find(f"{_W}name")) is not None and name.get(f"{_W}val", "").lower().startswith("list ")
    )


def _own(paragraph: Element) -> Iterator[Element]:
    """The elements of a paragraph in order, without those of its text boxes."""
    stack = [paragraph.iterchildren()]
    while stack:
        for element in stack[-1]:
            if element.tag not in {f"{_W}txbxContent", _FALLBACK}:
                yield element
                stack.append(element.iterchildren())
                break
        else:
            stack.pop()


def _text(paragraph: Element) -> str:
    pieces = (
        element.text or "" if element.tag == f"{_W}t" else _SYMBOLS.get(element.tag, "")
        for element in _own(paragraph)
        if element.getparent().tag != f"{_W}tabs"  # tab stops are no tabs
    )
    return clean_characters("".join(pieces)).strip()


def _breaks_before_text(paragraph: Element) -> bool:
    for element in _own(paragraph):
        if element.tag == f"{_W}lastRenderedPageBreak":
            return True
        if element.tag == f"{_W}t" and (element.text or "").strip():
            return False
    return False


def _text_boxes(paragraph: Element) -> Iterator[Element]:
    for box in paragraph.iter(f"{_W}txbxContent"):
        ancestors = [each.tag for each in box.iterancestors()]
        depth = ancestors.index(f"{_W}p")  # the paragraph that holds the box
        if next(box.iterancestors(f"{_W}p")) is paragraph and _FALLBACK not in ancestors[:depth]:
            yield box
