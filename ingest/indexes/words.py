"""Text as the word index sees it: folded words, and pairs of characters where a script has no spaces."""

from __future__ import annotations

import re
import unicodedata

# Scripts without spaces between words (Thai, Lao, Myanmar, Khmer, kana, CJK), and Hangul: as pairs it needs no stemmer.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORDS = re.compile(rf"[{UNSPACED}]+|[^\W_{UNSPACED}]+")
_UNSPACED = re.compile(rf"[{UNSPACED}]")


def words(text: str) -> list[str]:
    """Words in order: compatibility-folded, lower case; runs of an unspaced script as overlapping pairs."""
    found: list[str] = []
    for run in _WORDS.findall(unicodedata.normalize("NFKC", text).casefold()):
        if _UNSPACED.match(run) and len(run) > 1:
            found.extend(run[at : at + 2] for at in range(len(run) - 1))
        else:
            found.append(run)
    return found
