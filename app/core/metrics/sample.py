"""What a metric is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from app.core.types import Citation, Completion, Hit, Usage


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer with all that it can be measured by."""

    question: str
    answer: str  # with its markers
    hits: tuple[Hit, ...] = ()  # marker n is the n-th
    citations: tuple[Citation, ...] = ()
    target: str | None = None  # what should be answered
    searched: bool = True  # were documents searched
    refused: bool = False  # nothing was similar enough: no model was asked
    usage: Usage = field(default_factory=Usage)
    latency_s: float = 0.0
    cost: float | None = None  # US dollars; None where no price is known


@dataclass(frozen=True, slots=True)
class Measured:
    """A score, or None where the metric does not apply; and why. The reason repeats nothing of question or answer."""

    score: float | None
    reason: str


class Meaning(Protocol):
    """Compares texts by what they mean."""

    def similarity(self, text: str, others: Sequence[str]) -> float:
        """The highest cosine of `text` with one of the others, -1..1; -1 where there is nothing to compare."""
        ...


Measure = Callable[[Sample, Meaning | None], Measured]


def sample_of(completion: Completion) -> Sample:
    """A completion as metrics see it; of several answers the first."""
    answer = completion.answer
    return Sample(
        question=completion.question,
        answer=answer.finished.text,
        hits=answer.retrieved.hits,
        citations=answer.finished.citations,
        target=completion.ask.log.target,
        searched=answer.retrieved.asked,
        refused=answer.finished.refused,
        usage=answer.finished.usage,
        latency_s=completion.duration_ms / 1000,
        cost=answer.finished.cost,
    )
