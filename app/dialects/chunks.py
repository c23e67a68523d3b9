"""The parts of an answer that every dialect shows alike: document_chunks, citations, retrieval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from app.core.citing import cited_markers
from app.core.tracing import describe_citation, describe_funnel
from app.core.types import Citation, Finished, Hit, Json, Retrieved


def document_chunks(hits: Sequence[Hit], citations: Sequence[Citation] = ()) -> list[Json]:
    """Prem's fields first, then what makes a chunk checkable; marker n is the n-th."""
    cited = cited_markers(citations)
    return [
        {
            "repository_id": hit.repository_id,
            "document_id": hit.document_id,
            "chunk_id": hit.chunk_id,
            "document_name": hit.document_name,
            "similarity_score": round(hit.score, 6),
            "content": hit.content,
            "marker": marker,
            "start": hit.start,
            "end": hit.end,
            "page": hit.page,
            "heading_path": list(hit.heading_path),
            "text_sha256": hit.text_sha256,
            "cited": marker in cited,
            "raw_scores": {name: round(value, 6) for name, value in hit.raw_scores.items()},
        }
        for marker, hit in enumerate(hits, 1)
    ]


def evidence(retrieved: Retrieved, finished: Finished, trace_id: str) -> dict[str, Json]:
    """What stands beside the answer; `attempts` are the models that did not answer before this one did."""
    return {
        "document_chunks": document_chunks(
            retrieved.hits, [citation for choice in finished.choices for citation in choice.citations]
        ),
        "citations": [describe_citation(citation) for citation in finished.citations],
        "retrieval": describe_funnel(retrieved.funnel) if retrieved.asked else None,
        "refused": finished.refused,
        "attempts": [asdict(attempt) for attempt in finished.attempts],
        "cost": finished.cost,
        "cached": finished.cached,
        "trace_id": trace_id,
    }
