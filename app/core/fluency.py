"""How well an embedding model can read a question, told by its vocabulary alone: no label, no language detector.

A vocabulary learned from a language has its words whole or in a few long pieces; a script that it knows only letter by
letter, it cannot read, and the vectors of two such texts are near each other whatever they say. MiniLM reads English
(.98), German and Spanish half (.75), Russian, Arabic and Chinese not at all (.27).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.types import Tokenizer

_WORDS = re.compile(r"[^\W_]+")
# Scripts whose words have two characters or so, and no spaces between them.
_SHORT_WORDS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]"
)
LONG_PIECE, SHORT_PIECE = 4, 2  # characters of a piece that carries meaning
UNREAD, READ = 0.5, 0.95  # below the first nothing is trusted, from the second on all
LONGEST, LONGEST_SHORT = 24, 6  # characters of one piece; a longer one stands for what the vocabulary does not have


def fluency(question: str, tokenizer: Tokenizer) -> float:
    """From 0 (the model sees only letters) to 1 (it sees words); 1 for a question without a word."""
    read = piece_length(question, tokenizer)
    return 1.0 if read is None else min(1.0, max(0.0, (read - UNREAD) / (READ - UNREAD)))


def piece_length(question: str, tokenizer: Tokenizer) -> float | None:
    """The mean length of its words' pieces, as a share of one that carries meaning (at most 1); None without words."""
    pieces = tokenizer.offsets(question)
    letters, read, at = 0, 0.0, 0
    for word in _WORDS.finditer(question):
        length = word.end() - word.start()
        while at < len(pieces) and pieces[at][1] <= word.start():
            at += 1
        inside: list[tuple[int, int]] = []
        while at + len(inside) < len(pieces) and pieces[at + len(inside)][0] < word.end():
            inside.append(pieces[at + len(inside)])
        letters += length
        read += length * _share(word.group(), inside)
    return read / letters if letters else None


def _share(word: str, pieces: Sequence[tuple[int, int]]) -> float:
    short = _SHORT_WORDS.match(word) is not None
    if len(pieces) > 1:
        return min(1.0, len(word) / len(pieces) / (SHORT_PIECE if short else LONG_PIECE))
    longest = max((end - start for start, end in pieces), default=0)
    known = 0 < longest <= (LONGEST_SHORT if short else LONGEST)
    return 1.0 if known and (word.isascii() or len(word) > 1) else 0.0
