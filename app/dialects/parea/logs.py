"""Parea's trace logs: as its SDK's decorator writes them, and as its SDK reads them back."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field

from app.core.errors import InvalidRequestError
from app.core.trace_logs import LogPart
from app.core.types import Json
from app.dialects.base import validated
from app.dialects.parea.wire import ID_PATTERN, MAX_ID_CHARS, Wire
from app.dialects.support import Fields, refuse_unsupported, refused

# Parea's names: columns of a trace
COLUMNS: Mapping[str, str] = {
    "trace_name": "name",
    "parent_trace_id": "parent_id",
    "root_trace_id": "root_id",
    "end_user_identifier": "user",
    "project_uuid": "workspace_id",
    "experiment_uuid": "experiment_id",
    "start_timestamp": "created_at",
    "latency": "duration_ms",
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "cost": "cost",
    "scores": "scores",
}
# Parea's names: what a completion's detail has too, under its name; the others keep their own
DETAIL: Mapping[str, str] = {"output": "answer", "session_id": "session", "deployment_id": "prompt_id"}
_EMPTY: Mapping[str, Json] = {"user": "", "prompt_tokens": 0, "completion_tokens": 0, "duration_ms": 0.0, "scores": []}
FIELDS: Fields = {
    "evaluation_metric_names": refused(
        "a log is not scored by name. Send its `scores`, or have a completion scored by `eval_metric_ids`.", []
    ),
}
MOST_SECONDS = 1e10  # three centuries: what is added to a moment must still be one
MOST = 1e15  # of a score or a cost: sums and squares of many are still numbers
_FIRST, _LAST = (datetime.datetime(year, 1, 1, tzinfo=datetime.UTC).timestamp() for year in (1, 9000))


class Score(Wire):
    name: str
    score: float = Field(ge=-MOST, le=MOST, allow_inf_nan=False)
    reason: str | None = None


class TraceLog(Wire):
    """A step of the caller's own program; every field but the id may come later."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())

    trace_id: str = Field(min_length=1, max_length=MAX_ID_CHARS, pattern=ID_PATTERN)
    parent_trace_id: str | None = Field(None, max_length=MAX_ID_CHARS, description="Its own id, or empty: none.")
    root_trace_id: str | None = Field(None, max_length=MAX_ID_CHARS)
    trace_name: str | None = Field(None, max_length=500)
    start_timestamp: str | None = Field(None, description="ISO 8601; UTC where it names no zone.")
    end_timestamp: str | None = None
    latency: float | None = Field(None, ge=0, le=MOST_SECONDS, allow_inf_nan=False, description="Seconds.")
    time_to_first_token: float | None = Field(None, ge=0, le=MOST_SECONDS, allow_inf_nan=False)
    configuration: dict[str, Any] | None = Field(None, description="As `llm_configuration` of a completion.")
    inputs: dict[str, Any] | None = None
    output: str | None = None
    output_for_eval_metrics: str | None = None
    target: str | None = None
    error: str | None = None
    status: str | None = Field(None, examples=["success"])
    input_tokens: int | None = Field(None, ge=0, le=2**31 - 1)
    output_tokens: int | None = Field(None, ge=0, le=2**31 - 1)
    total_tokens: int | None = Field(None, ge=0)
    cost: float | None = Field(None, ge=0, le=MOST, allow_inf_nan=False)
    scores: list[Score] | None = None
    feedback_score: float | None = Field(None, ge=0, le=1)
    tags: list[str] | None = None
    metadata: dict[str, Any] | None = None
    end_user_identifier: str | None = Field(None, max_length=200)
    session_id: str | None = None
    deployment_id: str | None = None
    experiment_uuid: str | None = Field(None, max_length=36)
    project_uuid: str | None = None
    cache_hit: bool | None = None
    evaluation_metric_names: list[str] | None = None
    apply_eval_frac: float | None = Field(None, ge=0, le=1)
    log_sample_rate: float | None = Field(None, ge=0, le=1)
    images: list[dict[str, Any]] | None = None
    comments: list[dict[str, Any]] | None = None
    annotations: dict[str, Any] | None = None
    depth: int | None = None
    execution_order: int | None = None


