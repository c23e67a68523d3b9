"""Tells the tables of an HTML page that hold data from those that only lay it out, and reads their grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_MAX_SPAN = 100  # columns or rows one cell may cover; hostile pages say 65534
_LONGEST_CELL = 2_000  # characters; longer "cells" are parts of a page


@dataclass(frozen=True, slots=True)
class DataTable:
    """A table of data: the names of its columns (empty if it has none) and its rows."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def data_table(table: LexborNode, cell_text: Callable[[LexborNode], str]) -> DataTable | None:
    """The table's data, or None if it lays out a page: other tables or headings inside, one column, long cells.

    A cell over several rows is repeated in each; one over several columns stands in the first.
    """
    if len(table.css("table, h1, h2, h3, h4, h5, h6")) > 1:  # the table itself is one
        return None
    rows: list[tuple[str, ...]] = []
    header_rows = 0
    carried: dict[int, tuple[int, str]] = {}  # column → how many more rows its cell covers, its text
    for row in table.css("tr"):
        cells = row.css("td, th")
        texts: list[str] = []
        for cell in cells:
            _fill_carried(texts, carried)
            text = cell_text(cell)
            if len(text) > _LONGEST_CELL:
                return None
            rows_covered = _span(cell, "rowspan")
            if rows_covered > 1:
                carried[len(texts)] = (rows_covered - 1, text)
            is_name = cell.tag == "th" and header_rows == len(rows)
            width = _span(cell, "colspan")
            texts += [text] * width if is_name else [text] + [""] * (width - 1)
        _fill_carried(texts, carried)
        if header_rows == len(rows) and cells and all(cell.tag == "th" for cell in cells):
            header_rows += 1
        rows.append(tuple(texts))
    if max(map(len, rows), default=0) < 2:
        return None
    if header_rows == len(rows):
        header_rows = 0
    caption = table.css_first("caption")
    return DataTable(
        caption=" ".join(cell_text(caption).split()) if caption is not None else "",
        header=_names(rows[:header_rows]),
        rows=tuple(rows[header_rows:]),
    )


def _fill_carried(texts: list[str], carried: dict[int, tuple[int, str]]) -> None:
    """Puts the cells that reach down from the rows above into their columns."""
    while len(texts) in carried:
        column = len(texts)
        left, text = carried.pop(column)
        if left > 1:
            carried[column] = (left - 1, text)
        texts.append(text)


def _span(cell: LexborNode, attribute: str) -> int:
    value = (cell.attributes.get(attribute) or "1").strip()
    return min(max(int(value), 1), _MAX_SPAN) if value.isascii() and value.isdigit() else 1


def _names(rows: list[tuple[str, ...]]) -> tuple[str, ...]:
    """One name a column from one or more header rows, outer names first."""
    width = max(map(len, rows), default=0)
    columns = ([row[column] for row in rows if column < len(row) and row[column]] for column in range(width))
    return tuple(" ".join(dict.fromkeys(names)) for names in columns)
