"""Which error body a path's clients understand; the union body wherever no dialect has the path to itself."""

from __future__ import annotations

from collections.abc import Callable

from app.core.errors import AppError
from app.dialects.base import Refusal
from app.dialects.errors import union_refusal
from app.dialects.gist.errors import gist_refusal
from app.dialects.parea.completions import parea_refusal

Envelope = Callable[[AppError], Refusal]
BY_PREFIX: tuple[tuple[str, Envelope], ...] = (
    ("/gist/", gist_refusal),
    ("/api/parea/", parea_refusal),
    ("/v1/chat/completions", union_refusal),  # whoever claims the request has the last word
    ("/v1/chat", gist_refusal),
    ("/v1/threads", gist_refusal),
    ("/v1/questions", gist_refusal),
    ("/v1/publishers", gist_refusal),
    ("/v1/summaries", gist_refusal),
    ("/ingest/", gist_refusal),
)


def envelope_of(path: str) -> Envelope:
    """The envelope of a request that no dialect has claimed yet."""
    return next((envelope for prefix, envelope in BY_PREFIX if path.startswith(prefix)), union_refusal)


def envelopes_of(path: str) -> tuple[Envelope, ...]:
    """Every envelope that a path's errors may come in: more than one where dialects share the path."""
    shared = (gist_refusal,) if path == "/v1/chat/completions" else ()
    return (envelope_of(path), *shared)
