"""What a caller may ask of the pipeline beyond a question: choices, fallbacks, caching, formats, logging, branches."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from app.core.errors import InvalidRequestError, ModelNotFoundError, NotFoundError, ProviderError
from app.core.pipeline import Pipeline
from app.core.ports import Defaults, Generator, ModelChoice, TraceRecord
from app.core.tracing import revive
from app.core.types import Ask, Attempt, Caller, Completion, Delta, Finished, Logging, Message, Retrieved, ToolCallDelta
from tests.doubles.core_service import REFUSAL, CoreService, Prices, core_service
from tests.doubles.scripted_generator import ScriptedGenerator

LOANS = "A pressure washer may be borrowed for three days.\n\nThe reading room closes at nine in the evening."
QUESTION = "How long may a pressure washer be borrowed?"


class Models:
    """A catalogue of generators by name, that remembers the keys it was given and what was freed."""

    def __init__(self, **generators: Generator) -> None:
        self.generators = generators
        self.keys: list[str | None] = []
        self.freed = 0

    async def prepare(self, model: str) -> None:
        """Nothing to load."""

    def resolve(self, model: str, provider_key: str | None = None) -> ModelChoice:
        """Raises ModelNotFoundError."""
        provider, _, name = model.partition("/")
        if name not in self.generators:
            raise ModelNotFoundError(f"no {model}")
        self.keys.append(provider_key)
        return ModelChoice(provider, name, self.generators[name], release=self.free if provider_key else None)

    async def free(self) -> None:
        self.freed += 1


@pytest.fixture
def service(tmp_path: Path) -> Iterator[CoreService]:
    with core_service(tmp_path) as running:
        yield running


def pipeline(service: CoreService, models: Models, followed: list[Completion] | None = None) -> Pipeline:
    async def follow(completion: Completion) -> None:
        if followed is not None:
            followed.append(completion)

    shelves = service.shelves
    defaults = Defaults("test/a", 3, 10, 0.2, REFUSAL, 1000, 3, 60.0)
    return Pipeline(
        shelves.projects,
        shelves.prompts,
        shelves.threads,
        models,
        service.retriever,
        shelves.journal,
        defaults,
        Prices(),
        (follow,),
    )


def ask(question: str = QUESTION, *, repositories: tuple[int, ...] = (1,), **changes: object) -> Ask:
    given: dict[str, object] = {"caller": Caller(1), "messages": (Message("user", question),)}
    return Ask(**(given | {"repository_ids": repositories} | changes))  # type: ignore[arg-type]


async def traces(service: CoreService) -> list[TraceRecord]:
    return list(await service.shelves.journal.all(service.caller, 99))


async def test_choices_are_whole_answers_each_with_its_citations(service: CoreService) -> None:
    await service.ingest("loans.txt", LOANS)
    models = Models(a=ScriptedGenerator(["Borrowed for three days [1]."]))
    answer = await pipeline(service, models).answer(ask(choices=3))
    assert [choice.text for choice in answer.finished.choices] == ["Borrowed for three days [1]."] * 3
    assert [len(choice.citations) for choice in answer.finished.choices] == [1, 1, 1]
    assert (answer.finished.usage.total_tokens, answer.finished.cost) == (30, 30.0)
    with pytest.raises(InvalidRequestError, match="At most 3") as refused:
        await pipeline(service, models).answer(ask(choices=4))
    assert refused.value.field == "n"


async def test_a_fallback_speaks_where_the_first_does_not_and_both_are_named(service: CoreService) -> None:
    models = Models(a=ScriptedGenerator([], error=ProviderError("overloaded")), b=ScriptedGenerator(["Hello."]))
    answer = await pipeline(service, models).answer(ask(repositories=(), fallback=("test/none", "test/b")))
    assert (answer.started.model, answer.finished.model, answer.finished.provider) == ("test/a", "test/b", "test")
    assert answer.finished.attempts == (Attempt("test/none", "no test/none"), Attempt("test/a", "overloaded"))
    (trace,) = await traces(service)
    assert (trace.model, [each["model"] for each in trace.detail["attempts"]]) == ("test/b", ["test/none", "test/a"])


async def test_only_unknown_models_are_not_found(service: CoreService) -> None:
    with pytest.raises(ModelNotFoundError, match="no test/x"):
        await pipeline(service, Models()).answer(ask(model="test/x", fallback=("test/y",), repositories=()))


async def test_a_callers_own_key_reaches_the_model_and_is_kept_nowhere(service: CoreService) -> None:
    models = Models(a=ScriptedGenerator(["Hello."]))
    flow = pipeline(service, models)
    asked = ask(repositories=(), provider_key="sk-secret-marker")
    await flow.answer(asked)
    await flow.drain()
    assert (models.keys, models.freed) == (["sk-secret-marker"], 1)
    assert "sk-secret-marker" not in repr(asked) + repr(await traces(service))


async def test_the_same_question_is_answered_from_the_cache_until_the_documents_change(service: CoreService) -> None:
    await service.ingest("loans.txt", LOANS)
    calls = [ToolCallDelta(0, "c1", "look", "{}")]
    generator = ScriptedGenerator([Delta("Borrowed for three days [1].", tuple(calls))])
    flow = pipeline(service, Models(a=generator))
    first = await flow.answer(ask(cache=True))
    again = await flow.answer(ask(cache=True))
    assert len(generator.prompts) == 1
    assert (first.finished.cached, again.finished.cached, again.finished.cost) == (False, True, 0.0)
    assert again.retrieved == first.retrieved
    assert again.finished.choices == first.finished.choices
    assert again.started.trace_id != first.started.trace_id
    streamed = [event async for event in flow.run(ask(cache=True))]
    said = [event for event in streamed if isinstance(event, Delta)]
    assert ("".join(delta.text for delta in said), [delta.tool_calls for delta in said]) == (
        "Borrowed for three days [1].",
        [tuple(calls)],
    )
    await flow.answer(ask())  # did not say that it may be
    assert len(generator.prompts) == 2
    await service.ingest("more.txt", "A pressure washer may be borrowed by members.")
    assert not (await flow.answer(ask(cache=True))).finished.cached
    assert len(generator.prompts) == 3


async def test_what_a_fallback_says_is_not_said_again_once_the_first_model_is_back(service: CoreService) -> None:
    models = Models(a=ScriptedGenerator([], error=ProviderError("overloaded")), b=ScriptedGenerator(["Second best."]))
    flow, asked = pipeline(service, models), ask(repositories=(), cache=True, fallback=("test/b",))
    await flow.answer(asked)
    models.generators["a"] = ScriptedGenerator(["Best."])
    told = [await flow.answer(asked) for _ in range(2)]
    assert [(each.finished.text, each.finished.cached) for each in told] == [("Best.", False), ("Best.", True)]


async def test_the_cache_of_a_project_is_its_own(service: CoreService) -> None:
    other = Caller((await service.shelves.projects.create(service.caller, "other")).id)
    generator = ScriptedGenerator(["Hello."])
    flow = pipeline(service, Models(a=generator))
    await flow.answer(ask(repositories=(), cache=True))
    assert not (await flow.answer(ask(repositories=(), cache=True, caller=other))).finished.cached
    assert len(generator.prompts) == 2


async def test_an_answer_that_does_not_fit_its_format_is_the_providers_failure(service: CoreService) -> None:
    wanted = {"type": "json_object"}
    flow = pipeline(service, Models(a=ScriptedGenerator(["no JSON"]), b=ScriptedGenerator(['{"days": 3}'])))
    with pytest.raises(ProviderError, match="does not fit `response_format`"):
        await flow.answer(ask(repositories=(), response_format=wanted))
    assert (await flow.answer(ask(repositories=(), response_format=wanted, model="test/b"))).finished.text
    bad, good = (await traces(service))[::-1]
    assert (bad.outcome, bad.detail["answer"], good.outcome) == ("error", "no JSON", "stop")
    with pytest.raises(InvalidRequestError, match="json_schema"):
        await flow.answer(ask(repositories=(), response_format={"type": "xml"}))


async def test_a_trace_reads_back_as_what_happened(service: CoreService) -> None:
    await service.ingest("loans.txt", LOANS)
    flow = pipeline(service, Models(a=ScriptedGenerator(["Borrowed for three days [1], or not [7]."])))
    answer = await flow.answer(ask(choices=2))
    (trace,) = await traces(service)
    retrieved, finished = revive(trace.detail, trace.model, trace.cost)
    assert retrieved == answer.retrieved
    assert finished.choices == answer.finished.choices
    assert (finished.usage, finished.model, finished.cost) == (
        answer.finished.usage,
        answer.finished.model,
        answer.finished.cost,
    )


@pytest.mark.parametrize("failing", [False, True])
async def test_what_is_omitted_is_not_in_the_trace(service: CoreService, failing: bool) -> None:
    await service.ingest("loans.txt", LOANS)
    error = ProviderError("the xyzzy-output repeated") if failing else None
    flow = pipeline(service, Models(a=ScriptedGenerator(["xyzzy-output three days [1]."], error=error)))
    asked = ask(
        QUESTION + " xyzzy-input",
        system_prompt="xyzzy-input",
        inputs={"x": "xyzzy-input"},
        session="chat",
        log=Logging(omit_inputs=True, omit_outputs=True, tags=("kept",)),
    )
    if failing:
        with pytest.raises(ProviderError):
            await flow.answer(asked)
    else:
        await flow.answer(asked)
    (trace,) = await traces(service)
    assert "xyzzy" not in repr(trace)
    assert "three days" not in repr(trace)  # neither the answer nor the quote nor the chunk
    assert (trace.detail["tags"], trace.detail["omitted"]) == (["kept"], ["inputs", "outputs"])
    assert (await service.shelves.threads.open(service.caller, "chat")).turns == ()


async def test_an_unsampled_completion_leaves_no_trace_but_a_named_conversation_goes_on(service: CoreService) -> None:
    flow = pipeline(service, Models(a=ScriptedGenerator(["Hello."])))
    never = Logging(sample_rate=0.0)
    await flow.answer(ask(repositories=(), log=never))
    await flow.answer(ask(repositories=(), log=never, session="chat"))
    assert await traces(service) == []
    assert len((await service.shelves.threads.open(service.caller, "chat")).turns) == 1


async def test_the_callers_own_ids_place_the_trace_in_its_tree(service: CoreService) -> None:
    flow = pipeline(service, Models(a=ScriptedGenerator(["Hello."])))
    own = str(uuid.uuid4())
    log = Logging(trace_id=own, parent_id="parent", root_id="root", name="step", workspace_id=None)
    answer = await flow.answer(ask(repositories=(), log=log))
    trace = await service.shelves.journal.get(service.caller, own)
    assert (answer.started.trace_id, trace.parent_id, trace.root_id, trace.name) == (own, "parent", "root", "step")
    await flow.answer(ask(repositories=(), log=log))  # sent again: the newer takes its place
    assert [each.id for each in await traces(service)] == [own]


async def test_a_follow_up_continues_the_turn_it_names(service: CoreService) -> None:
    generator = ScriptedGenerator(["Yes."])
    flow = pipeline(service, Models(a=generator))
    first = await flow.answer(ask("one?", repositories=(), remember=True))
    thread = first.started.thread_id
    await flow.answer(ask("two?", repositories=(), thread_id=thread, after_turn=1))
    third = await flow.answer(ask("three?", repositories=(), thread_id=thread, after_turn=1))
    await flow.answer(ask("four?", repositories=(), thread_id=thread, after_turn=3))
    said = [[m.content for m in prompt.messages if m.role == "user"] for prompt in generator.prompts]
    assert said == [["one?"], ["one?", "two?"], ["one?", "three?"], ["one?", "three?", "four?"]]
    assert (third.started.turn_number, third.started.title) == (3, "one?")
    with pytest.raises(NotFoundError, match="no turn 9"):
        await flow.answer(ask("?", repositories=(), thread_id=thread, after_turn=9))
    for stranger in (Caller(1, user="another"), Caller((await service.shelves.projects.create(Caller(1), "x")).id)):
        with pytest.raises(NotFoundError, match="no thread"):
            await flow.answer(ask("?", repositories=(), thread_id=thread, caller=stranger))


async def test_followers_see_good_completions_only_and_are_waited_for(service: CoreService) -> None:
    followed: list[Completion] = []
    models = Models(a=ScriptedGenerator(["Hello."]), b=ScriptedGenerator([], error=ProviderError("x")))
    flow = pipeline(service, models, followed)
    await flow.answer(ask(repositories=()))
    with pytest.raises(ProviderError):
        await flow.answer(ask(repositories=(), model="test/b"))
    await flow.drain()
    assert [each.answer.finished.text for each in followed] == ["Hello."]
    assert (followed[0].question, followed[0].retrieval) == (QUESTION, None)


async def test_a_stream_of_choices_that_is_closed_midway_is_traced_as_cancelled(service: CoreService) -> None:
    generator = ScriptedGenerator(["Hello"], hangs=True)
    flow = pipeline(service, Models(a=generator))
    events = flow.run(ask(repositories=(), choices=2))
    async for event in events:
        if isinstance(event, Delta):
            break
    await events.aclose()
    await flow.drain()
    await asyncio.sleep(0)
    assert generator.closed == len(generator.prompts)
    assert [trace.outcome for trace in await traces(service)] == ["cancelled"]


async def test_a_cached_stream_has_the_events_of_any_other(service: CoreService) -> None:
    flow = pipeline(service, Models(a=ScriptedGenerator(["Hello."])))
    await flow.answer(ask(repositories=(), cache=True))
    kinds = [type(event) for event in [event async for event in flow.run(ask(repositories=(), cache=True))]]
    assert kinds[1:] == [Retrieved, Delta, Finished]


async def test_follow_ups_at_the_same_time_are_told_numbers_of_their_own(service: CoreService) -> None:
    flow = pipeline(service, Models(a=ScriptedGenerator(["Yes."])))
    first = await flow.answer(ask("one?", repositories=(), remember=True))
    thread = first.started.thread_id
    told = await asyncio.gather(
        *(flow.answer(ask(f"{n}?", repositories=(), thread_id=thread, after_turn=1)) for n in range(5))
    )
    numbers = {each.started.turn_number: each.started.trace_id for each in told}
    assert sorted(numbers) == [2, 3, 4, 5, 6]
    for number, trace_id in numbers.items():
        assert (await service.shelves.threads.turn(service.caller, thread, number)).trace_id == trace_id


async def test_a_hang_up_that_cancels_every_await_anew_leaves_nothing_held(service: CoreService) -> None:
    models = Models(a=ScriptedGenerator(["Hello."]), b=ScriptedGenerator(["Hal"], hangs=True))
    flow = pipeline(service, models)
    await flow.answer(ask(repositories=(), session="s"))
    with anyio.CancelScope() as scope:  # as a web server's: unlike a task's own, it cancels until it is left
        async with contextlib.aclosing(
            flow.run(ask(repositories=(), session="s", model="test/b", provider_key="sk-own"))
        ) as events:
            async for event in events:
                if isinstance(event, Delta):
                    scope.cancel()
    await flow.drain()
    assert models.freed == 1
    assert [trace.outcome for trace in await traces(service)] == ["cancelled", "stop"]
    assert (await flow.answer(ask(repositories=(), session="s"))).started.turn_number == 2


async def test_a_model_id_without_end_does_not_cost_the_trace(service: CoreService) -> None:
    name = "x" * 300
    flow = pipeline(service, Models(**{name: ScriptedGenerator(["Hello."])}))
    await flow.answer(ask(repositories=(), model=f"test/{name}"))
    with pytest.raises(ModelNotFoundError):
        await flow.answer(ask(repositories=(), model=f"test/{name}y"))
    # PostgreSQL, unlike SQLite, refuses a text that is longer than its column.
    assert [len(trace.model) for trace in await traces(service)] == [200, 200]
