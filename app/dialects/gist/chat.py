"""Gist's own routes, beside the completions: one prompt at a time, and what was said in threads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field

from app.core.attribution import attribute
from app.core.conversations import ThreadView, TurnView
from app.core.errors import InvalidRequestError
from app.core.library import Repository
from app.core.recall import Recalled
from app.core.types import Answer, Ask, Caller, Citation, Hit, Json, Message, Sampling, Started
from app.dialects.gist.citations import gist_attributions, gist_citations
from app.dialects.gist.stream import response_time

EXAMPLE: dict[str, Json] = {"user_prompt": "Why is the sky blue?", "inclusion_list": ["Handbook"]}


class GistPrompt(BaseModel):
    """One question of a thread."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"example": EXAMPLE})

    user_prompt: str
    thread_id: str | None = Field(None, description="The thread to go on with; a new one when left out.")
    temperature: float | None = Field(None, ge=0, le=1, description="The model's own when left out.")
    inclusion_list: list[str] | None = Field(
        None,
        max_length=1000,
        description="Repositories to search, by name, number or `vs_<number>`; the project's when empty.",
    )


def to_ask(prompt: GistPrompt, caller: Caller, repository_ids: tuple[int, ...] | None) -> Ask:
    """The ask of one prompt."""
    return Ask(
        caller=caller,
        messages=(Message("user", prompt.user_prompt),),
        repository_ids=repository_ids,
        sampling=Sampling(temperature=prompt.temperature),
        thread_id=prompt.thread_id,
        remember=True,
        dialect="gist",
    )


def included(names: Sequence[str], repositories: Sequence[Repository]) -> tuple[int, ...]:
    """The repositories that a list names; raises InvalidRequestError naming the first that is not there."""
    found: dict[int, None] = {}
    for name in names:
        ids = [each.id for each in repositories if each.name == name] or [
            each.id for each in repositories if name in (str(each.id), f"vs_{each.id}")
        ]
        if not ids:
            raise InvalidRequestError(
                f"`inclusion_list` names {name[:200]!r}, but this project has no such repository.",
                field="inclusion_list",
            )
        found |= dict.fromkeys(ids)
    return tuple(found)


def render_chat(answer: Answer) -> Json:
    """The answer to a prompt: what Gist says of it, and the words themselves."""
    started, retrieved, finished = answer.started, answer.retrieved, answer.finished
    shown = gist_citations(started.trace_id, finished.citations, retrieved.hits)
    return {
        "thread_id": started.thread_id,
        "turn_id": started.turn_number,
        "thread_title": started.title,
        "response": finished.text,
        "citations": {str(each["citationId"]): each for each in shown},
        "attributions": attributions_of(finished.citations, retrieved.hits),
        "response_time": response_time(finished),
        "refused": finished.refused,
        "trace_id": started.trace_id,
    }


def attributions_of(citations: Sequence[Citation], hits: Sequence[Hit]) -> Json:
    """Credit shares of an answer."""
    return gist_attributions(attribute(citations, hits))


def restart(thread: ThreadView, recalled: Recalled) -> Started:
    """The beginning of an answer's stream, as it was."""
    trace = recalled.trace
    provider = trace.model.partition("/")[0]
    return Started(
        trace.id, thread.id, recalled.turn.number, trace.model, provider, int(trace.created_at), thread.title
    )


def render_thread(thread: ThreadView) -> dict[str, Json]:
    """A thread as it is listed."""
    turns = [_turn(turn) for turn in thread.turns]
    return _thread(thread) | {"turns": turns}


def render_whole_thread(thread: ThreadView, turns: Sequence[tuple[TurnView, Recalled | None]]) -> dict[str, Json]:
    """A thread with what its answers rest on; null where the trace was not to be kept."""
    return _thread(thread) | {"turns": [_turn(turn) | _beside(recalled) for turn, recalled in turns]}


def _thread(thread: ThreadView) -> dict[str, Json]:
    return {
        "threadId": thread.id,
        "threadTitle": thread.title,
        "lastInteraction": datetime.fromtimestamp(thread.last_at, UTC).isoformat(timespec="milliseconds"),
        "turnCount": thread.turn_count,
    }


def _turn(turn: TurnView) -> dict[str, Json]:
    return {"turnId": str(turn.number), "userPrompt": turn.question, "response": turn.answer, "follows": turn.follows}


def _beside(recalled: Recalled | None) -> dict[str, Json]:
    if recalled is None:
        return {"citations": None, "attributions": None, "responseTime": None}
    citations, hits = recalled.finished.citations, recalled.retrieved.hits
    return {
        "citations": gist_citations(recalled.trace.id, citations, hits),
        "attributions": attributions_of(citations, hits),
        "responseTime": response_time(recalled.finished),
    }
