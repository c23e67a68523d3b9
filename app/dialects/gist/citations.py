"""An answer's sources as Gist lists them: one citation for each `[n]` that the answer prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.core.attribution import Attribution, address_of, domain_of, repository_uuid
from app.core.types import Citation, Hit, Json

FIRST_WORDS = 20
_FROM_ATTRIBUTES = ("date", "image", "favicon", "favicon40", "favicon24")


def gist_citations(trace_id: str, citations: Sequence[Citation], hits: Sequence[Hit]) -> list[Json]:
    """By the number printed; `ranges` has every use of it, of which the first stands beside Gist's own fields.

    Attributes of the document (`url`, `title`, `date`, `publisher`, ...) fill Gist's fields; what it lacks is null.
    """
    by_marker: dict[int, list[Citation]] = {}
    for citation in citations:
        by_marker.setdefault(citation.marker, []).append(citation)
    return [
        _citation(trace_id, by_marker[marker], hits[marker - 1] if 1 <= marker <= len(hits) else None)
        for marker in sorted(by_marker)
    ]


def gist_attributions(attribution: Attribution) -> dict[str, Json]:
    """Shares from 0 to 1; those of each kind add to 1."""
    return {
        "credit_dist": dict(attribution.urls),
        "domain_credit_dist": dict(attribution.domains),
        "document_credit_dist": dict(attribution.documents),
        "publisher_credit_dist": dict(attribution.repositories),
    }


def _citation(trace_id: str, uses: Sequence[Citation], hit: Hit | None) -> Json:
    first = uses[0]
    attributes: Mapping[str, Json] = {} if hit is None else hit.attributes
    return {
        "citationId": first.marker,
        "id": f"{trace_id}-{first.marker}",
        "url": address_of(attributes),
        "domain": domain_of(attributes),
        "title": _text(attributes, "title") or first.document_name,
        "source": _text(attributes, "source") or _text(attributes, "publisher"),
        "first_words": None if hit is None else " ".join(hit.content.split()[:FIRST_WORDS]),
        "publisher_id": None if hit is None else repository_uuid(hit.repository_id),
        **{name: _text(attributes, name) for name in _FROM_ATTRIBUTES},
        "document_name": first.document_name,
        "repository_id": None if hit is None else hit.repository_id,
        **_range(first),
        "ranges": [_range(use) for use in uses],
    }


def _range(use: Citation) -> dict[str, Json]:
    """A slice of the document for a slice of the answer: what `POST /v1/citations/verify` re-checks."""
    return {
        "marker": use.marker,
        "text_sha256": use.text_sha256,
        "document_id": use.document_id,
        "start": use.start,
        "end": use.end,
        "page": use.page,
        "quote": use.quote,
        "quote_sha256": use.quote_sha256,
        "verdict": str(use.verdict),
        "answer_start": use.answer_start,
        "answer_end": use.answer_end,
    }


def _text(attributes: Mapping[str, Json], name: str) -> str | None:
    value = attributes.get(name)
    return None if value is None or value == "" else str(value)
