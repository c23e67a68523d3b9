"""Re-checks an answer against canonical texts: with no model, no index and no trust in who made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.citing import sha256
from app.core.types import Json


@dataclass(frozen=True, slots=True)
class Checked:
    """One citation or chunk, and whether it holds."""

    what: str  # citation or document_chunk
    marker: int | None
    valid: bool
    reason: str


def texts_needed(answer: Mapping[str, Json]) -> set[str]:
    """The hashes of the canonical texts that checking this answer takes."""
    items = [*_items(answer, "citations"), *_items(answer, "document_chunks")]
    return {item["text_sha256"] for item in items if isinstance(item.get("text_sha256"), str)}


def verify(answer: Mapping[str, Json], texts: Mapping[str, str]) -> list[Checked]:
    """Checks every citation and every chunk of an answer in any dialect; `texts` by their sha256."""
    trusted = {digest: text for digest, text in texts.items() if sha256(text) == digest}
    said = answer_text(answer)
    checked = [_citation(item, trusted, said) for item in _items(answer, "citations")]
    return checked + [_chunk(item, trusted) for item in _items(answer, "document_chunks")]


def answer_text(answer: Mapping[str, Json]) -> str | None:
    """The answer's words, where the JSON holds them."""
    choices = answer.get("choices")
    if isinstance(choices, Sequence) and choices and isinstance(choices[0], Mapping):
        message = choices[0].get("message")
        if isinstance(message, Mapping) and isinstance(message.get("content"), str):
            return str(message["content"])
    text = answer.get("answer")
    return text if isinstance(text, str) else None


def _items(answer: Mapping[str, Json], name: str) -> list[Mapping[str, Json]]:
    found = answer.get(name)
    # What is no object has no offsets, and so fails: left out, it would let a list of nonsense pass.
    return [item if isinstance(item, Mapping) else {} for item in found] if isinstance(found, list) else []


def _citation(item: Mapping[str, Json], texts: Mapping[str, str], said: str | None) -> Checked:
    marker = item.get("marker") if isinstance(item.get("marker"), int) else None
    if item.get("verdict") == "fabricated":
        return Checked("citation", marker, False, f"marker [{marker}] names no source of this answer")
    reason = _slice_fault(item, "quote", texts)
    if reason is None and sha256(str(item.get("quote"))) != item.get("quote_sha256"):
        reason = "quote_sha256 is not the hash of the quote"
    if reason is None and item.get("verdict") == "verbatim" and said is not None:
        start, end = item.get("answer_start"), item.get("answer_end")
        if not isinstance(start, int) or not isinstance(end, int) or item["quote"] not in said[start:end]:
            reason = "the answer does not say these words at answer_start..answer_end"
    return Checked("citation", marker, reason is None, reason or str(item.get("verdict", "holds")))


def _chunk(item: Mapping[str, Json], texts: Mapping[str, str]) -> Checked:
    marker = item.get("marker") if isinstance(item.get("marker"), int) else None
    reason = _slice_fault(item, "content", texts)
    return Checked("document_chunk", marker, reason is None, reason or "is a slice of its document")


def _slice_fault(item: Mapping[str, Json], name: str, texts: Mapping[str, str]) -> str | None:
    start, end, digest, words = item.get("start"), item.get("end"), item.get("text_sha256"), item.get(name)
    if not isinstance(start, int) or not isinstance(end, int) or not isinstance(digest, str):
        return "start, end or text_sha256 is missing"
    if not isinstance(words, str):
        return f"{name} is missing"
    text = texts.get(digest)
    if text is None:
        return f"no text with sha256 {digest} is known here: the document was changed or deleted, or is another's"
    if not 0 <= start < end <= len(text):
        return f"{start}..{end} lies outside the text of {len(text)} characters"
    expected = text[start:end]
    if item.get(f"{name}_truncated") is True:
        return None if expected.startswith(words) else f"the text at {start}..{end} says something else"
    return None if expected == words else f"the text at {start}..{end} says something else"
