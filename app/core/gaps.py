"""Decides what is a content gap, which gaps are one, which gives way, and which to check first. Pure.

A completion is a gap when documents were searched and either none was similar enough (refused), or the answer names no
source that exists, although it is no tool call (unsupported): models paraphrase, so a citation need not be verbatim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.core.todos import GapCause, OpenGap
from app.core.types import Finished, Retrieved, Verdict
from ingest.types import Vectors

SUPPORTING = frozenset(set(Verdict) - {Verdict.FABRICATED})
NAMED = 3  # repositories in a title
QUOTED_CHARS = 300  # of a question in a title


@dataclass(frozen=True, slots=True)
class GapRules:
    """How alike two questions must be, and how much is kept and done."""

    similarity: float  # least cosine at which two questions are one gap
    most: int  # gaps kept in a project, completed ones included
    checks: int  # gaps of a repository that are searched for again after a publication


@dataclass(frozen=True, slots=True)
class KnownGap:
    """A gap as a new question is compared with it."""

    todo_id: int
    question: str
    repository_ids: tuple[int, ...]
    vector: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether a gap gives way when there are too many."""

    todo_id: int
    completed: bool
    asked: int
    last_asked_at: float


def cause_of(retrieved: Retrieved, finished: Finished) -> GapCause | None:
    """Why a completion is a gap, or None: it is supported, asked for a tool, or searched no documents."""
    if not retrieved.asked or finished.tool_calls:
        return None
    if finished.refused:
        return GapCause.REFUSED
    supported = any(citation.verdict in SUPPORTING for citation in finished.citations)
    return None if supported else GapCause.UNSUPPORTED


def title_of_gap(cause: GapCause, question: str, repositories: Sequence[str]) -> str:
    """One line that says what is missing where."""
    named = ", ".join(repositories[:NAMED])
    if len(repositories) > NAMED:
        named += f" and {len(repositories) - NAMED} more"
    verb = "answers" if cause is GapCause.REFUSED else "supports the answer to"
    line = " ".join(question.split())
    shown = line if len(line) <= QUOTED_CHARS else line[:QUOTED_CHARS].rstrip() + "…"
    return f"Nothing in *{named}* {verb}: {shown}"


def find_same(
    known: Sequence[KnownGap], question: str, repository_ids: tuple[int, ...], vector: bytes, similarity: float
) -> int | None:
    """The todo that asks the same of the same repositories: the very words, else the most similar one, else None.

    Vectors of another length are another model's and are not compared.
    """
    here = [gap for gap in known if gap.repository_ids == repository_ids]
    words = _words(question)
    for gap in here:
        if _words(gap.question) == words:
            return gap.todo_id
    comparable = [gap for gap in here if len(gap.vector) == len(vector)]
    if not comparable:
        return None
    cosines = _matrix([gap.vector for gap in comparable]) @ to_vector(vector)
    best = int(np.argmax(cosines))
    return comparable[best].todo_id if cosines[best] >= similarity else None


def gives_way(untouched: Sequence[Standing]) -> int | None:
    """Which of the gaps that nobody has planned anything with is forgotten for a new one; None if there is none.

    A completed one first; else the one asked least often, of these the one asked longest ago.
    """
    if not untouched:
        return None
    order = min(untouched, key=lambda gap: (not gap.completed, gap.asked, gap.last_asked_at, gap.todo_id))
    return order.todo_id


def nearest(gaps: Sequence[OpenGap], chunks: Vectors, most: int) -> list[OpenGap]:
    """The gaps that some new chunk comes nearest to, at most `most`; `chunks` has shape (n, dimensions).

    Gaps whose vector is another model's come last, and so do all when there are no chunks: in their own order.
    """
    if len(gaps) <= most or not len(chunks):
        return list(gaps[:most])
    scores = np.full(len(gaps), -np.inf)
    size = chunks.shape[1] * 4
    at = [index for index, gap in enumerate(gaps) if len(gap.vector) == size]
    if at:
        scores[at] = (_matrix([gaps[index].vector for index in at]) @ chunks.T).max(axis=1)
    return [gaps[index] for index in np.argsort(-scores, kind="stable")[:most]]


def to_bytes(vector: Vectors) -> bytes:
    """A vector as a row keeps it."""
    return np.ascontiguousarray(vector, dtype="<f4").tobytes()


def to_vector(kept: bytes) -> Vectors:
    """The vector of a row."""
    return np.frombuffer(kept, dtype="<f4")


def _matrix(kept: Sequence[bytes]) -> Vectors:
    return np.frombuffer(b"".join(kept), dtype="<f4").reshape(len(kept), -1)


def _words(question: str) -> str:
    return " ".join(question.casefold().split())
