"""Reads plain text in any encoding; a blank line separates paragraphs."""

from __future__ import annotations

import re
from pathlib import Path

from ingest.readers import Reading, extractor_name
from ingest.readers.characters import decode_bytes
from ingest.types import Block

NAME = "text"
VERSION = 1
_BLANK_LINES = re.compile(r"\n\s*\n")


def read(path: Path) -> Reading:
    """One block a paragraph, line breaks kept. Any bytes can be read."""
    paragraphs = _BLANK_LINES.split(decode_bytes(path.read_bytes()))
    blocks = tuple(Block(text) for text in map(str.strip, paragraphs) if text)
    return Reading(extractor_name(NAME, VERSION, "charset-normalizer"), blocks)
