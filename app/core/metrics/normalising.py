"""Texts as SQuAD compares them: without case, punctuation, symbols, articles and marks of citations.

Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text" (2016), §4.3 and its evaluation script.
For languages that put no spaces between words each character is a word, as in MLQA (Lewis et al. 2020).
"""

from __future__ import annotations

import re
import unicodedata

from app.core.citing import MARKER

_ARTICLES = frozenset({"a", "an", "the"})  # SQuAD's; other languages' articles stay, as in the original
_UNSPACED = re.compile(
    r"([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)


def spoken(answer: str) -> str:
    """The answer without its markers."""
    return MARKER.sub(" ", answer)


def words(text: str) -> list[str]:
    """The words of a text in order, normalised."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(character for character in folded if unicodedata.category(character)[0] not in "PS")
    return [word for word in _UNSPACED.sub(r" \1 ", kept).split() if word not in _ARTICLES]


def contains(text: list[str], wanted: list[str]) -> bool:
    """Do the words stand in the text, all together and in order?"""
    size = len(wanted)
    return any(text[at : at + size] == wanted for at in range(len(text) - size + 1))
