"""A condition on a trace as SQL, on columns and inside the trace's JSON alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import String, cast, func, literal, not_, select
from sqlalchemy.sql.elements import ColumnElement

from app.core.trace_query import Field, Operator, TraceFilter
from app.store.engine import Database
from app.store.tables import traces

Test = Callable[[ColumnElement[Any]], ColumnElement[bool]]
_COLUMNS: dict[Field, ColumnElement[Any]] = {
    Field.ID: traces.c.id,
    Field.NAME: traces.c.name,
    Field.PARENT: traces.c.parent_id,
    Field.ROOT: traces.c.root_id,
    Field.USER: traces.c.user,
    Field.MODEL: traces.c.model,
    Field.QUESTION: traces.c.question,
    Field.OUTCOME: traces.c.outcome,
    Field.EXPERIMENT: traces.c.experiment_id,
    Field.CREATED: traces.c.created_at,
    Field.DURATION: traces.c.duration_ms,
    Field.PROMPT_TOKENS: traces.c.prompt_tokens,
    Field.COMPLETION_TOKENS: traces.c.completion_tokens,
    Field.TOTAL_TOKENS: traces.c.prompt_tokens + traces.c.completion_tokens,
    Field.COST: traces.c.cost,
}


def condition(database: Database, asked: TraceFilter) -> ColumnElement[bool]:
    """The rows of `traces` for which it holds; a trace without the field holds only for is_null and not_equals."""
    if asked.operator is Operator.NOT_EQUALS:
        return not_(func.coalesce(_holds(database, asked, Operator.EQUALS), literal(False)))
    if asked.operator is Operator.IS_NULL:
        return not_(_holds(database, asked, Operator.EXISTS))
    return _holds(database, asked, asked.operator)


def _holds(database: Database, asked: TraceFilter, operator: Operator) -> ColumnElement[bool]:
    if asked.field is Field.TAGS:
        tag = database.json_texts(traces.c.detail["tags"])
        return select(1).select_from(tag).where(_test(operator, asked)(tag.c.value)).exists()
    if asked.field is Field.SCORES:
        score = database.json_objects(traces.c.scores)
        named = score.c.value["name"].as_string() == asked.key
        value = score.c.value["score"].as_float()
        return select(1).select_from(score).where(named, _test(operator, asked)(value)).exists()
    return _test(operator, asked)(_value(asked))


def _value(asked: TraceFilter) -> ColumnElement[Any]:
    column = _COLUMNS.get(asked.field)
    if column is not None:
        return column
    inside = traces.c.detail[str(asked.field)]
    found: ColumnElement[Any] = inside.as_string() if asked.key is None else inside[asked.key].as_string()
    return found


def _test(operator: Operator, asked: TraceFilter) -> Test:
    values: tuple[Any, ...] = asked.values

    def test(column: Any) -> ColumnElement[bool]:
        held: ColumnElement[bool]
        match operator:
            case Operator.EXISTS:
                held = column.is_not(None)
            case Operator.IN:
                held = column.in_(values)
            case Operator.LIKE:
                held = cast(column, String).icontains(str(values[0]), autoescape=True)
            case Operator.GREATER_OR_EQUAL:
                held = column >= values[0]
            case Operator.LESS_OR_EQUAL:
                held = column <= values[0]
            case Operator.GREATER:
                held = column > values[0]
            case Operator.LESS:
                held = column < values[0]
            case _:
                held = column == values[0]

        return held

    return test
