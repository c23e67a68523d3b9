"""Prem's view of traces and of what people say of them: shapes that its clients parse word by word."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import InvalidRequestError
from app.core.feedback import Feedback, NewFeedback
from app.core.library import ModelCard, Project
from app.core.ports import TraceRecord
from app.core.trace_query import Field as Asked
from app.core.trace_query import Operator, TraceFilter, TraceQuery
from app.core.types import Json
from app.dialects.ids import storable
from app.dialects.models import PremModel
from app.dialects.support import Fields, honoured

FIELDS: Fields = {
    "traces.project_id": honoured("The key's own when left out."),
    "traces.admin_filter": honoured("`ADMIN_ONLY`: only what was asked with the admin key."),
    "traces.date_filter": honoured("last_hour, last_day, last_week, last_month (30 days) or last_year (365)."),
    "traces.from_date": honoured("ISO date or time, UTC unless it says another; a number is a `project_id`."),
    "traces.to_date": honoured("As `from_date`; a date is meant whole."),
    "traces.search": honoured("A part of the question, whatever the case."),
    "traces.sort": honoured("`-created_at`, newest first, or `created_at`."),
    "feedback.trace_id": honoured("The answer that is meant."),
    "feedback.feedback": honoured("null takes every thumb on the answer back."),
    "feedback.feedback.positive": honoured("A thumb up or down; down when left out, as Prem's type says."),
    "feedback.feedback.messages": honoured("The conversation as it should have been."),
    "feedback.feedback.messages.role": honoured("user, assistant or system."),
    "feedback.feedback.messages.content": honoured("Kept, unless the trace was told to keep no contents."),
}
PERIODS_S = {"last_hour": 3600, "last_day": 86400, "last_week": 7 * 86400, "last_month": 30 * 86400} | {
    "last_year": 365 * 86400
}
ADMIN_ONLY = "ADMIN_ONLY"
DAY_S = 86400
ORDERS = {"-created_at": False, "created_at": True}
ROLES = ("user", "assistant", "system")  # no client knows another
FEEDBACK: dict[str, Json] = {
    "trace_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "feedback": {"positive": True, "messages": [{"role": "assistant", "content": "Five days."}]},
}


class PremMessage(BaseModel):
    role: Literal["user", "assistant", "system"]
    content: str


class PremThumb(BaseModel):
    """What somebody says of an answer."""

    positive: bool = Field(False, strict=True)
    messages: list[PremMessage] = Field(default_factory=list, description="As it should have been.")


class PremFeedback(BaseModel):
    """A thumb on an answer; null takes it back."""

    model_config = ConfigDict(json_schema_extra={"example": FEEDBACK})

    trace_id: str = Field(min_length=1, max_length=100)
    feedback: PremThumb | None = Field(description="null takes every thumb on the answer back.")

    def new(self, thumb: PremThumb) -> NewFeedback:
        """The thumb as the core knows it."""
        messages = tuple(message.model_dump() for message in thumb.messages)
        return NewFeedback(self.trace_id, positive=thumb.positive, messages=messages)


class PremTraceFeedback(BaseModel):
    positive: bool
    used_datapoint_messages: bool = Field(False, description="Always false: there are no data points here.")
    messages: list[PremMessage]

    @classmethod
    def of(cls, feedback: Feedback | None) -> PremTraceFeedback | None:
        if feedback is None:
            return None
        messages = [PremMessage.model_validate(message) for message in feedback.given.messages]
        return cls(positive=bool(feedback.given.positive), messages=messages)


class PremTrace(BaseModel):
    """A trace as it is listed."""

    trace_id: str
    project_id: int
    model_id: int = Field(description="As in `GET /v1/models/`.")
    feedback: PremTraceFeedback | None
    messages: list[PremMessage]

    @classmethod
    def of(cls, trace: TraceRecord, project_id: int, model: ModelCard, feedback: Feedback | None) -> PremTrace:
        return cls(
            trace_id=trace.id,
            project_id=project_id,
            model_id=model.number,
            feedback=PremTraceFeedback.of(feedback),
            messages=messages_of(trace),
        )


class PremProject(BaseModel):
    project_id: int
    name: str
    description: str | None = None


class PremTraceChunk(BaseModel):
    document_id: int
    content: str | None = Field(description="Null where the trace was told to keep no inputs.")


class PremTraceDetail(BaseModel):
    """A trace with all that Prem's clients read of it; `GET /v1/traces/{id}` says more."""

    trace_id: str
    project: PremProject
    model: PremModel
    feedback: PremTraceFeedback | None
    session_id: str | None
    messages: list[PremMessage]
    document_chunks: list[PremTraceChunk]

    @classmethod
    def of(cls, trace: TraceRecord, project: Project, model: ModelCard, feedback: Feedback | None) -> PremTraceDetail:
        return cls(
            trace_id=trace.id,
            project=PremProject(project_id=project.id, name=project.name),
            model=PremModel.of(model),
            feedback=PremTraceFeedback.of(feedback),
            session_id=trace.detail.get("session"),
            messages=messages_of(trace),
            document_chunks=[
                PremTraceChunk(document_id=chunk["document_id"], content=chunk.get("content"))
                for chunk in trace.detail.get("document_chunks") or ()
            ],
        )


