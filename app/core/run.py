"""One completion under way: what is settled, what was said so far, and the trace that is kept of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from app.core.citing import cite
from app.core.keeping import keeps_trace, keeps_turn, keeps_words, root_of, title_of
from app.core.ports import ModelChoice, NewTurn, ThreadState, TraceRecord
from app.core.prompting import number_sources
from app.core.toolcalls import assemble
from app.core.tracing import describe
from app.core.types import (
    Ask,
    Attempt,
    Choice,
    Delta,
    Finished,
    FinishReason,
    Message,
    Quote,
    Retrieval,
    Retrieved,
    Started,
    ToolCallDelta,
    Usage,
)

MODEL_CHARS = 200  # of a model's id, as a trace keeps it


@dataclass(frozen=True, slots=True)
class Resolved:
    """An ask with nothing left open: everything it names exists and is the caller's."""

    messages: tuple[Message, ...]  # templates filled in
    question: str
    models: tuple[ModelChoice, ...]  # the one asked for, then those to fall back to
    unusable: tuple[Attempt, ...]  # models that cannot be called here at all, where others can
    system_prompt: str | None
    retrieval: Retrieval | None
    thread: ThreadState
    turn_number: int
    cache_key: str | None


@dataclass(slots=True)
class Draft:
    """What was said so far of one answer."""

    text: list[str] = field(default_factory=list)
    tool_calls: list[ToolCallDelta] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    reason: FinishReason = FinishReason.STOP
    refusal: bool = False

    def add(self, delta: Delta) -> None:
        self.text.append(delta.text)
        if delta.tool_calls or delta.quotes or delta.finish_reason or delta.usage:  # not in most of hundreds
            self.tool_calls.extend(delta.tool_calls)
            self.quotes.extend(delta.quotes)
            self.usage = delta.usage or self.usage
            self.reason = delta.finish_reason or self.reason
        self.refusal = delta.refusal or self.refusal

    def choice(self, retrieved: Retrieved) -> Choice:
        """The answer, its markers checked."""
        text = "".join(self.text)
        cited = cite(text, number_sources(retrieved.hits), self.quotes) if retrieved.hits else ()
        return Choice(text, assemble(self.tool_calls), cited, self.reason, self.refusal)


@dataclass(slots=True)
class Run:
    """What has happened so far in one completion; the only thing here that changes."""

    ask: Ask
    trace_id: str
    began: float  # Unix seconds
    clock: float  # monotonic
    promised: tuple[str, int] | None = None  # the thread, and the number of its turn that this is to be
    resolved: Resolved | None = None
    retrieved: Retrieved | None = None
    model: ModelChoice | None = None  # the one that speaks
    attempts: list[Attempt] = field(default_factory=list)
    prompt_sha256: str | None = None
    drafts: list[Draft] = field(default_factory=list)
    finished: Finished | None = None
    outcome: str = "error"
    error: str | None = None
    error_code: str | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)

    def since_start(self) -> float:
        return (time.perf_counter() - self.clock) * 1000

    def hear(self, delta: Delta) -> None:
        """Adds a piece of an answer."""
        if "first_token" not in self.timings_ms:
            self.timings_ms["first_token"] = self.since_start()
        while len(self.drafts) <= delta.choice:
            self.drafts.append(Draft())
        self.drafts[delta.choice].add(delta)

    def attempted(self, model: ModelChoice, failed: Attempt | None) -> None:
        """Remembers a model that did not speak, or the one that does."""
        if failed is None:
            self.model = model
        else:
            self.attempts.append(failed)

    def usage(self) -> Usage:
        return sum((draft.usage for draft in self.drafts), Usage())

    def started(self, resolved: Resolved) -> Started:
        model, thread = resolved.models[0], resolved.thread
        title = thread.title or title_of(resolved.question)
        return Started(
            self.trace_id, thread.thread_id, resolved.turn_number, model.id, model.provider, int(self.began), title
        )

    def finish(self, retrieved: Retrieved, cost: float | None) -> Finished:
        """The answer, checked."""
        first, *others = [draft.choice(retrieved) for draft in self.drafts or [Draft()]]
        return Finished(
            text=first.text,
            tool_calls=first.tool_calls,
            citations=first.citations,
            usage=self.usage(),
            finish_reason=first.finish_reason,
            refused=retrieved.asked and not retrieved.hits,
            timings_ms=self.timings_ms | {"total": self.since_start()},
            others=tuple(others),
            model=self.model.id if self.model else "",
            cost=cost,
            attempts=tuple(self.attempts),
            refusal=first.refusal,
        )

    def trace(self) -> TraceRecord | None:
        """What is kept; None when the caller's sampling leaves this tree of traces out."""
        ask, log, resolved, finished = self.ask, self.ask.log, self.resolved, self.finished
        if not keeps_trace(log, self.trace_id):
            return None
        usage = finished.usage if finished else self.usage()
        model = (finished.model if finished else "") or (resolved.models[0].id if resolved else ask.model or "")
        said = "".join(self.drafts[0].text) if self.drafts else ""
        detail = describe(ask, resolved.retrieval if resolved else None, self.retrieved, finished, said)
        return TraceRecord(
            id=self.trace_id,
            created_at=self.began,
            outcome=self.outcome,
            model=model[:MODEL_CHARS],
            question=resolved.question if resolved and not log.omit_inputs else "",
            duration_ms=self.timings_ms["total"],
            detail=detail
            | {
                "thread_id": resolved.thread.thread_id if resolved else None,
                "prompt_sha256": None if log.omit_inputs else self.prompt_sha256,
                "error": self.error if keeps_words(ask) else self.error_code,
                "timings_ms": dict(self.timings_ms),
                "cached": finished.cached if finished else False,
            },
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cost=finished.cost if finished else None,
            name=log.name,
            parent_id=log.parent_id,
            root_id=root_of(log, self.trace_id),
            user=ask.caller.user,
            thread_id=resolved.thread.thread_id if resolved else None,
            workspace_id=log.workspace_id,
            experiment_id=log.experiment_id,
            cache_key=self._cache_key(),
        )

    def _cache_key(self) -> str | None:
        """Under which the answer may be given again; None for one that stands in while the first model is silent."""
        resolved, finished = self.resolved, self.finished
        if resolved is None or finished is None or finished.cached:
            return None
        return resolved.cache_key if self.model in (None, resolved.models[0]) else None

    def turn(self, *, traced: bool) -> NewTurn | None:
        """What is remembered; None for a completion that did not end well or must not be written down."""
        resolved, finished = self.resolved, self.finished
        if resolved is None or finished is None or not keeps_turn(self.ask, traced=traced):
            return None
        follows = resolved.thread.turns[-1].number if resolved.thread.turns else None
        thread_id, session = resolved.thread.thread_id, self.ask.session
        return NewTurn(
            thread_id, session, resolved.question, finished.text, self.trace_id, resolved.turn_number, follows
        )
