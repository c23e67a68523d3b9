"""Reads Word documents (.docx) in document order: headings, paragraphs, lists, tables, text boxes, notes."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.readers import Reading, extractor_name
from ingest.readers.docx_body import BodyWalk
from ingest.types import Block, UnreadableFileError

if TYPE_CHECKING:
    from docx.document import Document

NAME = "docx"
VERSION = 1
_MAX_MEMBERS = 10_000
_MAX_BYTES = 1 << 29  # of all members, unpacked
_MAX_XML_BYTES = 1 << 27  # of one XML member, unpacked: its tree takes some ten times as much
_NOTES = ("footnotes", "endnotes")


def read(path: Path) -> Reading:
    """The document's text with page numbers where Word left them in the file (it knows the pages of its last view).

    Raises UnreadableFileError if the file is damaged, or larger unpacked than any honest document.
    """
    import docx

    _check_container(path)
    try:
        document = docx.Document(str(path))
        blocks = tuple(_blocks(document))
    except (KeyError, ValueError, OSError, SyntaxError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise UnreadableFileError(f"is no intact Word document ({error}): save it again as .docx.") from error
    return Reading(extractor_name(NAME, VERSION, "python-docx"), blocks)


def _check_container(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UnreadableFileError("is damaged or incomplete: export it again and upload that.") from error
    largest_xml = max((each.file_size for each in members if each.filename.endswith((".xml", ".rels"))), default=0)
    if (
        len(members) > _MAX_MEMBERS
        or largest_xml > _MAX_XML_BYTES
        or sum(each.file_size for each in members) > _MAX_BYTES
    ):
        raise UnreadableFileError(
            f"unpacks to more than a document may (limits: {_MAX_MEMBERS} parts, {_MAX_BYTES >> 20} MiB,"
            f" {_MAX_XML_BYTES >> 20} MiB of text): split it."
        )


def _blocks(document: Document) -> Iterator[Block]:
    walk = BodyWalk(document.styles.element, document.element.body)
    yield from walk.blocks(document.element.body)
    for relation in document.part.rels.values():
        if relation.reltype.rsplit("/", 1)[-1] in _NOTES and not relation.is_external:
            yield from walk.notes(relation.target_part.blob)