class UpdateLog(Wire):
    """Some fields of a log, by name; null takes one back."""

    trace_id: str = Field(min_length=1, max_length=MAX_ID_CHARS, pattern=ID_PATTERN)
    field_name_to_value_map: dict[str, Any]
    root_trace_id: str | None = Field(None, max_length=MAX_ID_CHARS)


def log_part(log: TraceLog) -> LogPart:
    """What a client's log tells; a null tells nothing. Raises InvalidRequestError."""
    told = log.model_dump(exclude_none=True, exclude={"trace_id"})
    return _part(log.trace_id, told)


def changed_part(update: UpdateLog) -> LogPart:
    """What an update tells, nulls included; raises InvalidRequestError for a field that no log has."""
    names = TraceLog.model_fields.keys() - {"trace_id"}
    asked = update.field_name_to_value_map
    if unknown := sorted(asked.keys() - names):
        raise InvalidRequestError(
            f"A log has no {unknown[0]!r}. It has {', '.join(sorted(names))}.", field="field_name_to_value_map"
        )
    checked = validated(TraceLog, {"trace_id": update.trace_id, **asked})
    told = checked.model_dump(include=set(asked))
    if update.root_trace_id and "root_trace_id" not in told:
        told["root_trace_id"] = update.root_trace_id
    return _part(update.trace_id, told)


def _part(trace_id: str, told: Mapping[str, Any]) -> LogPart:
    refuse_unsupported(told, FIELDS)
    columns: dict[str, Json] = {}
    detail: dict[str, Json] = {}
    for name, value in told.items():
        if (column := COLUMNS.get(name)) is not None:
            columns[column] = _column(column, value)
        elif name not in FIELDS:
            detail[DETAIL.get(name, name)] = [] if name == "tags" and value is None else value
    if {"parent_id", "root_id"} & columns.keys():
        columns = {name: value for name, value in columns.items() if name != "root_id" or value}
    if (outcome := _outcome(told)) is not None:
        columns["outcome"] = outcome
    configuration = told.get("configuration") or {}
    if isinstance(model := configuration.get("model"), str):
        provider = configuration.get("provider")
        columns["model"] = (f"{provider}/{model}" if isinstance(provider, str) and provider else model)[:200]
    if question := _question(configuration):
        columns["question"] = question
    if "created_at" in columns and "duration_ms" not in columns and (ended := told.get("end_timestamp")):
        taken_s = moment(ended, "end_timestamp") - columns["created_at"]
        columns["duration_ms"] = min(max(0.0, taken_s), MOST_SECONDS) * 1000
    return LogPart(trace_id, columns, detail)


def _column(name: str, value: Any) -> Json:
    if value is None:
        if name == "created_at":
            raise InvalidRequestError("`start_timestamp` cannot be null.", field="start_timestamp")
        return _EMPTY.get(name)
    if name == "created_at":
        return moment(value, "start_timestamp")
    return value * 1000 if name == "duration_ms" else value


def moment(written: str, field: str) -> float:
    """Unix seconds of an ISO 8601 time; raises InvalidRequestError."""
    try:
        at = datetime.datetime.fromisoformat(written)
    except ValueError as error:
        raise InvalidRequestError(
            f"`{field}` is {written!r}; it must be like 2026-07-24T18:05:17+00:00.", field=field
        ) from error
    seconds = (at if at.tzinfo else at.replace(tzinfo=datetime.UTC)).timestamp()
    if not _FIRST <= seconds < _LAST:
        raise InvalidRequestError(f"`{field}` must be in the years 1 to 8999.", field=field)
    return seconds


def _outcome(told: Mapping[str, Any]) -> str | None:
    if told.get("error") or told.get("status") == "error":
        return "error"
    return {"success": "stop"}.get(told.get("status") or "")


def _question(configuration: Mapping[str, Any]) -> str | None:
    messages = configuration.get("messages")
    said: list[Any] = messages if isinstance(messages, list) else []
    for message in reversed(said):
        if isinstance(message, dict) and message.get("role") == "user" and isinstance(message.get("content"), str):
            return str(message["content"])
    return None
