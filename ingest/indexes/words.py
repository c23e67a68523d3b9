"""Text as the word index sees it: folded words, and pairs of characters where a script has no spaces."""

from __future__ import annotations

import re
import unicodedata

# Scripts without spaces between words (Thai, Lao, Myanmar, Khmer, kana, CJK), and Hangul: as pairs it needs no stemmer.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
# Devanagari to Sinhala: their vowel signs belong to words, which Python does not count so; their full stops do not.
INDIC = "\u0900-\u0963\u0966-\u0dff"
_WORDS = re.compile(rf"[{UNSPACED}]+|(?:[^\W_{UNSPACED}]|[{INDIC}])+")
_UNSPACED = re.compile(rf"[{UNSPACED}]")
# Vowels and lengthening that Arabic and Hebrew may write or leave out.
_OPTIONAL = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]")


def words(text: str) -> list[str]:
    """Words in order: compatibility-folded, lower case; runs of an unspaced script as overlapping pairs."""
    found: list[str] = []
    for run in _WORDS.findall(_OPTIONAL.sub("", unicodedata.normalize("NFKC", text).casefold())):
        if _UNSPACED.match(run) and len(run) > 1:
            found.extend(run[at : at + 2] for at in range(len(run) - 1))
        else:
            found.append(run)
    return found
