"""Reads PDF files with PDFium: the text layer, page by page. PDFium is not thread-safe: one file at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest.readers import Reading, extractor_name
from ingest.readers.pdf_layout import page_blocks
from ingest.readers.pdf_lines import Cell, Line
from ingest.types import UnreadableFileError

NAME = "pdf"
VERSION = 1
_PASSWORD_NEEDED = 4  # FPDF_ERR_PASSWORD
_LINE_END = re.compile("\r\n?|\n|\ufffe")  # PDFium writes U+FFFE for a hyphen at a line's end
_WORD = re.compile(r"\S+")
_CELL_GAP = 1.5  # of the line's height; the spaces of justified text stay below
_UNSCALED = 2  # points; some files write everything in size 1 and scale it
_MAX_PAGES = 20_000  # a damaged page tree may claim any number


def read(path: Path) -> Reading:
    """The text layer in reading order, with a warning for pages that have none.

    Raises UnreadableFileError if a password is needed, the file is damaged or no page has a text layer.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD_NEEDED:
            raise UnreadableFileError("is protected by a password: remove it and upload again.") from error
        raise UnreadableFileError("is a damaged PDF: export it again and upload that.") from error
    with document:
        count = min(len(document), _MAX_PAGES)
        pages: list[list[Line]] = []
        damaged = 0
        for index in range(count):
            try:
                page = document[index]
            except pypdfium2.PdfiumError:
                pages.append([])
                damaged += 1
                continue
            pages.append(list(_lines(page)))
            page.close()
    if damaged == count:
        raise UnreadableFileError("has no intact page: export it again and upload that.")
    without_text = sum(not lines for lines in pages)
    if without_text == count:
        raise UnreadableFileError("has no text layer (it is a scan): recognise its text (OCR) and upload it again.")
    warnings = (f"{without_text} of {count} pages have no text layer.",) if without_text else ()
    return Reading(extractor_name(NAME, VERSION, "pypdfium2"), tuple(page_blocks(pages)), warnings)


def _lines(page: Any) -> Iterator[Line]:
    """The page's lines as PDFium orders them; positions in points from the lower left corner."""
    textpage = page.get_textpage()
    try:
        text = textpage.get_text_range()
        start = 0
        for end in [*_LINE_END.finditer(text), None]:
            line = _line(
                textpage, text, start, end.start() if end else len(text), end is not None and end[0] == "\ufffe"
            )
            if line is not None:
                yield line
            start = end.end() if end else len(text)
    finally:
        textpage.close()


def _line(textpage: Any, text: str, start: int, end: int, hyphenated: bool) -> Line | None:
    words = list(_WORD.finditer(text, start, end))
    if not words:
        return None
    import pypdfium2

    last = textpage.count_chars() - 1
    boxes = [
        (
            textpage.get_charbox(min(word.start(), last), loose=True),
            textpage.get_charbox(min(word.end() - 1, last), loose=True),
        )
        for word in words
    ]
    longest = max(range(len(words)), key=lambda number: len(words[number][0]))  # the first may be a superscript
    _, bottom, _, top = boxes[longest][0]
    size = pypdfium2.raw.FPDFText_GetFontSize(textpage, min(words[longest].start(), last))
    cells: list[Cell] = []
    for word, (first_box, last_box) in zip(words, boxes, strict=True):
        if cells and first_box[0] - cells[-1].right <= _CELL_GAP * (top - bottom):
            before = cells[-1]
            cells[-1] = Cell(f"{before.text} {word[0]}", before.left, last_box[2])
        else:
            cells.append(Cell(word[0], first_box[0], last_box[2]))
    size = size if size > _UNSCALED else top - bottom
    return Line(tuple(cells), bottom, top, round(size, 1), hyphenated)
