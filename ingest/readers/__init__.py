"""From a file to its blocks: one module a format, loaded when a file of that format comes.

Each module has NAME, VERSION (raise it whenever the same file would give other text) and `read(path)`.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingest.sniff import Format, sniff_format
from ingest.types import Block, UnreadableFileError

_MODULES = {
    Format.PDF: "pdf",
    Format.DOCX: "docx",
    Format.HTML: "html",
    Format.MARKDOWN: "markdown",
    Format.CSV: "csv",
    Format.TSV: "csv",
    Format.TEXT: "text",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found in a file: its blocks in reading order, and what a person should know about them."""

    extractor: str  # e.g. "pdf/1 pypdfium2 5.15.2"
    blocks: tuple[Block, ...]
    warnings: tuple[str, ...] = ()


def extractor_name(name: str, version: int, *packages: str) -> str:
    """A reader's name and version, with those of the installed packages its text depends on."""
    return " ".join([f"{name}/{version}", *(f"{each} {importlib.metadata.version(each)}" for each in packages)])


def read_file(path: Path, name: str) -> Reading:
    """Reads the file at `path`, which its owner calls `name`.

    Raises UnsupportedFileError or UnreadableFileError, naming the file; also when no text is found in it.
    """
    module = importlib.import_module(f"ingest.readers.{_MODULES[sniff_format(path, name)]}")
    read: Callable[[Path], Reading] = module.read
    try:
        reading = read(path)
    except UnreadableFileError as error:
        raise UnreadableFileError(f"{name} {error}") from error
    if not any(block.text.strip() for block in reading.blocks):
        raise UnreadableFileError(f"{name} has no text in it.")
    return reading
