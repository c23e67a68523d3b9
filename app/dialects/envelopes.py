"""Which error body a path's clients understand; the union body wherever no dialect has the path to itself."""

from __future__ import annotations

from collections.abc import Callable

from app.core.errors import AppError
from app.dialects.base import Refusal
from app.dialects.errors import union_refusal

Envelope = Callable[[AppError], Refusal]
BY_PREFIX: tuple[tuple[str, Envelope], ...] = ()


def envelope_of(path: str) -> Envelope:
    """The envelope of a request that no dialect has claimed yet."""
    return next((envelope for prefix, envelope in BY_PREFIX if path.startswith(prefix)), union_refusal)
