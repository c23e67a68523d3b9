"""Trees of traces as Parea's SDK reads them: completions and logs alike, each with its children inside."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Any

from pydantic import Field as WireField

from app.core.errors import InvalidRequestError
from app.core.experiments import numbered
from app.core.ports import TraceRecord
from app.core.trace_logs import LOG
from app.core.trace_query import Field, Operator, TraceFilter, TracePage, TraceQuery, TraceTree, as_number
from app.core.types import Json, ToolCall
from app.dialects.parea.deployments import OURS
from app.dialects.parea.logs import moment
from app.dialects.parea.messages import calls_text
from app.dialects.parea.wire import Wire

FIELDS: Mapping[str, Field] = {
    "trace_id": Field.ID,
    "trace_name": Field.NAME,
    "parent_trace_id": Field.PARENT,
    "root_trace_id": Field.ROOT,
    "end_user_identifier": Field.USER,
    "model": Field.MODEL,
    "experiment_uuid": Field.EXPERIMENT,
    "start_timestamp": Field.CREATED,
    "latency": Field.DURATION,
    "input_tokens": Field.PROMPT_TOKENS,
    "output_tokens": Field.COMPLETION_TOKENS,
    "total_tokens": Field.TOTAL_TOKENS,
    "cost": Field.COST,
    "output": Field.ANSWER,
    "target": Field.TARGET,
    "error": Field.ERROR,
    "session_id": Field.SESSION,
    "deployment_id": Field.PROMPT,
    "tags": Field.TAGS,
    "metadata": Field.METADATA,
    "inputs": Field.INPUTS,
    "scores": Field.SCORES,
}
# Parea's time ranges, in seconds
_HOUR, _DAY = 3600.0, 86400.0
RANGES: Mapping[str, float] = {
    "na": math.inf,
    "1h": _HOUR,
    "3h": 3 * _HOUR,
    "6h": 6 * _HOUR,
    "24h": _DAY,
    "7d": 7 * _DAY,
    "1m": 30 * _DAY,
    "3m": 91 * _DAY,
    "6m": 182 * _DAY,
    "1y": 365 * _DAY,
}
# What a log keeps under its own name and Parea shows under the same
_AS_KEPT = (
    "configuration",
    "inputs",
    "target",
    "error",
    "metadata",
    "output_for_eval_metrics",
    "time_to_first_token",
    "total_tokens",  # as told; a provider may count more than the two parts
    "end_timestamp",
    "cache_hit",
    "apply_eval_frac",
    "log_sample_rate",
    "feedback_score",
    "images",
    "comments",
    "annotations",
    "execution_order",
)


class TraceLogFilters(Wire):
    """One condition on a log."""

    filter_field: str | None = WireField(None, description=", ".join(FIELDS))
    filter_key: str | None = WireField(None, max_length=200, description="For metadata, inputs and scores: which.")
    filter_operator: str | None = WireField(None, description=", ".join(Operator))
    filter_value: str | None = WireField(None, max_length=100_000, description="For `in`: separated by commas.")


class QueryParams(TraceLogFilters):
    """Which logs, and which page of them."""

    project_name: str = WireField(min_length=1, max_length=200)
    page: int = WireField(1, ge=1, le=10**6)
    page_size: int = WireField(20, ge=1)
    time_range: str = WireField("na", description=", ".join(RANGES))
    status: str | None = WireField(None, description="success or error.")


def to_filter(asked: TraceLogFilters) -> TraceFilter | None:
    """The condition; None where no field is named. Raises InvalidRequestError naming what is wrong with it."""
    if asked.filter_field is None:
        for name in ("filter_key", "filter_operator", "filter_value"):
            if getattr(asked, name) is not None:
                raise InvalidRequestError(f"`{name}` needs a `filter_field`.", field=name)
        return None
    field = FIELDS.get(asked.filter_field)
    if field is None:
        raise InvalidRequestError(f"`filter_field` must be one of {', '.join(FIELDS)}.", field="filter_field")
    try:
        operator = Operator(asked.filter_operator or Operator.EQUALS)
    except ValueError as error:
        raise InvalidRequestError(
            f"`filter_operator` must be one of {', '.join(Operator)}.", field="filter_operator"
        ) from error
    if field.keyed != bool(asked.filter_key):
        said = "needs a" if field.keyed else "takes no"
        raise InvalidRequestError(f"`{asked.filter_field}` {said} `filter_key`.", field="filter_key")
    if asked.filter_key and '"' in asked.filter_key:
        raise InvalidRequestError("A `filter_key` cannot contain a quotation mark.", field="filter_key")
    return TraceFilter(field, operator, _values(asked, field, operator), asked.filter_key)


def to_query(asked: QueryParams, workspace_id: str | None, now: float) -> TraceQuery:
    """The query: of the tops of trees, or with a condition of every log that it finds."""
    if asked.time_range not in RANGES:
        raise InvalidRequestError(f"`time_range` must be one of {', '.join(RANGES)}.", field="time_range")
    if asked.status not in (None, "success", "error"):
        raise InvalidRequestError("`status` must be success or error.", field="status")
    back = RANGES[asked.time_range]
    condition = to_filter(asked)
    return TraceQuery(
        workspace_id=workspace_id,
        since=None if math.isinf(back) else now - back,
        failed=None if asked.status is None else asked.status == "error",
        filter=condition,
        roots_only=condition is None,
        limit=asked.page_size,
        skip=(asked.page - 1) * asked.page_size,
    )


def show_page(page: TracePage, trees: list[TraceTree], asked: QueryParams) -> Json:
    """One page of trees."""
    return {
        "total": page.total,
        "page": asked.page,
        "total_pages": math.ceil(page.total / asked.page_size),
        "page_size": asked.page_size,
        "results": [show_tree(tree) for tree in trees],
    }


def show_tree(tree: TraceTree) -> Json:
    """A trace and its children; what is not known is left out, for the SDK reads no nulls inside lists."""
    shown: dict[str, dict[str, Json]] = {}
    order = [(tree, 0)]
    for each, depth in order:  # grows as it goes: a chain may be longer than the interpreter's stack
        order.extend((child, depth + 1) for child in each.children)
        shown[each.trace.id] = _node(each.trace) | {"depth": each.trace.detail.get("depth", depth)}
    for each, _ in order:
        inside = [shown[child.trace.id] for child in each.children]
        shown[each.trace.id] |= {"children": [child["trace_id"] for child in inside], "children_logs": inside}
    return shown[tree.trace.id]


def _node(trace: TraceRecord) -> dict[str, Json]:
    detail = trace.detail
    known: dict[str, Json] = {
        "trace_id": trace.id,
        "parent_trace_id": trace.parent_id or trace.id,
        "root_trace_id": trace.root_id or trace.id,
        "start_timestamp": _iso(trace.created_at),
        "end_timestamp": _iso(trace.created_at + trace.duration_ms / 1000),
        "latency": trace.duration_ms / 1000,
        "trace_name": trace.name,
        "status": "error" if trace.outcome in ("error", "cancelled") else "success",
        "input_tokens": trace.prompt_tokens,
        "output_tokens": trace.completion_tokens,
        "total_tokens": trace.prompt_tokens + trace.completion_tokens,
        "cost": trace.cost,
        "scores": [dict(score) for score in numbered(trace.scores)],
        "end_user_identifier": trace.user or None,
        "experiment_uuid": trace.experiment_id,
        "project_uuid": trace.workspace_id,
        "session_id": detail.get("session"),
        "deployment_id": detail.get("prompt_id"),
        "tags": detail.get("tags", []),
        **{name: detail[name] for name in _AS_KEPT if name in detail},
        "output": detail.get("answer"),
    }
    if trace.kind != LOG:
        known |= _of_completion(trace)
    elif trace.outcome == "logged":
        known["status"] = detail.get("status")
    configuration = known.get("configuration")
    if isinstance(configuration, dict):
        known["configuration"] = {name: value for name, value in configuration.items() if value is not None}
    return {name: value for name, value in known.items() if value is not None}


def _of_completion(trace: TraceRecord) -> dict[str, Json]:
    detail = trace.detail
    provider, _, model = trace.model.partition("/")
    calls = tuple(ToolCall(**call) for call in detail.get("tool_calls", ()))
    sampling: Mapping[str, Any] = detail.get("sampling", {})
    first = detail.get("timings_ms", {}).get("first_token")
    return {
        "configuration": {
            "model": model,
            "provider": provider,
            "messages": [
                {"role": message["role"], "content": message.get("content") or ""}
                for message in detail.get("messages", ())
            ],
            "functions": [tool.get("function", tool) for tool in detail.get("tools", ())],
            "model_params": {theirs: sampling[ours] for theirs, ours in OURS.items() if ours in sampling},
        },
        "output": calls_text(calls) if calls else detail.get("answer"),
        "cache_hit": detail.get("cached", False),
        "time_to_first_token": None if first is None else first / 1000,
    }


def _values(asked: TraceLogFilters, field: Field, operator: Operator) -> tuple[str | float, ...]:
    if operator in (Operator.IS_NULL, Operator.EXISTS):
        if asked.filter_value is not None:
            raise InvalidRequestError(f"`{operator}` takes no `filter_value`.", field="filter_value")
        return ()
    if asked.filter_value is None:
        raise InvalidRequestError(f"`{operator}` needs a `filter_value`.", field="filter_value")
    written = asked.filter_value.split(",") if operator is Operator.IN else [asked.filter_value]
    if not field.numeric or operator is Operator.LIKE:
        return tuple(each.strip() for each in written) if operator is Operator.IN else tuple(written)
    return tuple(_number(each, field, asked.filter_field or "") for each in written)


def _number(written: str, field: Field, name: str) -> float:
    number = as_number(written)
    if number is None and field is Field.CREATED:
        number = moment(written, "filter_value")
    if number is None:
        raise InvalidRequestError(f"`{name}` is held against a number, not {written!r}.", field="filter_value")
    return number * 1000 if field is Field.DURATION else number


def _iso(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()
