"""Turns an Ask into a stream of events.

ask
  | resolve       project defaults, model, templates, thread        → Started
  | remember?     an earlier answer to exactly the same, where the caller allows it
  | retrieve      embed, search, threshold, load                    → Retrieved
  | refuse?       documents were asked for and none is similar enough: the model is not called
  | prompt        rules, numbered sources, history
  | generate      the first model that speaks                       → Delta*
  | cite          every marker checked
  | record        the turn and the trace, whatever became of them   → Finished
  | follow        whoever looks at completions afterwards
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import time
import uuid
from collections.abc import AsyncGenerator, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from app.core.answer_format import check_format, misfit, wants_json
from app.core.errors import AppError, InvalidRequestError, ModelNotFoundError, NotFoundError, ProviderError
from app.core.generating import first_that_speaks
from app.core.keeping import cache_key, keeps_words, may_cache
from app.core.ports import (
    Defaults,
    Follower,
    Journal,
    ModelChoice,
    Models,
    Prices,
    ProjectDefaults,
    Projects,
    Templates,
    Threads,
)
from app.core.prompting import build_messages, fill_templates, find_question, number_sources
from app.core.retrieval import Found, Retriever
from app.core.retrieval_options import settle
from app.core.run import Resolved, Run
from app.core.tracing import revive
from app.core.turn_numbers import TurnNumbers
from app.core.types import (
    Answer,
    Ask,
    Attempt,
    Completion,
    Delta,
    Event,
    Finished,
    FinishReason,
    Funnel,
    Message,
    Prompt,
    Retrieval,
    Retrieved,
    Started,
    ToolCallDelta,
)

_log = logging.getLogger(__name__)
DEFAULT = "default"  # as a model's name: the project's


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
        prices: Prices,
        followers: Sequence[Follower] = (),
    ) -> None:
        self._projects = projects
        self._templates = templates
        self._threads = threads
        self._models = models
        self._retriever = retriever
        self._journal = journal
        self._defaults = defaults
        self._prices = prices
        self._followers = followers
        self._numbers = TurnNumbers()
        self._pending: set[asyncio.Task[None]] = set()

    async def run(self, ask: Ask) -> AsyncGenerator[Event, None]:
        """The events of one completion; raises an AppError (with its trace id) instead of the next one.

        Closing or cancelling it stops the generator; the trace is kept in every case.
        """
        run = Run(ask, ask.log.trace_id or str(uuid.uuid4()), time.time(), time.perf_counter())
        try:
            run.resolved = resolved = await self._resolve(run)
            yield (started := run.started(resolved))
            async with contextlib.aclosing(self._answer(run, resolved)) as events:
                async for event in events:
                    yield event
            if run.retrieved is None or run.finished is None:
                raise AssertionError("an answer ends with Finished")
            run.outcome = "refused" if run.finished.refused else str(run.finished.finish_reason)
            await self._record(run)
            self._follow(run, resolved, Answer(started, run.retrieved, run.finished))
            yield run.finished
        except AppError as error:
            error.trace_id, error.private = run.trace_id, not keeps_words(ask)
            run.error, run.error_code = error.message, error.code
            raise
        except (asyncio.CancelledError, GeneratorExit):
            run.outcome = run.outcome if run.finished else "cancelled"
            raise
        except Exception as error:
            run.error, run.error_code = f"{type(error).__name__}: {error}", type(error).__name__
            error.add_note(f"trace {run.trace_id}")
            shown = AppError("Something went wrong on our side. The trace says what.", trace_id=run.trace_id)
            shown.private = not keeps_words(ask)
            raise shown from error
        finally:
            try:
                if run.finished is None:
                    # Not awaited to the end where we are being cancelled: the task lives on, `drain` waits for it.
                    await self._record(run)
            except NotFoundError:  # of the project: whose trace would it be?
                _log.info("Trace %s is nobody's", run.trace_id)
            except Exception as error:  # must not stand in for the error that ended the completion
                _log.error("Trace %s could not be kept: %s", run.trace_id, error)
            finally:
                self._let_go(run)

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
        """Waits until every trace is kept and every follower is done; at shutdown."""
        while self._pending:
            await asyncio.wait(set(self._pending))

    async def _resolve(self, run: Run) -> Resolved:
        ask = run.ask
        check_format(ask.response_format)
        if ask.choices > self._defaults.max_choices:
            raise InvalidRequestError(f"At most {self._defaults.max_choices} answers can be asked for.", field="n")
        project = await self._projects.defaults(ask.caller)
        wanted = [message.template_id for message in ask.messages if message.template_id is not None]
        contents = await self._templates.contents(ask.caller, wanted) if wanted else {}
        messages = fill_templates(ask.messages, contents)
        question = find_question(messages)
        models, unusable = await self._resolve_models(ask, project)
        retrieval = await self._retrieval(ask, project, models[0], question)
        thread = await self._threads.open(ask.caller, ask.session, ask.thread_id, ask.after_turn)
        number = self._numbers.promise(thread.thread_id, thread.last)
        run.promised = thread.thread_id, number
        system_prompt = ask.system_prompt if ask.system_prompt is not None else project.system_prompt
        key = None
        if may_cache(ask):
            ids = retrieval.repository_ids if retrieval else ()
            version = await self._retriever.index_version(ask.caller, ids)
            asked = tuple(model.id for model in models)
            key = cache_key(ask, messages, thread, system_prompt, asked, retrieval, version)
        return Resolved(messages, question, models, unusable, system_prompt, retrieval, thread, number, key)

    async def _resolve_models(
        self, ask: Ask, project: ProjectDefaults
    ) -> tuple[tuple[ModelChoice, ...], tuple[Attempt, ...]]:
        """The models that can be called, in order; raises ModelNotFoundError when there is none."""
        named = None if ask.model in (None, "", DEFAULT) else ask.model
        first = named or project.model or self._defaults.model
        models: list[ModelChoice] = []
        unusable: list[Attempt] = []
        missing: ModelNotFoundError | None = None
        for model in dict.fromkeys((first, *ask.fallback)):
            await self._models.prepare(model)
            try:
                models.append(self._models.resolve(model, ask.provider_key))
            except ModelNotFoundError as error:
                missing = missing or error
                unusable.append(Attempt(model, error.message))
        if missing is not None and not models:
            missing.field = missing.field or "model"
            raise missing
        return tuple(models), tuple(unusable)

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

    async def _answer(self, run: Run, resolved: Resolved) -> AsyncGenerator[Event, None]:
        """Retrieved and the deltas; leaves the checked end in `run.finished`."""
        if resolved.cache_key is not None:
            since = run.began - self._defaults.cache_seconds
            kept = await self._journal.cached(run.ask.caller, resolved.cache_key, since)
            if kept is not None:
                run.retrieved, said = revive(kept.detail, kept.model, kept.cost)
                yield run.retrieved
                for delta in _said_again(said):
                    yield delta
                timings_ms = run.timings_ms | {"total": run.since_start()}
                run.finished = replace(said, cached=True, cost=0.0, timings_ms=timings_ms)
                return
        run.retrieved = await self._retrieve(run, resolved)
        yield run.retrieved
        if run.retrieved.asked and not run.retrieved.hits:
            run.model = resolved.models[0]
            as_refusal = wants_json(run.ask.response_format)
            for choice in range(run.ask.choices):
                run.hear(refusal := Delta(self._defaults.refusal_text, choice=choice, refusal=as_refusal))
                yield refusal
        else:
            async with contextlib.aclosing(self._generate(run, resolved, run.retrieved)) as deltas:
                async for delta in deltas:
                    yield delta
        usage = run.usage()
        cost = self._prices.cost(run.model.id, usage) if run.model and usage.total_tokens else 0.0
        run.finished = _in_format(run.ask, run.finish(run.retrieved, cost))

    async def _retrieve(self, run: Run, resolved: Resolved) -> Retrieved:
        if resolved.retrieval is None:
            return Retrieved((), Funnel(), asked=False)
        found: Found = await self._retriever.retrieve(run.ask.caller, resolved.question, resolved.retrieval)
        run.timings_ms.update(found.timings_ms)
        return Retrieved(found.hits, found.funnel)

    async def _generate(self, run: Run, resolved: Resolved, retrieved: Retrieved) -> AsyncGenerator[Delta, None]:
        ask, sources = run.ask, number_sources(retrieved.hits)
        run.attempts.extend(resolved.unusable)
        prompt = Prompt(
            model=resolved.models[0].name,
            messages=build_messages(
                resolved.messages,
                resolved.thread.turns,
                resolved.system_prompt,
                sources,
                as_json=wants_json(ask.response_format),
            ),
            question=resolved.question,
            sources=sources,
            sampling=ask.sampling,
            tools=ask.tools,
            tool_choice=ask.tool_choice,
            response_format=ask.response_format,
            passed_on=ask.passed_on,
        )
        run.prompt_sha256 = _fingerprint(prompt.messages)
        speaking = first_that_speaks(
            resolved.models, lambda model: replace(prompt, model=model.name), ask.choices, run.attempted
        )
        async with contextlib.aclosing(speaking) as deltas:
            async for delta in deltas:
                run.hear(delta)
                yield delta

    async def _record(self, run: Run) -> None:
        run.timings_ms["total"] = run.since_start()
        trace = run.trace()
        turn = run.turn(traced=trace is not None)
        if trace is None and turn is None:
            return
        await asyncio.shield(self._in_background(self._journal.record(run.ask.caller, trace, turn)))

    def _follow(self, run: Run, resolved: Resolved, answer: Answer) -> None:
        completion = Completion(run.ask, resolved.question, resolved.retrieval, answer, run.timings_ms["total"])
        for follower in self._followers:
            self._in_background(follower(completion))

    def _let_go(self, run: Run) -> None:
        """Frees what was held for one completion alone; awaits nothing, for a hang-up cancels every await anew."""
        if run.promised is not None:
            self._numbers.forget(*run.promised)
        for model in run.resolved.models if run.resolved else ():
            if model.release is not None:
                self._in_background(model.release())

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)
        return task


def _in_format(ask: Ask, finished: Finished) -> Finished:
    """The answer itself; raises ProviderError when a whole one is not in the format that was asked for."""
    for choice in finished.choices:
        whole = choice.finish_reason is FinishReason.STOP and not choice.refusal
        fault = misfit(ask.response_format, choice.text) if whole else None
        if fault is not None:
            raise ProviderError(f"The model's answer does not fit `response_format`: {fault}.", field="response_format")
    return finished


def _said_again(finished: Finished) -> list[Delta]:
    return [
        Delta(
            choice.text,
            tuple(ToolCallDelta(n, call.id, call.name, call.arguments) for n, call in enumerate(choice.tool_calls)),
            choice=number,
            refusal=choice.refusal,
        )
        for number, choice in enumerate(finished.choices)
    ]


def _fingerprint(messages: tuple[Message, ...]) -> str:
    """Hex SHA-256 of what the model sees."""
    seen = [[message.role, message.content, message.name, message.tool_call_id] for message in messages]
    return hashlib.sha256(json.dumps(seen, ensure_ascii=False).encode()).hexdigest()
