"""Hits made for a test: slices of a text, as retrieval would bring them."""

from __future__ import annotations

from app.core.citing import sha256
from app.core.types import Hit, Source


def hit(content: str, *, before: str = "", after: str = "", number: int = 1, name: str = "a.txt") -> Hit:
    """A chunk of a document whose canonical text is `before + content + after`."""
    text = before + content + after
    start = len(before)
    return Hit(number, number, 1, name, content, start, start + len(content), sha256(text), 0.5)


def source(content: str, marker: int = 1, *, before: str = "Before. ", name: str = "a.txt") -> Source:
    """A hit as the prompt numbers it."""
    return Source(marker, hit(content, before=before, number=marker, name=name))
