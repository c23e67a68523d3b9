"""The canonical text: every block is exactly where its span says."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from ingest.text import join_blocks
from ingest.types import Block, BlockKind

_TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)
_BLOCKS = st.lists(st.builds(Block, text=_TEXTS, kind=st.sampled_from(BlockKind), page=st.none() | st.integers(1, 9)))


@given(_BLOCKS)
def test_spans_are_exact_ascending_and_apart(blocks: list[Block]) -> None:
    canonical = join_blocks(blocks, "test/1")
    assert [canonical.text[span.start : span.end] for span in canonical.spans] == [
        block.text.strip() for block in blocks if block.text.strip()
    ]
    position = 0
    for span in canonical.spans:
        assert canonical.text[position : span.start].strip() == ""
        assert span.start < span.end
        position = span.end
    assert position == len(canonical.text)
    assert canonical.sha256 == hashlib.sha256(canonical.text.encode()).hexdigest()


def test_items_and_rows_stand_closer_than_paragraphs() -> None:
    kinds = [BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.LIST_ITEM, BlockKind.TABLE_ROW, BlockKind.TABLE_ROW]
    canonical = join_blocks([Block(letter, kind) for letter, kind in zip("abcde", kinds, strict=True)], "test/1")
    assert canonical.text == "a\n\nb\nc\n\nd\ne"


def test_what_is_known_of_a_block_is_kept() -> None:
    canonical = join_blocks([Block("x", BlockKind.CODE, 3, ("A", "B"))], "test/1 lib 2", ["page 2 is empty"])
    assert (canonical.spans[0].page, canonical.spans[0].heading_path) == (3, ("A", "B"))
    assert (canonical.extractor, canonical.warnings) == ("test/1 lib 2", ("page 2 is empty",))
