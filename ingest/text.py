"""Joins a document's blocks into its ONE canonical text, in which every block, chunk and citation is a slice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ingest.types import Block, BlockKind, BlockSpan, CanonicalText

_CLOSE_TOGETHER = frozenset({BlockKind.LIST_ITEM, BlockKind.TABLE_ROW})


def join_blocks(blocks: Iterable[Block], extractor: str, warnings: Iterable[str] = ()) -> CanonicalText:
    """The canonical text: "\\n" between the items of a list or the rows of a table, "\\n\\n" between other blocks.

    White space around a block is dropped, and so are blocks without text. Each span is exact:
    `text[span.start:span.end]` is its block's text. Raises UnicodeEncodeError for lone surrogates.
    """
    pieces: list[str] = []
    spans: list[BlockSpan] = []
    position = 0
    for block in blocks:
        text = block.text.strip()
        if not text:
            continue
        if spans:
            close = block.kind in _CLOSE_TOGETHER and block.kind is spans[-1].kind
            separator = "\n" if close else "\n\n"
            pieces.append(separator)
            position += len(separator)
        pieces.append(text)
        spans.append(BlockSpan(position, position + len(text), block.kind, block.page, block.heading_path))
        position += len(text)
    whole = "".join(pieces)
    return CanonicalText(
        text=whole,
        sha256=hashlib.sha256(whole.encode()).hexdigest(),
        extractor=extractor,
        spans=tuple(spans),
        warnings=tuple(warnings),
    )
