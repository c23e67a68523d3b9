"""Questions about traces: which ones, and the trees they stand in."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.core.ports import TraceRecord
from app.core.types import Json


class Operator(enum.StrEnum):
    """How a field is held against a value, in Parea's words."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    LIKE = "like"  # contains, whatever the case
    GREATER_OR_EQUAL = "greater_than_or_equal"
    LESS_OR_EQUAL = "less_than_or_equal"
    GREATER = "greater_than"
    LESS = "less_than"
    IS_NULL = "is_null"
    EXISTS = "exists"
    IN = "in"


class Field(enum.StrEnum):
    """What of a trace can be asked about."""

    ID = "id"
    NAME = "name"
    PARENT = "parent_id"
    ROOT = "root_id"
    USER = "user"
    MODEL = "model"
    QUESTION = "question"
    OUTCOME = "outcome"
    EXPERIMENT = "experiment_id"
    CREATED = "created_at"  # Unix seconds
    DURATION = "duration_ms"
    PROMPT_TOKENS = "prompt_tokens"
    COMPLETION_TOKENS = "completion_tokens"
    TOTAL_TOKENS = "total_tokens"
    COST = "cost"
    ANSWER = "answer"
    TARGET = "target"
    ERROR = "error"
    SESSION = "session"
    PROMPT = "prompt_id"
    TAGS = "tags"  # any of them
    METADATA = "metadata"  # by key
    INPUTS = "inputs"  # by key
    SCORES = "scores"  # by key: the score of that name

    @property
    def numeric(self) -> bool:
        return self in _NUMERIC

    @property
    def keyed(self) -> bool:
        """Does a filter on it name a key?"""
        return self in (Field.METADATA, Field.INPUTS, Field.SCORES)


_NUMERIC = frozenset(
    {
        Field.CREATED,
        Field.DURATION,
        Field.PROMPT_TOKENS,
        Field.COMPLETION_TOKENS,
        Field.TOTAL_TOKENS,
        Field.COST,
        Field.SCORES,
    }
)


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """One condition; `values` is one but for `in`, none for is_null and exists, and numbers for a numeric field."""

    field: Field
    operator: Operator
    values: tuple[str | float, ...] = ()
    key: str | None = None


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """Which traces; None asks for nothing."""

    workspace_id: str | None = None
    experiment_id: str | None = None
    kind: str | None = None  # completion or log
    since: float | None = None  # Unix seconds
    until: float | None = None  # the first moment that is too late
    by_admin: bool = False  # only what was asked with the admin key
    failed: bool | None = None  # with an error, or without
    filter: TraceFilter | None = None
    roots_only: bool = False  # only those that stand in nobody else's tree
    oldest_first: bool = False
    limit: int = 20
    skip: int = 0


@dataclass(frozen=True, slots=True)
class TracePage:
    """Some of the traces that a query finds, newest first unless told otherwise, and how many it finds in all."""

    traces: tuple[TraceRecord, ...]
    total: int


@dataclass(frozen=True, slots=True)
class TraceTree:
    """A trace and those that are parts of it, in the order they began."""

    trace: TraceRecord
    children: tuple[TraceTree, ...] = ()


def grow(top: TraceRecord, others: Iterable[TraceRecord]) -> TraceTree:
    """The tree under `top`. One whose parent is not among them stands under its root; each is shown once.

    Parents come from callers: a circle of them is cut where it would close.
    """
    known = {each.id: each for each in others if each.id != top.id}
    under: dict[str, list[TraceRecord]] = {}
    for each in known.values():
        parent = each.parent_id if each.parent_id in known or each.parent_id == top.id else each.root_id
        under.setdefault(parent or "", []).append(each)
    shown: set[str] = {top.id}
    order: list[tuple[TraceRecord, list[TraceRecord]]] = []
    waiting = [top]
    while waiting:  # a chain may be longer than the interpreter's stack
        trace = waiting.pop()
        inside = [each for each in _in_order(under.get(trace.id, ())) if each.id not in shown]
        shown.update(each.id for each in inside)
        order.append((trace, inside))
        waiting += inside
    grown: dict[str, TraceTree] = {}
    for trace, inside in reversed(order):
        grown[trace.id] = TraceTree(trace, tuple(grown[each.id] for each in inside))
    return grown[top.id]


def _in_order(traces: Sequence[TraceRecord] | tuple[()]) -> list[TraceRecord]:
    return sorted(traces, key=lambda each: (each.created_at, each.id))


def as_number(value: Json) -> float | None:
    """A finite number, also one written as text; None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if number - number == 0 else None
