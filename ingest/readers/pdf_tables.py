"""Puts the cells of a printed table under the names of their columns, where their places leave no doubt."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.readers.pdf_lines import Line

_FEWEST_COLUMNS = 3  # two cells side by side are as often a form as a table


def label_rows(rows: Sequence[Line]) -> list[str]:
    """The text of each of the rows, which stand under each other: "Name: value · Name: value" where it is certain.

    The first row names the columns if it has the most cells and no digits; every other row is labelled if each
    of its cells stands under one name and no two under the same. What is not certain stays as it is printed.
    """
    header, body = rows[0], rows[1:]
    width = len(header.cells)
    names_columns = (
        width >= _FEWEST_COLUMNS
        and width >= max((len(row.cells) for row in body), default=0)
        and not any(character.isdigit() for character in header.text)
    )
    if not body or not names_columns:
        return [row.text for row in rows]
    return [header.text, *(_labelled(row, header) or row.text for row in body)]


def _labelled(row: Line, header: Line) -> str | None:
    columns: list[int] = []
    for cell in row.cells:
        under = [
            number for number, name in enumerate(header.cells) if cell.left < name.right and name.left < cell.right
        ]
        if len(under) != 1 or under[0] in columns:
            return None
        columns += under
    pairs = zip(columns, row.cells, strict=True)
    return " · ".join(f"{header.cells[number].text.rstrip(':')}: {cell.text}" for number, cell in pairs)
