"""Experiments: one function run over many inputs, each run a tree of traces; and what came of them."""

from __future__ import annotations

import enum
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.core.trace_query import as_number
from app.core.types import Json


class ExperimentStatus(enum.StrEnum):
    """The life of an experiment, in Parea's words."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class NewExperiment:
    """A run that is about to begin."""

    workspace_id: str
    name: str
    run_name: str  # of one workspace and name only one run
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Experiment:
    """One run."""

    id: str  # UUID
    workspace_id: str
    name: str
    run_name: str
    metadata: Mapping[str, str]
    status: ExperimentStatus
    dataset_stats: tuple[Mapping[str, Json], ...]  # [{"name", "score", "reason"}], of the whole run, told at its end
    created_at: float  # Unix seconds
    finished_at: float | None


@dataclass(frozen=True, slots=True)
class ExperimentFilter:
    """Which experiments; None asks for nothing."""

    workspace_id: str | None = None
    name: str | None = None
    run_name: str | None = None
    metadata: Mapping[str, Json] | None = None  # all of these
    ids: tuple[str, ...] | None = None

    def takes(self, metadata: Mapping[str, str]) -> bool:
        """Does an experiment with this metadata have all that is asked for?"""
        wanted = self.metadata or {}
        return all(key in metadata and metadata[key] in (value, str(value)) for key, value in wanted.items())


@dataclass(frozen=True, slots=True)
class TraceFigures:
    """The figures of one trace of an experiment."""

    id: str
    parent_id: str | None
    latency_s: float
    prompt_tokens: int
    completion_tokens: int
    cost: float | None  # US dollars
    scores: tuple[Mapping[str, Json], ...] = ()


@dataclass(frozen=True, slots=True)
class Statistic:
    """One figure over all samples of an experiment that have it."""

    name: str
    count: int
    mean: float
    deviation: float  # of these very samples, not an estimate of others'
    lowest: float
    highest: float


FIGURES: Mapping[str, Callable[[TraceFigures], float | None]] = {
    "latency": lambda sample: sample.latency_s,
    "input_tokens": lambda sample: sample.prompt_tokens,
    "output_tokens": lambda sample: sample.completion_tokens,
    "total_tokens": lambda sample: sample.prompt_tokens + sample.completion_tokens,
    "cost": lambda sample: sample.cost,
}


def samples_of(traces: Sequence[TraceFigures]) -> tuple[TraceFigures, ...]:
    """One for each tree of traces, in their order: the top's latency, and the tokens, costs and scores of all in it.

    A trace whose parent is not in the experiment is the top of a tree. Scores without a number are left out.
    """
    under: dict[str, list[TraceFigures]] = {}
    known = {trace.id for trace in traces}
    tops = []
    for trace in traces:
        if trace.parent_id in known and trace.parent_id != trace.id:
            under.setdefault(str(trace.parent_id), []).append(trace)
        else:
            tops.append(trace)
    return tuple(_summed(top, under) for top in tops)


def statistics_of(samples: Sequence[TraceFigures]) -> tuple[Statistic, ...]:
    """Mean, deviation and range of every figure; a score takes the place of a figure with its name."""
    values = {
        name: [value for sample in samples if (value := read(sample)) is not None] for name, read in FIGURES.items()
    }
    scores: dict[str, list[float]] = {}
    for sample in samples:
        for score in sample.scores:
            scores.setdefault(score["name"], []).append(score["score"])
    return tuple(_statistic(name, found) for name, found in (values | scores).items() if found)


def numbered(scores: Iterable[Mapping[str, Json]]) -> tuple[Mapping[str, Json], ...]:
    """The scores that are numbers: a metric that does not apply gives none, and clients can read no other."""
    found = ((each, as_number(each.get("score"))) for each in scores)
    return tuple({**each, "score": number} for each, number in found if number is not None)


def _summed(top: TraceFigures, under: Mapping[str, Sequence[TraceFigures]]) -> TraceFigures:
    tree = [top]
    for trace in tree:  # grows while it is read; a circle of parents has no top and is never entered
        tree += under.get(trace.id, ())
    costs = [trace.cost for trace in tree if trace.cost is not None]
    return TraceFigures(
        id=top.id,
        parent_id=None,
        latency_s=top.latency_s,
        prompt_tokens=sum(trace.prompt_tokens for trace in tree),
        completion_tokens=sum(trace.completion_tokens for trace in tree),
        cost=sum(costs) if costs else None,
        scores=numbered(score for trace in tree for score in trace.scores),
    )


def _statistic(name: str, values: Sequence[float]) -> Statistic:
    deviation = statistics.pstdev(values)
    return Statistic(name, len(values), statistics.fmean(values), deviation, min(values), max(values))
