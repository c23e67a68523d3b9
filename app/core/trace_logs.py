"""Logs that a caller writes of its own steps: rows beside completions' traces, in the same trees.

A log is told in parts: each part given takes the place of what was there, the rest stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from app.core.errors import InvalidRequestError
from app.core.ports import TraceRecord
from app.core.types import Json

if TYPE_CHECKING:
    from collections.abc import Collection

LOG = "log"
INPUTS = frozenset({"inputs", "target", "configuration", "images"})  # keys of a trace's detail that hold what was asked
OUTPUTS = frozenset({"answer", "output_for_eval_metrics"})
# What may still be said of a completion once it is made: the rest is what happened, and answers may be given again
# from it.
ANNOTATIONS = frozenset({"name", "parent_id", "root_id", "user", "workspace_id", "experiment_id", "scores"})
ANNOTATION_DETAIL = frozenset({"tags", "metadata", "target", "session", "comments", "annotations", "feedback_score"})
_COLUMNS = frozenset(each.name for each in fields(TraceRecord)) - {"id", "kind", "detail", "cache_key", "thread_id"}


@dataclass(frozen=True, slots=True)
class LogPart:
    """What is told of the log `id`; `columns` are fields of a TraceRecord, `detail` is keys of its detail."""

    id: str
    columns: Mapping[str, Json] = field(default_factory=dict)
    detail: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if unknown := self.columns.keys() - _COLUMNS:
            raise ValueError(f"a log has no {sorted(unknown)}")


def merged(old: TraceRecord | None, part: LogPart, now: float) -> TraceRecord:
    """The trace with this part; a new log where there was none.

    Raises InvalidRequestError for a part that would change what a completion did.
    """
    if old is None:
        old = TraceRecord(part.id, now, "logged", "", "", 0.0, {}, kind=LOG)
    if old.kind != LOG:
        _check_annotates(part)
    columns = dict(part.columns)
    detail = {**old.detail, **without_omitted(part.detail, old.detail.get("omitted", ()))}
    if "scores" in columns:
        by_name = {score["name"]: score for score in (*old.scores, *(columns["scores"] or ()))}
        columns["scores"] = tuple(by_name.values())
    found = replace(old, **columns, detail=detail)
    parent = None if found.parent_id in ("", found.id) else found.parent_id
    root = columns.get("root_id") or (parent if "parent_id" in columns else old.root_id) or parent or found.id
    return replace(found, parent_id=parent, root_id=root)


def without_omitted(detail: Mapping[str, Json], omitted: Collection[str]) -> dict[str, Json]:
    """The detail without what its trace was told not to keep."""
    hidden = (INPUTS if "inputs" in omitted else frozenset()) | (OUTPUTS if "outputs" in omitted else frozenset())
    return {name: value for name, value in detail.items() if name not in hidden}


def _check_annotates(part: LogPart) -> None:
    told = (part.columns.keys() - ANNOTATIONS) | (part.detail.keys() - ANNOTATION_DETAIL)
    if told:
        raise InvalidRequestError(
            f"The trace {part.id} is a completion of this service: its {', '.join(sorted(told))} cannot be changed. "
            "Name, tags, metadata, target, scores and its place in the tree can.",
            field="trace_id",
        )
