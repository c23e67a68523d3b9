"""Which routes stand under which path: ours, and each vendor's where its clients look for them."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from app.api import (
    absent,
    completions,
    datasets,
    documents,
    experiments,
    health,
    jobs,
    metrics,
    projects,
    prompts,
    repositories,
    retrieve,
    traces,
    uploads,
)
from app.api.gist import chat as gist_chat
from app.api.gist import questions as gist_questions
from app.api.gist import threads as gist_threads
from app.api.graphql.limits import QueryLimits
from app.api.graphql.route import make_router
from app.api.openai import embeddings, models, promptrun
from app.api.parea import completions as parea_completions
from app.api.parea import datasets as parea_datasets
from app.api.parea import experiments as parea_experiments
from app.api.parea import logs as parea_logs
from app.api.prem import library as prem_library
from app.api.prem import traces as prem_traces

OURS = (health, repositories, uploads, documents, jobs, retrieve, completions, projects, prompts, traces, metrics)
EVALUATION = (datasets, experiments)
PREM = (prem_library, prem_traces)
OPENAI = (models, embeddings)
GIST = (gist_chat, gist_threads, gist_questions)
PAREA = (parea_completions, parea_logs, parea_datasets, parea_experiments)
# Where vendors' clients look; the first of each stands in /docs, the others are the same again.
OPENAI_PREFIXES = ("/v1", "/openai/v1", "/api/v1")
GIST_PREFIXES = ("/v1", "/gist/v1")
PAREA_PREFIXES = ("/api/parea/v1", "/api/parea/v1/api/parea/v1")  # the second is its documented curl line's


def mount_routes(app: FastAPI, graphql: QueryLimits) -> None:
    """Adds every route; of two that match a path, the earlier answers."""
    for module in (*OURS, *EVALUATION, *PREM, absent):
        app.include_router(module.router)
    app.include_router(promptrun.router, prefix="/v1")
    app.include_router(models.prem_router, prefix="/v1")  # before OpenAI's, whose ids may have slashes
    _mount(app, completions.openai_router, OPENAI_PREFIXES[1:])  # under the first a body's fields say whose it is
    app.include_router(completions.prem_router, prefix="/prem/v1")
    app.include_router(completions.gist_router, prefix="/gist/v1")
    for modules, prefixes in ((OPENAI, OPENAI_PREFIXES), (GIST, GIST_PREFIXES), (PAREA, PAREA_PREFIXES)):
        for module in modules:
            _mount(app, module.router, prefixes)
    app.include_router(make_router(graphql))


def _mount(app: FastAPI, router: APIRouter, prefixes: tuple[str, ...]) -> None:
    for prefix in prefixes:
        app.include_router(router, prefix=prefix, include_in_schema=prefix == prefixes[0])
