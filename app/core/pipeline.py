"""Turns an Ask into a stream of events.

ask
  | resolve       project defaults, model, templates, thread        → Started
  | retrieve      embed, search, threshold, load                    → Retrieved
  | refuse?       documents were asked for and none is similar enough: the model is not called
  | prompt        rules, numbered sources, history
  | generate                                                        → Delta*
  | cite          every marker checked
  | record        the turn and the trace, whatever became of them   → Finished
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import time
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from app.core.citing import cite
from app.core.errors import AppError, InvalidRequestError
from app.core.ports import (
    Defaults,
    Journal,
    ModelChoice,
    Models,
    NewTurn,
    ProjectDefaults,
    Projects,
    Templates,
    Threads,
    ThreadState,
    TraceRecord,
)
from app.core.prompting import build_messages, fill_templates, find_question, number_sources
from app.core.retrieval import Found, Retriever
from app.core.retrieval_options import settle
from app.core.toolcalls import assemble
from app.core.tracing import describe
from app.core.types import (
    Answer,
    Ask,
    Delta,
    Event,
    Finished,
    FinishReason,
    Funnel,
    Message,
    Prompt,
    Quote,
    Retrieval,
    Retrieved,
    Started,
    ToolCallDelta,
    Usage,
)

_log = logging.getLogger(__name__)
DEFAULT = "default"  # as a model's name: the project's


@dataclass(frozen=True, slots=True)
class Resolved:
    """An ask with nothing left open: everything it names exists and is the caller's."""

    ask: Ask
    messages: tuple[Message, ...]  # templates filled in
    question: str
    model: ModelChoice
    system_prompt: str | None
    retrieval: Retrieval | None
    thread: ThreadState


@dataclass(slots=True)
class Run:
    """What has happened so far in one completion; the only thing here that changes."""

    trace_id: str
    began: float  # Unix seconds
    clock: float  # monotonic
    resolved: Resolved | None = None
    retrieved: Retrieved | None = None
    prompt_sha256: str | None = None
    text: list[str] = field(default_factory=list)
    tool_calls: list[ToolCallDelta] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    reason: FinishReason = FinishReason.STOP
    finished: Finished | None = None
    outcome: str = "error"
    error: str | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)

    def since_start(self) -> float:
        return (time.perf_counter() - self.clock) * 1000


