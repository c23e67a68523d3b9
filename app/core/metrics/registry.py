"""All metrics by their ids. An id is never given to another metric, nor changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.core.errors import InvalidRequestError
from app.core.metrics.answers import answer_relevancy, exact_match, token_f1
from app.core.metrics.contexts import context_hit, context_precision, context_recall
from app.core.metrics.running import cost, latency
from app.core.metrics.sample import Measure
from app.core.metrics.sourced import citation_precision, citation_recall, groundedness


@dataclass(frozen=True, slots=True)
class Metric:
    """A way to measure an answer; docs/metrics.md has all of them at length."""

    id: int
    name: str  # of its scores
    measure: Measure
    description: str
    unit: str = "share"
    highest: float | None = 1.0  # None: no upper bound; the lowest is always 0


_ALL = (
    Metric(1, "exact_match", exact_match, "1 if answer and target have the same words in the same order, else 0."),
    Metric(2, "token_f1", token_f1, "Overlap of the words of answer and target (F1)."),
    Metric(3, "answer_relevancy", answer_relevancy, "Cosine of the vectors of question and answer."),
    Metric(4, "groundedness", groundedness, "Share of the answer's claims that the retrieved chunks support."),
    Metric(5, "citation_precision", citation_precision, "Share of the citations that their claims need."),
    Metric(6, "citation_recall", citation_recall, "Share of the answer's claims that the chunks they cite support."),
    Metric(7, "context_hit", context_hit, "1 if the words of the target stand in one of the retrieved chunks, else 0."),
    Metric(8, "context_recall", context_recall, "Share of the target's claims that the retrieved chunks support."),
    Metric(9, "context_precision", context_precision, "How far at the top the retrieved chunks stand that matter."),
    Metric(10, "latency", latency, "Seconds from the request to the end of the answer.", "seconds", None),
    Metric(11, "cost", cost, "What the tokens of the answer cost.", "US dollars", None),
)
METRICS: Mapping[int, Metric] = {metric.id: metric for metric in _ALL}


def known(ids: Iterable[int], field: str = "eval_metric_ids") -> tuple[int, ...]:
    """The ids, each once; raises InvalidRequestError naming those that no metric has."""
    wanted = tuple(dict.fromkeys(ids))
    if unknown := [each for each in wanted if each not in METRICS]:
        raise InvalidRequestError(
            f"There is no metric {', '.join(map(str, unknown))}. `GET /v1/metrics` lists them all.", field=field
        )
    return wanted
