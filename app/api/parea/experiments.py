"""Parea's experiments."""

from __future__ import annotations

from dataclasses import replace

import orjson
from fastapi import APIRouter, Response

from app.api.bodies import JsonRoute
from app.api.caller import PartsNow
from app.api.parea.caller import PareaReader, PareaWriter, workspace_id
from app.core.errors import ConflictError
from app.core.experiments import ExperimentFilter, NewExperiment, TraceFigures, samples_of
from app.core.parts import Parts
from app.core.trace_query import TraceQuery
from app.core.types import Caller, Json
from app.dialects.parea.experiments import (
    CreateExperiment,
    ExperimentShape,
    ExperimentStats,
    FinishExperiment,
    ListedExperiment,
    ListExperiments,
    show_experiment,
    show_listed,
    show_stats,
    texts_of,
)
from app.dialects.parea.trees import TraceLogFilters, show_tree, to_filter

router = APIRouter(tags=["parea"], route_class=JsonRoute)


@router.post("/experiment", summary="Begin a run of an experiment", response_model=ExperimentShape)
async def create(body: CreateExperiment, caller: PareaWriter, parts: PartsNow) -> object:
    """Each trace with its `uuid` for `experiment_uuid` is then a part of it. A run name that is taken is a 400."""
    where = await workspace_id(caller, parts, body.project_uuid)
    new = NewExperiment(where, body.name, body.run_name, texts_of(body.metadata or {}))
    try:
        return show_experiment(await parts.experiments.create(caller, new))
    except ConflictError as error:  # the one status whose `detail` the SDK shows
        return Response(orjson.dumps({"detail": error.message}), 400, media_type="application/json")


@router.get("/experiment/{experiment_uuid}/stats", summary="The figures of an experiment's samples")
async def stats(experiment_uuid: str, caller: PareaReader, parts: PartsNow) -> ExperimentStats:
    """One sample a tree of traces: the top's latency; tokens, costs and scores of all in it."""
    await parts.experiments.get(caller, experiment_uuid)
    return show_stats(await _samples(caller, parts, experiment_uuid))


@router.post("/experiment/{experiment_uuid}/finished", summary="End a run of an experiment")
async def finish(experiment_uuid: str, body: FinishExperiment, caller: PareaWriter, parts: PartsNow) -> ExperimentStats:
    """Says how it ended; answers with the figures of its samples."""
    scores = [score.model_dump() for score in body.dataset_level_stats or ()]
    await parts.experiments.finish(caller, experiment_uuid, body.status, scores)
    return show_stats(await _samples(caller, parts, experiment_uuid))


@router.post("/experiments", summary="List experiments, newest first")
async def listed(body: ListExperiments, caller: PareaReader, parts: PartsNow) -> list[ListedExperiment]:
    """At most FOOTNOTE_MAX_EXPERIMENTS_LISTED, each with the statistics of its samples."""
    wanted = ExperimentFilter(
        name=body.experiment_name_filter,
        run_name=body.run_name_filter,
        metadata=body.metadata_filter,
        ids=None if body.experiment_uuids is None else tuple(body.experiment_uuids),
    )
    if body.project_name is not None:
        workspace = await parts.workspaces.find(caller, body.project_name)
        if workspace is None:
            return []
        wanted = replace(wanted, workspace_id=workspace.id)
    found = await parts.experiments.find(caller, wanted, parts.limits.experiments_listed)
    figures = await parts.experiments.figures(caller, [each.id for each in found])
    return [show_listed(each, samples_of(figures[each.id])) for each in found]


@router.post("/experiment/{experiment_uuid}/trace_logs", summary="The traces of an experiment")
async def trace_logs(
    experiment_uuid: str, body: TraceLogFilters, caller: PareaReader, parts: PartsNow
) -> list[dict[str, Json]]:
    """Without a condition the tops of trees with their parts, newest first; with one, every trace that meets it.

    At most FOOTNOTE_MAX_TRACE_TREE traces.
    """
    await parts.experiments.get(caller, experiment_uuid)
    await parts.evaluator.settled(caller, experiment_uuid)
    condition, most = to_filter(body), parts.limits.trace_tree
    query = TraceQuery(experiment_id=experiment_uuid, filter=condition, roots_only=condition is None, limit=most)
    page = await parts.trace_search.search(caller, query)
    return [show_tree(tree) for tree in await parts.trace_search.trees(caller, page.traces, most)]


async def _samples(caller: Caller, parts: Parts, experiment_id: str) -> tuple[TraceFigures, ...]:
    """Of all that is answered so far, scores included."""
    await parts.evaluator.settled(caller, experiment_id)
    return samples_of((await parts.experiments.figures(caller, [experiment_id]))[experiment_id])
