"""Parea's trace logs: written by its SDK, read back as trees."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter

from app.api.bodies import JsonRoute
from app.api.caller import PartsNow
from app.api.parea.caller import PareaReader, PareaWriter, workspace_id
from app.core.errors import InvalidRequestError, NotFoundError
from app.core.keeping import keeps_trace
from app.core.parts import Parts
from app.core.trace_logs import LogPart
from app.core.types import Caller, Json, Logging
from app.dialects.parea.langchain import LangChainRun, run_parts
from app.dialects.parea.logs import TraceLog, UpdateLog, changed_part, log_part
from app.dialects.parea.trees import QueryParams, show_page, show_tree, to_query

router = APIRouter(tags=["parea"], route_class=JsonRoute)
LANGCHAIN = "langchain"


@router.post("/trace_log", summary="Write a log of a step of your own program")
async def write(body: TraceLog, caller: PareaWriter, parts: PartsNow) -> None:
    """What is told again takes the place of what was there; the rest stays. A null tells nothing."""
    await _write(caller, parts, [log_part(body)], body.log_sample_rate)


@router.put("/trace_log", summary="Change fields of a log")
async def change(body: UpdateLog, caller: PareaWriter, parts: PartsNow) -> None:
    """Of a completion: its name, tags, metadata, target, scores and place in the tree. Null takes a field back."""
    await parts.trace_logs.change(caller, await _placed(caller, parts, changed_part(body)))


@router.post("/trace_log/{vendor}", summary="Write a run of LangChain as logs")
async def write_vendors(vendor: str, body: LangChainRun, caller: PareaWriter, parts: PartsNow) -> None:
    if vendor != LANGCHAIN:
        raise NotFoundError(f"There are no logs of {vendor!r} here, only of {LANGCHAIN}.")
    await _write(caller, parts, run_parts(body), body.log_sample_rate)


@router.get("/trace_log/{trace_id}", summary="Look at a trace and its parts")
async def tree(trace_id: str, caller: PareaReader, parts: PartsNow) -> dict[str, Json]:
    found: dict[str, Json] = show_tree(await parts.trace_search.tree(caller, trace_id, parts.limits.trace_tree))
    return found


@router.post("/get_trace_logs", summary="Search traces")
async def search(body: QueryParams, caller: PareaReader, parts: PartsNow) -> dict[str, Json]:
    """Without a condition the tops of trees, newest first, each with its parts; with one, every trace that meets it."""
    if body.page_size > parts.limits.trace_page:
        raise InvalidRequestError(f"A page has at most {parts.limits.trace_page} traces.", field="page_size")
    query = to_query(body, None, time.time())
    workspace = await parts.workspaces.find(caller, body.project_name)
    if workspace is None:
        raise NotFoundError(f"There is no project {body.project_name!r} here.", field="project_name")
    page = await parts.trace_search.search(caller, replace(query, workspace_id=workspace.id))
    trees = await parts.trace_search.trees(caller, page.traces, parts.limits.trace_tree)
    shown: dict[str, Json] = show_page(page, trees, body)
    return shown


async def _write(caller: Caller, parts: Parts, logs: Sequence[LogPart], sample_rate: float | None) -> None:
    """Keeps the logs, or drops them where their tree is not in the sample, with what the tree has left here before.

    The outermost step tells its rate last of all: what was written under it without one must go too.
    """
    kept = []
    for log in logs:
        rate = 1.0 if sample_rate is None else sample_rate
        root = log.columns.get("root_id") or log.columns.get("parent_id") or log.id
        if keeps_trace(Logging(root_id=root, sample_rate=rate), log.id):
            kept.append(await _placed(caller, parts, log))
        else:
            await parts.trace_logs.drop_tree(caller, root)
    if kept:
        await parts.trace_logs.write(caller, kept)


async def _placed(caller: Caller, parts: Parts, log: LogPart) -> LogPart:
    """The log in a workspace that is there."""
    if "workspace_id" not in log.columns:
        return log
    where = await workspace_id(caller, parts, log.columns["workspace_id"])
    return replace(log, columns={**log.columns, "workspace_id": where})
