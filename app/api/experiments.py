"""Experiments as Footnote's own page reads them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.api.caller import PartsNow, Reader
from app.api.schemas import Shape
from app.core.experiments import Experiment, ExperimentFilter, TraceFigures, samples_of, statistics_of

router = APIRouter(prefix="/v1/experiments", tags=["experiments"])


class StatisticShape(Shape):
    name: str = Field(examples=["groundedness"])
    count: int = Field(description="Samples that have it.")
    mean: float
    deviation: float = Field(description="Standard deviation of these very samples.")
    lowest: float
    highest: float


class ExperimentSummary(Shape):
    id: str
    workspace_id: str
    name: str
    run_name: str
    metadata: dict[str, str]
    status: str = Field(description="pending, running, completed or failed.")
    created_at: float = Field(description="Unix seconds.")
    finished_at: float | None
    sample_count: int
    statistics: list[StatisticShape]


class SampleFigures(Shape):
    """One tree of traces: its top's latency, and the tokens, costs and scores of all in it."""

    id: str = Field(description="Of the trace at the top.")
    latency_s: float
    prompt_tokens: int
    completion_tokens: int
    cost: float | None = Field(description="US dollars.")
    scores: list[dict[str, Any]]


class ExperimentDetail(ExperimentSummary):
    dataset_stats: list[dict[str, Any]] = Field(description="Scores of the whole run, told at its end.")
    samples: list[SampleFigures]


class ExperimentPage(BaseModel):
    experiments: list[ExperimentSummary]
    next_before: str | None = Field(description="Pass as `before` for the next page; null on the last.")


@router.get("", summary="List experiments, newest first")
async def all_experiments(
    caller: Reader,
    parts: PartsNow,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[str | None, Query(description="`next_before` of the page before.")] = None,
    name: Annotated[str | None, Query(description="Only runs of the experiment with this name.")] = None,
) -> ExperimentPage:
    found = await parts.experiments.find(caller, ExperimentFilter(name=name), limit, before)
    figures = await parts.experiments.figures(caller, [each.id for each in found])
    return ExperimentPage(
        experiments=[ExperimentSummary(**_summary(each, samples_of(figures[each.id]))) for each in found],
        next_before=found[-1].id if len(found) == limit else None,
    )


@router.get("/{experiment_id}", summary="Look at an experiment")
async def get(experiment_id: str, caller: Reader, parts: PartsNow) -> ExperimentDetail:
    """With the figures of each sample, in the order they began."""
    found = await parts.experiments.get(caller, experiment_id)
    await parts.evaluator.settled(caller, experiment_id)
    samples = samples_of((await parts.experiments.figures(caller, [experiment_id]))[experiment_id])
    return ExperimentDetail(
        **_summary(found, samples),
        dataset_stats=[dict(each) for each in found.dataset_stats],
        samples=[SampleFigures.model_validate(each) for each in samples],
    )


def _summary(experiment: Experiment, samples: tuple[TraceFigures, ...]) -> dict[str, Any]:
    return {
        "id": experiment.id,
        "workspace_id": experiment.workspace_id,
        "name": experiment.name,
        "run_name": experiment.run_name,
        "metadata": dict(experiment.metadata),
        "status": experiment.status.value,
        "created_at": experiment.created_at,
        "finished_at": experiment.finished_at,
        "sample_count": len(samples),
        "statistics": [StatisticShape.model_validate(each) for each in statistics_of(samples)],
    }
