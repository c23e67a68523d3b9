"""Reads HTML as a person sees it: headings, paragraphs, lists and tables; no scripts, styles, menus, hidden parts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.readers import Reading, extractor_name
from ingest.readers.characters import clean_characters, decode_bytes
from ingest.readers.headings import HeadingTrail
from ingest.readers.html_tables import data_table
from ingest.readers.tables import table_blocks
from ingest.types import Block, BlockKind

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

NAME = "html"
VERSION = 1
_DECLARED = re.compile(rb"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_AS_CP1252 = frozenset({"iso-8859-1", "latin1", "latin-1", "ascii", "us-ascii"})  # so says the HTML standard
_DROPPED = frozenset(
    {
        "script",
        "style",
        "noscript",
        "template",
        "nav",
        "head",
        "svg",
        "math",
        "iframe",
        "object",
        "canvas",
        "select",
        "audio",
        "video",
        "datalist",
        "dialog",
        "-comment",
        "-doctype",
    }
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTED = frozenset({"li", "dt", "dd"})
_BLOCKS = _LISTED.union(
    _HEADINGS,
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "details",
        "div",
        "dl",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hr",
        "legend",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    },
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_ANY_SPACES = re.compile(r"\s+")
_SPACES = re.compile(r"[^\S\n]+")
_AROUND_BREAKS = re.compile(r" ?\n ?")


def read(path: Path) -> Reading:
    """The visible text; the page's title is the outermost heading. Any bytes can be read."""
    data = path.read_bytes()
    declared = _DECLARED.search(data[:2048])
    encoding = declared[1].decode("ascii").lower() if declared else None
    html = decode_bytes(data, "cp1252" if encoding in _AS_CP1252 else encoding)
    extractor = extractor_name(NAME, VERSION, "selectolax", "charset-normalizer")
    return Reading(extractor, tuple(html_blocks(html, HeadingTrail())))


def html_blocks(html: str, trail: HeadingTrail) -> list[Block]:
    """The blocks of a whole page or of a piece of one, under the headings of `trail` (which goes on)."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(html)
    walk = _Walk(trail)
    title = tree.css_first("title")
    if title is not None:
        text = _one_line(title.text())
        first = tree.css_first("h1")
        if text and (first is None or _one_line(first.text()) != text):
            walk.blocks.append(Block(text, BlockKind.HEADING, heading_path=trail.enter(0, text)))
    if tree.body is not None:
        walk.run(tree.body)
    return walk.blocks


def _one_line(text: str) -> str:
    return " ".join(clean_characters(text).split())


class _Walk:
    """A walk over the tree without recursion: pages nest deeper than Python's stack."""

    def __init__(self, trail: HeadingTrail) -> None:
        self.blocks: list[Block] = []
        self._trail = trail
        self._pieces: list[str] = []
        self._lists = 0
        self._preformatted = 0
        self._heading = 0

    def run(self, root: LexborNode) -> None:
        pending: list[tuple[LexborNode | None, bool]] = [(root, True)]
        while pending:
            node, entering = pending.pop()
            if node is None:
                continue
            if not entering:
                self._leave(node)
                continue
            if node is not root:
                pending.append((node.next, True))
            pending.append((node, False))
            if self._enter(node):
                pending.append((node.first_child, True))
        self._flush()

    def _enter(self, node: LexborNode) -> bool:
        """Takes note of the node; whether its children are to be visited."""
        tag = node.tag or ""
        if tag == "-text":
            self._pieces.append(self._text(node))
            return False
        if tag == "br":
            self._pieces.append("\n")
            return False
        if tag in _BLOCKS:
            self._flush()
            self._count(tag, 1)
        if tag in _DROPPED or _is_hidden(node):
            return False
        table = data_table(node, _cell_text) if tag == "table" else None
        if table is None:
            return True
        self.blocks += (Block(table.caption, heading_path=self._trail.path),) if table.caption else ()
        self.blocks += table_blocks(table.rows, header=table.header, heading_path=self._trail.path)
        return False

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag in _BLOCKS:
            self._flush()
            self._count(tag, -1)

    def _count(self, tag: str, step: int) -> None:
        if tag in _LISTED:
            self._lists += step
        elif tag == "pre":
            self._preformatted += step
        elif tag in _HEADINGS:
            self._heading = _HEADINGS[tag] if step > 0 else 0

    def _text(self, node: LexborNode) -> str:
        text = clean_characters(node.text_content or "")
        return text if self._preformatted else _ANY_SPACES.sub(" ", text)

    def _flush(self) -> None:
        """Ends the block under way; its kind is that of the elements around it."""
        text = "".join(self._pieces)
        self._pieces.clear()
        if not self._preformatted:
            text = _AROUND_BREAKS.sub("\n", _SPACES.sub(" ", text)).strip()
        if not text.strip():
            return
        if self._heading:
            text = _one_line(text)
            path = self._trail.enter(self._heading, text)
            self.blocks.append(Block(text, BlockKind.HEADING, heading_path=path))
            return
        listed = BlockKind.LIST_ITEM if self._lists else BlockKind.PARAGRAPH
        kind = BlockKind.CODE if self._preformatted else listed
        self.blocks.append(Block(text.strip("\n"), kind, heading_path=self._trail.path))


def _cell_text(node: LexborNode) -> str:
    walk = _Walk(HeadingTrail())
    walk.run(node)
    return " ".join(block.text for block in walk.blocks)


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    if not attributes:
        return False
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or _HIDDEN_STYLE.search(attributes.get("style") or "") is not None
    )
