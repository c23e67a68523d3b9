"""LangChain's runs, as Parea's tracer posts them, as logs: a run and the runs inside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import Field

from app.core.trace_logs import LogPart
from app.core.types import Json
from app.dialects.parea.logs import TraceLog, log_part
from app.dialects.parea.wire import ID_PATTERN, MAX_ID_CHARS, Wire

MOST_RUNS = 1000  # in one post; each run is also posted when it ends


class LangChainRun(Wire):
    """A run of LangChain, with what Parea's tracer adds to the outermost one."""

    id: str = Field(min_length=1, max_length=MAX_ID_CHARS, pattern=ID_PATTERN)
    name: str | None = None
    run_type: str | None = Field(None, examples=["chain"])
    start_time: str | None = None
    end_time: str | None = None
    inputs: dict[str, Any] | None = None
    outputs: dict[str, Any] | None = None
    error: str | None = None
    parent_run_id: str | None = None
    trace_id: str | None = Field(None, description="Of the outermost run.")
    tags: list[str] | None = None
    extra: dict[str, Any] | None = None
    child_runs: list[LangChainRun] = Field(default_factory=list)
    parea_root: str | None = Field(None, alias="_parea_root_trace_id")
    parea_parent: str | None = Field(None, alias="_parea_parent_trace_id")
    parea_session: str | None = Field(None, alias="_session_id")
    parea_tags: list[str] | None = Field(None, alias="_tags")
    parea_metadata: dict[str, Any] | None = Field(None, alias="_metadata")
    parea_user: str | None = Field(None, alias="_end_user_identifier", max_length=200)
    parea_deployment: str | None = Field(None, alias="_deployment_id")
    log_sample_rate: float | None = Field(None, alias="_log_sample_rate", ge=0, le=1)
    project_uuid: str | None = None
    experiment_uuid: str | None = Field(None, max_length=36)


def run_parts(top: LangChainRun) -> list[LogPart]:
    """The run and those inside it, at most MOST_RUNS, each as a log under the one that called it."""
    root = top.parea_root or top.trace_id
    runs = [top]
    for run in runs:
        runs.extend(run.child_runs[: MOST_RUNS - len(runs)])
    return [log_part(_log(run, top, root)) for run in runs]


def _log(run: LangChainRun, top: LangChainRun, root: str | None) -> TraceLog:
    usage = _usage(run.outputs or {})
    mine = run is top
    return TraceLog(
        trace_id=run.id,
        parent_trace_id=(run.parent_run_id or (top.parea_parent if mine else None)),
        root_trace_id=root,
        trace_name=run.name or run.run_type,
        start_timestamp=run.start_time,
        end_timestamp=run.end_time,
        inputs=run.inputs,
        output=_output(run.outputs),
        error=run.error,
        status="error" if run.error else "success" if run.outputs is not None else None,
        tags=[*(run.tags or ()), *(top.parea_tags or ())] or None,
        metadata={**_extra(run.extra), **(top.parea_metadata or {})} or None,
        input_tokens=usage.get("prompt_tokens"),
        output_tokens=usage.get("completion_tokens"),
        session_id=top.parea_session,
        end_user_identifier=top.parea_user,
        deployment_id=top.parea_deployment,
        project_uuid=top.project_uuid,
        experiment_uuid=top.experiment_uuid,
        log_sample_rate=top.log_sample_rate,
    )


def _output(outputs: Mapping[str, Any] | None) -> str | None:
    """The words of a model's first answer, or all outputs as JSON."""
    if outputs is None:
        return None
    match outputs:
        case {"generations": [[{"text": str(text)}, *_], *_]} if text:
            return text
        case {"output": str(text)}:
            return text
    return orjson.dumps(outputs, option=orjson.OPT_NON_STR_KEYS).decode()


def _usage(outputs: Mapping[str, Any]) -> dict[str, int]:
    match outputs:
        case {"llm_output": {"token_usage": dict(usage)}}:
            return {name: count for name, count in usage.items() if isinstance(count, int) and count >= 0}
    return {}


def _extra(extra: Mapping[str, Any] | None) -> dict[str, Json]:
    metadata = (extra or {}).get("metadata")
    return dict(metadata) if isinstance(metadata, dict) else {}
