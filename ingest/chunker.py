"""Cuts a canonical text into chunks that an embedder reads whole: pure, exact, deterministic.

blocks → pieces (a block, a sentence, or as many words as fit) → groups (one heading, one page) → chunks
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.sentences import sentence_spans
from ingest.token_ruler import TokenRuler
from ingest.types import BlockKind, BlockSpan, CanonicalText, ChunkSpan, Tokenizer

VERSION = 2  # part of an index's fingerprint: raise it whenever the same text would be cut elsewhere
MAX_CHARACTERS = 8_000  # a chunk's; a tokenizer may call a megabyte without spaces one unknown word
ROWS_SHARE = 3  # a chunk of table rows aims for this part of the target
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")  # hold emoji together


@dataclass(frozen=True, slots=True)
class _Piece:
    """A range that is not cut unless it is too long, and the block (by number) whose place it has."""

    start: int
    end: int
    block: int


def chunk_text(text: CanonicalText, tokenizer: Tokenizer, max_tokens: int, target_tokens: int = 200) -> list[ChunkSpan]:
    """The chunks of `text`, ascending; together they hold every visible character of its blocks exactly once.

    None is longer than `max_tokens` when tokenised by itself, nor than MAX_CHARACTERS; none begins or ends with
    white space. Blocks under one heading on one page share chunks of up to `target_tokens`; a heading stands in
    the chunk of what follows it.
    """
    if max_tokens < 1 or target_tokens < 1:
        raise ValueError("A chunk has at least one token.")
    return _Chunker(text, tokenizer, max_tokens, min(target_tokens, max_tokens)).chunks()


class _Chunker:
    def __init__(self, text: CanonicalText, tokenizer: Tokenizer, limit: int, target: int) -> None:
        self._text = text.text
        self._spans = text.spans
        self._span_starts = [span.start for span in text.spans]
        self._tokenizer = tokenizer
        self._ruler = TokenRuler(text.text, tokenizer)
        self._limit = limit
        self._target = target

    def chunks(self) -> list[ChunkSpan]:
        groups = self._merge_small([list(self._pieces(first, last)) for first, last in _sections(self._spans)])
        packed = (span for group in groups for span in self._pack(group))
        return [chunk for start, end in packed for chunk in self._finish(start, end)]

    def _fits(self, start: int, end: int, tokens: int) -> bool:
        return end - start <= MAX_CHARACTERS and self._ruler.count(start, end) <= tokens

    # ── blocks to pieces ──

    def _pieces(self, first: int, last: int) -> Iterator[_Piece]:
        """The pieces of the blocks numbered `first` to `last`; a heading and the piece after it are one."""
        heading: _Piece | None = None
        for number in range(first, last + 1):
            span = self._spans[number]
            for start, end in self._split_block(span):
                piece = _Piece(start, end, number)
                if heading is not None:
                    if self._fits(heading.start, end, self._limit):
                        piece = _Piece(heading.start, end, number)
                    else:
                        yield heading
                    heading = None
                if span.kind is BlockKind.HEADING:
                    heading = piece
                else:
                    yield piece
        if heading is not None:
            yield heading

    def _split_block(self, span: BlockSpan) -> Iterator[tuple[int, int]]:
        if self._fits(span.start, span.end, self._target):
            yield span.start, span.end
            return
        for start, end in sentence_spans(self._text[span.start : span.end]):
            yield from self._split_sentence(span.start + start, span.start + end)

    def _split_sentence(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        while not self._fits(start, end, self._target):
            reach = self._ruler.reach(start, self._target)
            cut = self._cut(start, min(end - 1, start + MAX_CHARACTERS, reach if reach is not None else end))
            yield self._trimmed(start, cut)
            start = self._trimmed(cut, end)[0]
        yield start, end

    def _cut(self, start: int, latest: int) -> int:
        """The best place for a cut after `start` and not after `latest`: a space, or between two characters."""
        latest = max(latest, start + 1)
        if self._text[latest].isspace():
            return latest
        words = self._text[start:latest].rsplit(None, 1)
        if len(words) == 2 and 2 * len(words[0]) > latest - start:
            return latest - len(words[1])
        for cut in range(latest, max(start, latest - 16), -1):
            joined = self._text[cut] in _JOINERS or self._text[cut - 1] == "\u200d"
            if not joined and not unicodedata.combining(self._text[cut]):
                return cut
        return latest

    def _trimmed(self, start: int, end: int) -> tuple[int, int]:
        piece = self._text[start:end]
        return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())

    # ── pieces to chunks ──

    def _merge_small(self, groups: list[list[_Piece]]) -> list[list[_Piece]]:
        """Joins groups that are too small to be found by themselves, within one outermost heading."""
        merged: list[list[_Piece]] = []
        for group in groups:
            if merged and self._belong_together(merged[-1], group):
                merged[-1] += group
            else:
                merged.append(group)
        return merged

    def _belong_together(self, before: list[_Piece], group: list[_Piece]) -> bool:
        outermost = (self._spans[each.block].heading_path[:1] for each in (before[-1], group[0]))
        if len(set(outermost)) > 1 or not self._fits(before[0].start, group[-1].end, self._target):
            return False
        small = self._target // 4
        return self._fits(before[0].start, before[-1].end, small) or self._fits(group[0].start, group[-1].end, small)

    def _pack(self, group: Sequence[_Piece]) -> Iterator[tuple[int, int]]:
        """As few chunks as the target allows, of about equal size."""
        first, last = group[0], group[-1]
        # Rows of a table say different things in the same words: a few of them are found, a page of them is not.
        rows = all(self._spans[piece.block].kind is BlockKind.TABLE_ROW for piece in group)
        target = self._target // ROWS_SHARE if rows else self._target
        if self._fits(first.start, last.end, target if rows else self._limit):
            yield first.start, last.end
            return
        start, share = first.start, self._share(first.start, last.end, target)
        for piece, following in pairwise(group):
            tokens = self._ruler.count(start, piece.end)
            with_next = self._ruler.count(start, following.end)
            too_long = not self._fits(start, following.end, target)
            if too_long or with_next - share > share - tokens:
                yield start, piece.end
                start, share = following.start, self._share(following.start, last.end, target)
        yield start, last.end

    def _share(self, start: int, end: int, target: int) -> float:
        """Tokens of each chunk when the range is cut evenly."""
        tokens = self._ruler.count(start, end)
        return tokens / max(1, -(-tokens // target))

    def _finish(self, start: int, end: int) -> Iterator[ChunkSpan]:
        """The chunk, or several if its slice alone has more tokens than it had as a part of the text.

        A slice between white space has the same tokens, give or take a few at its ends.
        """
        tokens = self._ruler.count(start, end)
        between_spaces = self._text[start - 1 : start].strip() == "" == self._text[end : end + 1].strip()
        if not between_spaces or 8 * tokens > 7 * self._limit:
            tokens = len(self._tokenizer.offsets(self._text[start:end]))
        if tokens > self._limit and end - start > 1:
            middle = self._cut(start, (start + end) // 2)
            yield from self._finish(*self._trimmed(start, middle))
            yield from self._finish(*self._trimmed(middle, end))
            return
        place = self._place(start, end)
        yield ChunkSpan(start, end, tokens, place.page, place.heading_path)

    def _place(self, start: int, end: int) -> BlockSpan:
        """The first block in the range that is no heading; the first one if all are."""
        first = bisect_right(self._span_starts, start) - 1
        for number in range(first, bisect_left(self._span_starts, end)):
            if self._spans[number].kind is not BlockKind.HEADING:
                return self._spans[number]
        return self._spans[first]


def _sections(spans: Sequence[BlockSpan]) -> Iterator[tuple[int, int]]:
    """First and last number of the blocks under one heading on one page; headings go with what follows them."""
    first = 0
    for number, (span, following) in enumerate(pairwise(spans)):
        if span.kind is BlockKind.HEADING:
            continue
        if following.kind is BlockKind.HEADING or (span.page, span.heading_path) != (
            following.page,
            following.heading_path,
        ):
            yield first, number
            first = number + 1
    if spans:
        yield first, len(spans) - 1
