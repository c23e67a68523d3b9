"""From bytes to clean characters: which encoding a text is in, and which characters carry no text."""

from __future__ import annotations

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 256 * 1024
_ENOUGH_TO_GUESS = 200  # bytes; below, charset-normalizer mistakes cp1252 for cp1250 or cp1006
_NEWLINES = re.compile("\r\n?|\x85|\u2028|\x0b")
_PARAGRAPHS = re.compile("[\x0c\u2029]")
# C0 and C1 controls, lone surrogates (not encodable), byte order marks, non-characters, soft hyphens
_WITHOUT_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\ud800-\udfff\ufeff\ufffe\uffff]")


def clean_characters(text: str) -> str:
    """The text with "\\n" for every kind of line end, and without characters that no reader can see or store."""
    return _WITHOUT_TEXT.sub("", _PARAGRAPHS.sub("\n\n", _NEWLINES.sub("\n", text)))


def decode_bytes(data: bytes, declared: str | None = None) -> str:
    """The clean text of `data`, in the `declared` encoding where that is possible, else in the most likely one.

    Never fails: bytes without meaning become U+FFFD.
    """
    return clean_characters(_decode(data, declared))


def _decode(data: bytes, declared: str | None) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    wide = _wide_encoding(data[:_SAMPLE_BYTES])
    if wide:
        return data.decode(wide, "replace")
    for encoding in filter(None, (declared, "utf-8")):
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    damaged = data.decode("utf-8", "replace")
    if 3 * damaged.count("\ufffd") < sum(character > "\x7f" for character in damaged):
        return damaged  # UTF-8 with some broken characters
    return data.decode(_legacy_encoding(data[:_SAMPLE_BYTES]), "replace")


def _wide_encoding(sample: bytes) -> str | None:
    """UTF-16 or UTF-32 without a byte order mark, seen by where the NUL bytes are."""
    if sample.count(0) * 10 < len(sample):
        return None
    nuls = [sample[place::4].count(0) * 4 for place in range(4)]  # per place in a group of four, of len(sample)
    most, few = 0.9 * len(sample), 0.1 * len(sample)
    if min(nuls[2:]) > most and nuls[0] < few:
        return "utf-32-le"
    if min(nuls[:2]) > most and nuls[3] < few:
        return "utf-32-be"
    even, odd = nuls[0] + nuls[2], nuls[1] + nuls[3]
    if 4 * even < odd:
        return "utf-16-le"
    return "utf-16-be" if 4 * odd < even else None


def _legacy_encoding(sample: bytes) -> str:
    """An encoding from before Unicode; cp1252 unless there is enough text to know better."""
    from charset_normalizer import from_bytes

    dense = 3 * sum(byte > 0x7F for byte in sample) > len(sample)  # not a Latin script: even a few words tell
    if not dense and len(sample) <= _ENOUGH_TO_GUESS:
        return "cp1252"
    matches = from_bytes(sample)
    best = matches.best()
    if best is None or any(match.encoding == "cp1252" and match.chaos <= best.chaos for match in matches):
        return "cp1252"  # by far the most frequent of the encodings that make equal sense of the bytes
    return best.encoding
