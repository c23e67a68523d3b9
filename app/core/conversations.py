"""Threads as whoever looks back at them sees them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurnView:
    """One question and its answer; its trace has the rest."""

    number: int  # from 1 in the thread, in the order of asking
    follows: int | None  # the turn it was asked after; None for one that starts the conversation
    question: str
    answer: str
    trace_id: str
    created_at: float  # Unix seconds


@dataclass(frozen=True, slots=True)
class ThreadView:
    """A conversation of one user."""

    id: str  # UUID
    user: str
    session: str | None  # the caller's own name for it
    title: str  # its first question, shortened
    created_at: float  # Unix seconds
    last_at: float  # of its newest turn
    turn_count: int
    turns: tuple[TurnView, ...]  # oldest first; only the newest of a long one


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """Some of a user's threads, and how many there are."""

    threads: tuple[ThreadView, ...]  # the one talked in last comes first
    total: int
