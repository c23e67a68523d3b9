"""Writes the rows of a table so that every row can be understood without the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from ingest.types import Block, BlockKind

_SEPARATOR = " · "


def table_blocks(
    rows: Iterable[Sequence[str]],
    *,
    header: Sequence[str] = (),
    page: int | None = None,
    heading_path: tuple[str, ...] = (),
) -> Iterator[Block]:
    """One block a row: "Header: value · Header: value", or "value · value" where there is no header.

    Cells lose their line breaks; empty cells and empty rows are left out.
    """
    names = [_one_line(cell) for cell in header]
    for row in rows:
        cells = zip_longest(names, (_one_line(cell) for cell in row), fillvalue="")
        text = _SEPARATOR.join(f"{name}: {cell}" if name else cell for name, cell in cells if cell)
        if text:
            yield Block(text, BlockKind.TABLE_ROW, page, heading_path)


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: it fills them all, differently, and holds no number."""
    if len(rows) < 2:
        return False
    first = [cell.strip() for cell in rows[0]]
    return len(set(first)) == len(first) > 1 and all(first) and not any(_is_number(cell) for cell in first)


def _one_line(cell: str) -> str:
    return " ".join(cell.split())


def _is_number(cell: str) -> bool:
    return cell.strip("+-(%)$€£¥ ").replace(",", "").replace(".", "").replace(" ", "").isdigit()