def messages_of(trace: TraceRecord) -> list[PremMessage]:
    """The request's messages and the answer; a tool's results are left out, for no client knows their role."""
    asked = [message for message in trace.detail.get("messages") or () if message["role"] in ROLES]
    shown = [PremMessage(role=message["role"], content=message.get("content") or "") for message in asked]
    last = max((at for at, message in enumerate(shown) if message.role == "user"), default=None)
    if last is not None and trace.question:
        shown[last] = PremMessage(role="user", content=trace.question)  # its template filled in
    if trace.detail.get("answer"):
        shown.append(PremMessage(role="assistant", content=trace.detail["answer"]))
    return shown


def query_of(params: Mapping[str, str], now: float, most: int) -> tuple[TraceQuery, int | None]:
    """Which traces, and of which project; `now` in Unix seconds. Raises InvalidRequestError naming the parameter.

    premai 0.3.107 hands its parameters on in the wrong order: what is meant for `project_id` arrives in `from_date`,
    for `date_filter` in `admin_filter`, for `admin_filter` in `project_id`.
    """
    told = {name: value for name, value in params.items() if value}
    if told.get("from_date", "").isdecimal():
        moved = {"project_id": told.pop("from_date"), "admin_filter": told.pop("project_id", "")}
        moved["date_filter"] = told.pop("admin_filter", "") or told.pop("date_filter", "")
        told |= {name: value for name, value in moved.items() if value}
    sort = _one_of(told, "sort", ORDERS) or "-created_at"
    period = _one_of(told, "date_filter", PERIODS_S)
    since = [now - PERIODS_S[period]] if period is not None else []
    if "from_date" in told:
        since.append(_moment(told, "from_date"))
    search = told.get("search")
    query = TraceQuery(
        kind="completion",
        since=max(since, default=None),
        until=_moment(told, "to_date", whole_day=True) if "to_date" in told else None,
        by_admin=_one_of(told, "admin_filter", (ADMIN_ONLY,)) is not None,
        filter=None if search is None else TraceFilter(Asked.QUESTION, Operator.LIKE, (search,)),
        oldest_first=ORDERS[sort],
        limit=most,
    )
    return query, _project(told)


def _project(told: Mapping[str, str]) -> int | None:
    number = told.get("project_id")
    if number is None:
        return None
    if not number.isascii() or not number.isdecimal() or int(number) < 1:
        raise InvalidRequestError("`project_id` must be a project's number.", field="project_id")
    return storable(int(number))


def _one_of(told: Mapping[str, str], name: str, known: Mapping[str, object] | tuple[str, ...]) -> str | None:
    value = told.get(name)
    if value is not None and value not in known:
        choices = ", ".join(f"`{each}`" for each in known)
        raise InvalidRequestError(f"`{name}` must be one of {choices}, or left out.", field=name)
    return value


def _moment(told: Mapping[str, str], name: str, *, whole_day: bool = False) -> float:
    """Unix seconds; with `whole_day` the end of a date, and the moment after a time."""
    try:
        moment = datetime.datetime.fromisoformat(told[name])
    except ValueError as error:
        raise InvalidRequestError(f"`{name}` must be a date like 2026-11-22, or a time.", field=name) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    is_date = len(told[name]) <= len("2026-11-22")
    return moment.timestamp() + (DAY_S if whole_day and is_date else 1e-6 if whole_day else 0)
