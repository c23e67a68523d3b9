"""Threads in GraphQL, to be read."""

from __future__ import annotations

from datetime import datetime

import strawberry

from app.api.graphql.context import moment
from app.core.conversations import ThreadView, TurnView


@strawberry.type(name="Turn", description="One question and its answer; its trace has the rest.")
class TurnType:
    number: int
    follows: int | None = strawberry.field(description="The turn it was asked after.")
    question: str
    answer: str
    trace_id: strawberry.ID
    created_at: datetime

    @classmethod
    def of(cls, turn: TurnView) -> TurnType:
        return cls(
            number=turn.number,
            follows=turn.follows,
            question=turn.question,
            answer=turn.answer,
            trace_id=strawberry.ID(turn.trace_id),
            created_at=moment(turn.created_at),
        )


@strawberry.type(name="Thread", description="A conversation of one user.")
class ThreadType:
    id: strawberry.ID
    user: str
    session: str | None = strawberry.field(description="The caller's own name for it.")
    title: str
    created_at: datetime
    last_at: datetime = strawberry.field(description="Of its newest turn.")
    turn_count: int
    turns: list[TurnType] = strawberry.field(description="Oldest first; of a long thread only the newest.")

    @classmethod
    def of(cls, thread: ThreadView) -> ThreadType:
        return cls(
            id=strawberry.ID(thread.id),
            user=thread.user,
            session=thread.session,
            title=thread.title,
            created_at=moment(thread.created_at),
            last_at=moment(thread.last_at),
            turn_count=thread.turn_count,
            turns=[TurnType.of(turn) for turn in thread.turns],
        )
