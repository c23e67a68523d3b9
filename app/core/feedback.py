"""What people say of an answer afterwards: Prem's thumb and corrected messages, Parea's score and target."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from app.core.types import Json


@dataclass(frozen=True, slots=True)
class NewFeedback:
    """An opinion of one trace; each part is None (or empty) where it was not given."""

    trace_id: str
    positive: bool | None = None
    score: float | None = None  # 0..1
    name: str | None = None  # of what is judged, where a trace is judged in several ways
    target: str | None = None  # what should have been answered
    comment: str | None = None
    messages: tuple[Mapping[str, Json], ...] = ()  # the conversation as it should have been


@dataclass(frozen=True, slots=True)
class Feedback:
    """A kept opinion."""

    id: int
    given: NewFeedback
    user: str
    created_at: float


def keepable(feedback: NewFeedback, omitted: Collection[str]) -> NewFeedback:
    """The feedback without what repeats inputs or outputs that its trace was told not to keep.

    A target belongs to the inputs, as it does in a request; corrected messages repeat both.
    """
    return replace(
        feedback,
        target=None if "inputs" in omitted else feedback.target,
        messages=() if omitted else feedback.messages,
    )