class Pipeline:
    """One completion at a time per call; holds no state between them."""

    def __init__(
        self,
        projects: Projects,
        templates: Templates,
        threads: Threads,
        models: Models,
        retriever: Retriever,
        journal: Journal,
        defaults: Defaults,
    ) -> None:
        self._projects = projects
        self._templates = templates
        self._threads = threads
        self._models = models
        self._retriever = retriever
        self._journal = journal
        self._defaults = defaults
        self._recording: set[asyncio.Task[None]] = set()

    async def run(self, ask: Ask) -> AsyncGenerator[Event, None]:
        """The events of one completion; raises an AppError (with its trace id) instead of the next one.

        Closing or cancelling it stops the generator; the trace is kept in every case.
        """
        run = Run(str(uuid.uuid4()), time.time(), time.perf_counter())
        try:
            run.resolved = resolved = await self._resolve(ask)
            yield Started(
                run.trace_id,
                resolved.thread.thread_id,
                resolved.thread.next_turn,
                resolved.model.id,
                resolved.model.provider,
                int(run.began),
            )
            run.retrieved = await self._retrieve(run, resolved)
            yield run.retrieved
            if run.retrieved.asked and not run.retrieved.hits:
                run.text.append(self._defaults.refusal_text)
                yield Delta(self._defaults.refusal_text)
            else:
                async with contextlib.aclosing(self._generate(run, resolved, run.retrieved)) as deltas:
                    async for delta in deltas:
                        yield delta
            run.finished = _finish(run, run.retrieved)
            run.outcome = "refused" if run.finished.refused else str(run.finished.finish_reason)
            await self._record(ask, run)
            yield run.finished
        except AppError as error:
            error.trace_id = run.trace_id
            run.error = error.message
            raise
        except (asyncio.CancelledError, GeneratorExit):
            run.outcome = run.outcome if run.finished else "cancelled"
            raise
        except Exception as error:
            run.error = f"{type(error).__name__}: {error}"
            error.add_note(f"trace {run.trace_id}")
            raise AppError("Something went wrong on our side. The trace says what.", trace_id=run.trace_id) from error
        finally:
            if run.finished is None:
                # Not awaited to the end where we are being cancelled: the task lives on, `drain` waits for it.
                try:
                    await self._record(ask, run)
                except Exception as error:  # must not stand in for the error that ended the completion
                    _log.error("Trace %s could not be kept: %s", run.trace_id, error)

    async def answer(self, ask: Ask) -> Answer:
        """The whole completion, collected."""
        started: Started | None = None
        retrieved: Retrieved | None = None
        async with contextlib.aclosing(self.run(ask)) as events:
            async for event in events:
                match event:
                    case Started():
                        started = event
                    case Retrieved():
                        retrieved = event
                    case Finished() if started and retrieved:
                        return Answer(started, retrieved, event)
                    case _:
                        pass
        raise AppError("The completion ended without an answer.")

    async def drain(self) -> None:
        """Waits until every trace is kept; at shutdown."""
        while self._recording:
            await asyncio.wait(set(self._recording))

    async def _resolve(self, ask: Ask) -> Resolved:
        project = await self._projects.defaults(ask.caller)
        wanted = [message.template_id for message in ask.messages if message.template_id is not None]
        contents = await self._templates.contents(ask.caller, wanted) if wanted else {}
        messages = fill_templates(ask.messages, contents)
        question = find_question(messages)
        named = None if ask.model in (None, "", DEFAULT) else ask.model
        model_id = named or project.model or self._defaults.model
        await self._models.prepare(model_id)
        model = self._models.resolve(model_id)
        return Resolved(
            ask=ask,
            messages=messages,
            question=question,
            model=model,
            system_prompt=ask.system_prompt if ask.system_prompt is not None else project.system_prompt,
            retrieval=await self._retrieval(ask, project, model, question),
            thread=await self._threads.open(ask.caller, ask.session),
        )

    async def _retrieval(
        self, ask: Ask, project: ProjectDefaults, model: ModelChoice, question: str
    ) -> Retrieval | None:
        repository_ids = project.repository_ids if ask.repository_ids is None else ask.repository_ids
        if not repository_ids and model.cites_by_quoting:
            if ask.repository_ids is not None:
                raise InvalidRequestError(
                    f"The model {model.id} answers from documents only: name some in `repositories.ids`, leave it out "
                    "to search them all, or choose another model.",
                    field="repositories.ids",
                )
            repository_ids = await self._projects.every_repository(ask.caller)
        elif not repository_ids:
            return None
        if len(question) > self._defaults.max_question_chars:
            raise InvalidRequestError(
                f"The question has {len(question)} characters, more than the {self._defaults.max_question_chars} that "
                "are searched for. Put long material into a document.",
                field="messages.content",
            )
        return settle(repository_ids, ask.limit, ask.similarity_threshold, project, self._defaults)

    async def _retrieve(self, run: Run, resolved: Resolved) -> Retrieved:
        if resolved.retrieval is None:
            return Retrieved((), Funnel(), asked=False)
        found: Found = await self._retriever.retrieve(resolved.ask.caller, resolved.question, resolved.retrieval)
        run.timings_ms.update(found.timings_ms)
        return Retrieved(found.hits, found.funnel)

    async def _generate(self, run: Run, resolved: Resolved, retrieved: Retrieved) -> AsyncGenerator[Delta, None]:
        ask, sources = resolved.ask, number_sources(retrieved.hits)
        prompt = Prompt(
            model=resolved.model.name,
            messages=build_messages(resolved.messages, resolved.thread.turns, resolved.system_prompt, sources),
            question=resolved.question,
            sources=sources,
            sampling=ask.sampling,
            tools=ask.tools,
            tool_choice=ask.tool_choice,
            response_format=ask.response_format,
        )
        run.prompt_sha256 = _fingerprint(prompt.messages)
        async with contextlib.aclosing(resolved.model.generator.stream(prompt)) as deltas:
            async for delta in deltas:
                if "first_token" not in run.timings_ms:
                    run.timings_ms["first_token"] = run.since_start()
                run.text.append(delta.text)
                run.tool_calls.extend(delta.tool_calls)
                run.quotes.extend(delta.quotes)
                run.usage = delta.usage or run.usage
                run.reason = delta.finish_reason or run.reason
                yield delta

    async def _record(self, ask: Ask, run: Run) -> None:
        run.timings_ms["total"] = run.since_start()
        retrieval = run.resolved.retrieval if run.resolved else None
        record = TraceRecord(
            id=run.trace_id,
            created_at=run.began,
            outcome=run.outcome,
            model=run.resolved.model.id if run.resolved else ask.model or "",
            question=run.resolved.question if run.resolved else "",
            duration_ms=run.timings_ms["total"],
            detail=describe(ask, retrieval, run.retrieved, run.finished, "".join(run.text))
            | {
                "thread_id": run.resolved.thread.thread_id if run.resolved else None,
                "prompt_sha256": run.prompt_sha256,
                "error": run.error,
                "timings_ms": dict(run.timings_ms),
            },
        )
        turn = None
        if run.resolved and run.finished:
            thread = run.resolved.thread
            turn = NewTurn(thread.thread_id, ask.session, run.resolved.question, run.finished.text)
        task = asyncio.create_task(self._journal.record(ask.caller, record, turn))
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)
        await asyncio.shield(task)


def _finish(run: Run, retrieved: Retrieved) -> Finished:
    text = "".join(run.text)
    refused = retrieved.asked and not retrieved.hits
    citations = cite(text, number_sources(retrieved.hits), run.quotes) if retrieved.asked and not refused else ()
    return Finished(
        text=text,
        tool_calls=assemble(run.tool_calls),
        citations=citations,
        usage=run.usage,
        finish_reason=run.reason,
        refused=refused,
        timings_ms=dict(run.timings_ms),
    )


def _fingerprint(messages: tuple[Message, ...]) -> str:
    """Hex SHA-256 of what the model sees."""
    seen = [[message.role, message.content, message.name, message.tool_call_id] for message in messages]
    return hashlib.sha256(json.dumps(seen, ensure_ascii=False).encode()).hexdigest()
