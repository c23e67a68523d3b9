"""Reads Markdown (CommonMark, tables, strikethrough) as its visible text, without the marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.readers import Reading, extractor_name
from ingest.readers.characters import clean_characters, decode_bytes
from ingest.readers.headings import HeadingTrail
from ingest.readers.html import html_blocks
from ingest.readers.tables import table_blocks
from ingest.types import Block, BlockKind

if TYPE_CHECKING:
    from markdown_it.token import Token

NAME = "markdown"
VERSION = 1
_FRONT_MATTER = re.compile(r"---[^\S\n]*\n(.*?\n)(?:---|\.\.\.)[^\S\n]*(?:\n|\Z)", re.DOTALL)
_LINE_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)


def read(path: Path) -> Reading:
    """Headings, paragraphs, list items, table rows and code; front matter is a paragraph. Any bytes can be read."""
    text = decode_bytes(path.read_bytes())
    extractor = extractor_name(NAME, VERSION, "markdown-it-py", "selectolax", "charset-normalizer")
    return Reading(extractor, tuple(_blocks(text)))


def _blocks(text: str) -> Iterator[Block]:
    from markdown_it import MarkdownIt

    front = _FRONT_MATTER.match(text)
    if front:
        yield Block(front[1].strip())
        text = text[front.end() :]
    trail = HeadingTrail()
    lists = 0
    heading = 0
    table: list[list[str]] = []
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    for token in tokens:
        match token.type:
            case "heading_open":
                heading = int(token.tag[1])
            case "list_item_open" | "list_item_close":
                lists += token.nesting
            case "tr_open":
                table.append([])
            case "table_close":
                yield from table_blocks(table[1:] or table, header=table[0], heading_path=trail.path)
                table = []
            case "inline":
                visible = clean_characters("".join(_visible(token))).strip()
                if table:
                    table[-1].append(visible)
                elif heading:
                    if visible:
                        yield Block(visible, BlockKind.HEADING, heading_path=trail.enter(heading, visible))
                    heading = 0
                else:
                    kind = BlockKind.LIST_ITEM if lists else BlockKind.PARAGRAPH
                    yield Block(visible, kind, heading_path=trail.path)
            case "fence" | "code_block":
                yield Block(clean_characters(token.content).strip("\n"), BlockKind.CODE, heading_path=trail.path)
            case "html_block":
                yield from html_blocks(token.content, trail)


def _visible(inline: Token) -> Iterator[str]:
    for token in inline.children or ():
        match token.type:
            case "text" | "code_inline":
                yield token.content
            case "softbreak":
                yield " "
            case "hardbreak":
                yield "\n"
            case "image":
                yield from _visible(token)  # its children are the words that stand for it
            case "html_inline" if _LINE_BREAK_TAG.fullmatch(token.content):
                yield "\n"
