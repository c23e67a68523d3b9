"""Measures ranges of a text in tokens, after tokenising it once."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left

from ingest.types import Tokenizer

_SECTION = 50_000  # characters tokenised at a time; more are slower and take much memory
_SPACE = re.compile(r"\s")


class TokenRuler:
    """Where the tokens of `text` begin. Positions are code points."""

    def __init__(self, text: str, tokenizer: Tokenizer) -> None:
        self._starts = array("Q")
        begin = 0
        while begin < len(text):
            space = _SPACE.search(text, min(begin + _SECTION, len(text)), begin + _SECTION + 10_000)
            end = space.start() if space else begin + _SECTION
            self._starts.extend(begin + start for start, _ in tokenizer.offsets(text[begin:end]))
            begin = end

    def count(self, start: int, end: int) -> int:
        """How many tokens begin in `text[start:end]`."""
        return bisect_left(self._starts, end) - bisect_left(self._starts, start)

    def reach(self, start: int, tokens: int) -> int | None:
        """The greatest end for which `count(start, end)` is at most `tokens`; None if the text ends before."""
        index = bisect_left(self._starts, start) + tokens
        return self._starts[index] if index < len(self._starts) else None
