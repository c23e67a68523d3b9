"""Reads tables written as text: comma, semicolon, tab or bar between the cells, any encoding."""

from __future__ import annotations

import csv
import io
from collections import Counter
from itertools import islice
from pathlib import Path

from ingest.readers import Reading, extractor_name
from ingest.readers.characters import decode_bytes
from ingest.readers.tables import has_header, table_blocks
from ingest.types import Block

NAME = "csv"
VERSION = 1
_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 50


def read(path: Path) -> Reading:
    """One block a row, each cell under the name of its column; titles above the table are paragraphs.

    A file that is no valid table is read as lines of text, with a warning.
    """
    extractor = extractor_name(NAME, VERSION, "charset-normalizer")
    text = decode_bytes(path.read_bytes())
    try:
        rows = _parse(text, _delimiter(text))
    except csv.Error as error:
        lines = tuple(Block(line) for line in map(str.strip, text.splitlines()) if line)
        return Reading(extractor, lines, (f"Not a valid table ({error}); read as lines of text.",))
    titles = _title_count(rows)
    blocks = [Block(next(filter(None, row))) for row in rows[:titles]]
    rows = rows[titles:]
    headed = has_header(rows)
    blocks += table_blocks(rows[1:] if headed else rows, header=rows[0] if headed else ())
    return Reading(extractor, tuple(blocks))


def _parse(text: str, delimiter: str) -> list[list[str]]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    return [cells for cells in ([cell.strip() for cell in row] for row in rows) if any(cells)]


def _delimiter(text: str) -> str:
    """The delimiter that gives most sample rows the same number of columns, and most columns of those."""

    def fitness(delimiter: str) -> tuple[int, int]:
        sample = islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), _SAMPLE_ROWS)
        widths = Counter(len(row) for row in sample if len(row) > 1)
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        return count, width

    return max(_DELIMITERS, key=fitness)


def _title_count(rows: list[list[str]]) -> int:
    """How many rows stand above the table with one cell only ("Sales 2024,,")."""
    width = max(map(len, rows[:_SAMPLE_ROWS]), default=0)
    if width < 2:
        return 0
    filled = [sum(map(bool, row)) for row in rows[:_SAMPLE_ROWS]]
    return next((number for number, count in enumerate(filled) if count > 1), 0)
