"""Parea's experiments: as its SDK begins, ends and lists them, and the figures it reads of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from app.core.experiments import Experiment, ExperimentStatus, Statistic, TraceFigures, statistics_of
from app.core.types import Json
from app.dialects.parea.completions import timestamp
from app.dialects.parea.logs import Score
from app.dialects.parea.wire import Wire


class CreateExperiment(Wire):
    """A run that is about to begin; of one name in one project each run has a name of its own."""

    name: str = Field(min_length=1, max_length=500)
    run_name: str = Field(min_length=1, max_length=500)
    metadata: dict[str, Any] | None = None
    project_uuid: str | None = Field(None, description="As `POST /project` gave it, or `default`.")


class FinishExperiment(Wire):
    status: ExperimentStatus
    dataset_level_stats: list[Score] | None = Field(None, description="Scores of the whole run.")


class ListExperiments(Wire):
    """What is asked for holds together; null asks for nothing."""

    project_name: str | None = None
    metadata_filter: dict[str, Any] | None = Field(None, description="All of these, with these very values.")
    experiment_name_filter: str | None = None
    run_name_filter: str | None = None
    experiment_uuids: list[str] | None = Field(None, max_length=1000)


class ExperimentShape(BaseModel):
    name: str
    uuid: str
    created_at: str
    run_name: str
    project_uuid: str
    status: ExperimentStatus
    is_public: bool
    metadata: dict[str, str]


class PinnedStatistic(BaseModel):
    var1: str
    operation: str = Field(description="mean, standard_deviation, min, max; custom for a score of the whole run.")
    value: float
    var2: str | None = None


class ListedExperiment(ExperimentShape):
    pinned_stats: list[PinnedStatistic]
    num_samples: int


class ScoreShape(BaseModel):
    id: int | None
    name: str
    score: float
    reason: str | None


class SampleShape(BaseModel):
    """One tree of traces: its top's latency, and what all in it took and scored."""

    trace_id: str
    latency: float
    input_tokens: int
    output_tokens: int
    total_tokens: int
    cost: float | None
    scores: list[ScoreShape]


class ExperimentStats(BaseModel):
    parent_trace_stats: list[SampleShape]


def texts_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as text: what is none becomes its JSON."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def show_experiment(experiment: Experiment) -> ExperimentShape:
    """An experiment without its figures."""
    return ExperimentShape(
        name=experiment.name,
        uuid=experiment.id,
        created_at=timestamp(experiment.created_at),
        run_name=experiment.run_name,
        project_uuid=experiment.workspace_id,
        status=experiment.status,
        is_public=False,
        metadata=dict(experiment.metadata),
    )


def show_listed(experiment: Experiment, samples: Sequence[TraceFigures]) -> ListedExperiment:
    """An experiment with the statistics of its samples, and the scores that were told at its end."""
    pinned = [each for statistic in statistics_of(samples) for each in _pinned(statistic)]
    pinned += [
        PinnedStatistic(var1=score["name"], operation="custom", value=score["score"])
        for score in experiment.dataset_stats
    ]
    shown = show_experiment(experiment)
    return ListedExperiment(**shown.model_dump(), pinned_stats=pinned, num_samples=len(samples))


def show_stats(samples: Sequence[TraceFigures]) -> ExperimentStats:
    """The figures of each sample."""
    return ExperimentStats(parent_trace_stats=[_sample(sample) for sample in samples])


def _sample(sample: TraceFigures) -> SampleShape:
    return SampleShape(
        trace_id=sample.id,
        latency=sample.latency_s,
        input_tokens=sample.prompt_tokens,
        output_tokens=sample.completion_tokens,
        total_tokens=sample.prompt_tokens + sample.completion_tokens,
        cost=sample.cost,
        scores=[_score(score) for score in sample.scores],
    )


def _score(score: Mapping[str, Json]) -> ScoreShape:
    return ScoreShape(id=score.get("id"), name=score["name"], score=score["score"], reason=score.get("reason"))


def _pinned(statistic: Statistic) -> list[PinnedStatistic]:
    values = {
        "mean": statistic.mean,
        "standard_deviation": statistic.deviation,
        "min": statistic.lowest,
        "max": statistic.highest,
    }
    return [PinnedStatistic(var1=statistic.name, operation=name, value=value) for name, value in values.items()]
