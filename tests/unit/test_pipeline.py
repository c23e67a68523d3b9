"""The pipeline over real parts: what the model saw is what is shown, and every run leaves its trace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from app.core.errors import AppError, InvalidRequestError, ModelNotFoundError, NotFoundError, ProviderError
from app.core.library import NewPromptVersion, PromptMessage
from app.core.ports import TraceRecord
from app.core.types import (
    Ask,
    Caller,
    Delta,
    Event,
    Finished,
    FinishReason,
    Message,
    Prompt,
    Retrieved,
    Started,
    ToolCallDelta,
    Verdict,
)
from tests.doubles.core_service import REFUSAL, CoreService, core_service
from tests.doubles.scripted_generator import ScriptedGenerator

LOANS = "A pressure washer may be borrowed for three days.\n\nThe reading room closes at nine in the evening."
FINES = "A late pressure washer costs two euros a day."
QUESTION = "How long may a pressure washer be borrowed?"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[CoreService]:
    with core_service(tmp_path) as running:
        yield running


def ask(question: str = QUESTION, *, repositories: tuple[int, ...] | None = (1,), **changes: object) -> Ask:
    defaults: dict[str, object] = {"caller": Caller(1), "messages": (Message("user", question),)}
    return Ask(**(defaults | {"repository_ids": repositories} | changes))  # type: ignore[arg-type]


async def traces(service: CoreService) -> list[TraceRecord]:
    return list(await service.shelves.journal.all(service.caller, 99))


async def test_the_prompts_sources_are_the_chunks_that_are_shown_in_order(service: CoreService) -> None:
    await service.ingest("loans.txt", LOANS)
    await service.ingest("fines.txt", FINES)
    generator = ScriptedGenerator(["A pressure washer may be borrowed for three days [1]."])
    answer = await service.pipeline(generator).answer(ask())
    (prompt,) = generator.prompts
    assert len(answer.retrieved.hits) >= 2
    assert tuple(source.hit for source in prompt.sources) == answer.retrieved.hits
    assert [source.marker for source in prompt.sources] == list(range(1, len(prompt.sources) + 1))
    system = prompt.messages[0].content or ""
    places = [system.index(hit.content) for hit in answer.retrieved.hits]
    assert places == sorted(places)
    assert [citation.verdict for citation in answer.finished.citations] == [Verdict.VERBATIM]
    assert (answer.finished.usage.total_tokens, answer.finished.refused) == (10, False)


async def test_events_come_in_the_order_of_the_grammar(service: CoreService) -> None:
    await service.ingest("loans.txt", LOANS)
    events: list[Event] = [event async for event in service.pipeline(ScriptedGenerator(["Three ", "days."])).run(ask())]
    assert [type(event) for event in events] == [Started, Retrieved, Delta, Delta, Delta, Finished]
    assert isinstance(events[-1], Finished)
    assert events[-1].text == "Three days."


async def test_without_evidence_the_model_is_not_called(service: CoreService) -> None:
    await service.ingest("loans.txt", LOANS)
    generator = ScriptedGenerator(["never said"])
    answer = await service.pipeline(generator).answer(ask("zxqv wklj?", similarity_threshold=0.9))
    assert generator.prompts == []
    assert (answer.finished.text, answer.finished.refused, answer.finished.citations) == (REFUSAL, True, ())
    assert [trace.outcome for trace in await traces(service)] == ["refused"]


async def test_without_repositories_there_is_nothing_to_refuse_by(service: CoreService) -> None:
    generator = ScriptedGenerator(["Hello [1]."])
    answer = await service.pipeline(generator).answer(ask(repositories=()))
    assert not answer.retrieved.asked
    assert (answer.finished.text, answer.finished.refused, answer.finished.citations) == ("Hello [1].", False, ())


async def test_a_model_that_only_quotes_searches_everything_unless_told_not_to(service: CoreService) -> None:
    await service.ingest("loans.txt", LOANS)
    pipeline = service.pipeline(ScriptedGenerator(["Three days [1]."]), quoting=True)
    assert (await pipeline.answer(ask(repositories=None))).retrieved.hits
    with pytest.raises(InvalidRequestError, match="answers from documents only"):
        await pipeline.answer(ask(repositories=()))


async def test_a_good_answer_is_traced_and_remembered(service: CoreService) -> None:
    await service.ingest("loans.txt", LOANS)
    pipeline = service.pipeline(ScriptedGenerator(["Three days [1]."]))
    answer = await pipeline.answer(ask(session="chat"))
    (trace,) = await traces(service)
    assert (trace.id, trace.outcome, trace.question) == (answer.started.trace_id, "stop", QUESTION)
    assert trace.detail["answer"] == "Three days [1]."
    assert [chunk["content"] for chunk in trace.detail["document_chunks"]] == [
        hit.content for hit in answer.retrieved.hits
    ]
    again = ScriptedGenerator(["As I said."])
    second = await service.pipeline(again).answer(ask("And how much is it?", session="chat", repositories=()))
    assert (second.started.thread_id, second.started.turn_number) == (answer.started.thread_id, 2)
    said = [(message.role, message.content) for message in again.prompts[0].messages]
    assert said[-3:] == [("user", QUESTION), ("assistant", "Three days [1]."), ("user", "And how much is it?")]


async def test_an_error_of_the_provider_is_traced_with_what_was_said_before(service: CoreService) -> None:
    await service.ingest("loans.txt", LOANS)
    generator = ScriptedGenerator(["Three "], error=ProviderError("overloaded"))
    with pytest.raises(ProviderError) as failed:
        await service.pipeline(generator).answer(ask(session="chat"))
    (trace,) = await traces(service)
    assert (trace.id, trace.outcome, trace.detail["error"]) == (failed.value.trace_id, "error", "overloaded")
    assert trace.detail["answer"] == "Three "
    assert generator.closed == 1
    assert (await service.shelves.threads.open(service.caller, "chat")).turns == ()


async def test_a_bug_is_an_error_of_ours_whose_trace_says_what(service: CoreService) -> None:
    generator = ScriptedGenerator([], error=ZeroDivisionError("a secret path"))
    with pytest.raises(AppError) as failed:
        await service.pipeline(generator).answer(ask(repositories=()))
    assert "secret" not in failed.value.message
    (trace,) = await traces(service)
    assert (trace.id, trace.detail["error"]) == (failed.value.trace_id, "ZeroDivisionError: a secret path")


async def test_a_stream_that_is_closed_midway_closes_the_model_and_is_traced(service: CoreService) -> None:
    generator = ScriptedGenerator(["Three ", "days."], hangs=True)
    pipeline = service.pipeline(generator)
    events = pipeline.run(ask(repositories=(), session="chat"))
    async for event in events:
        if isinstance(event, Delta):
            break
    await events.aclose()
    assert generator.closed == 1
    (trace,) = await traces(service)
    assert (trace.outcome, trace.detail["answer"]) == ("cancelled", "Three ")
    assert (await service.shelves.threads.open(service.caller, "chat")).turns == ()


async def test_a_task_that_is_cancelled_midway_closes_the_model_and_is_traced(service: CoreService) -> None:
    generator = ScriptedGenerator(["Three "], hangs=True)
    pipeline = service.pipeline(generator)
    spoke = asyncio.Event()

    async def listen() -> None:
        async for event in pipeline.run(ask(repositories=())):
            if isinstance(event, Delta):
                spoke.set()

    task = asyncio.create_task(listen())
    await spoke.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await pipeline.drain()
    assert generator.closed == 1
    assert [trace.outcome for trace in await traces(service)] == ["cancelled"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"model": "no/such"}, ModelNotFoundError),
        ({"repositories": (99,)}, NotFoundError),
        ({"messages": (Message("user", None, template_id="none"),)}, NotFoundError),
        ({"messages": ()}, InvalidRequestError),
        ({"messages": (Message("user", "  "),)}, InvalidRequestError),
        ({"question": "x" * 1001}, InvalidRequestError),
        ({"limit": 11}, InvalidRequestError),
    ],
)
async def test_a_request_that_cannot_be_answered_says_so_and_is_traced(
    service: CoreService, changes: dict[str, object], error: type[AppError]
) -> None:
    await service.ingest("loans.txt", LOANS)
    with pytest.raises(error) as failed:
        await service.pipeline(ScriptedGenerator([])).answer(ask(**changes))  # type: ignore[arg-type]
    (trace,) = await traces(service)
    assert (trace.id, trace.outcome) == (failed.value.trace_id, "error")


async def test_a_project_that_is_not_there_is_not_found_although_no_trace_can_be_kept(service: CoreService) -> None:
    with pytest.raises(NotFoundError, match="no project 77"):
        await service.pipeline(ScriptedGenerator([])).answer(ask(caller=Caller(77)))


async def test_the_project_says_what_the_request_does_not(service: CoreService) -> None:
    await service.ingest("loans.txt", LOANS)
    await service.ingest("fines.txt", FINES)
    defaults = {"repository_ids": [1], "system_prompt": "Be brief.", "retrieval_limit": 1, "similarity_threshold": 0.01}
    await service.shelves.projects.change(service.caller, defaults)
    generator = ScriptedGenerator(["Yes."])
    answer = await service.pipeline(generator).answer(ask(repositories=None))
    assert len(answer.retrieved.hits) == 1
    assert (generator.prompts[0].messages[0].content or "").startswith("Be brief.")
    overridden = await service.pipeline(generator).answer(ask(limit=2, system_prompt=""))
    assert len(overridden.retrieved.hits) == 2
    assert not (generator.prompts[1].messages[0].content or "").startswith("Be brief.")


async def test_templates_are_filled_in_before_the_search(service: CoreService) -> None:
    await service.ingest("loans.txt", LOANS)
    template = await service.shelves.prompts.create(
        service.caller, "t", NewPromptVersion((PromptMessage("user", "How long may a ${what} be borrowed?"),))
    )
    message = Message("user", template_id=template.prompt_id, params={"what": "pressure washer"})
    generator = ScriptedGenerator(["Three days."])
    answer = await service.pipeline(generator).answer(ask(messages=(message,)))
    assert generator.prompts[0].question == QUESTION
    assert "three days" in answer.retrieved.hits[0].content


async def test_tool_calls_are_put_together(service: CoreService) -> None:
    script = [
        Delta(tool_calls=(ToolCallDelta(0, "a", "look", '{"x"'),)),
        Delta(tool_calls=(ToolCallDelta(0, None, None, ": 1}"), ToolCallDelta(1, "b", "see", "{}"))),
        Delta(finish_reason=FinishReason.TOOL_CALLS),
    ]
    answer = await service.pipeline(ScriptedGenerator(script)).answer(ask(repositories=()))
    assert [(call.id, call.name, call.arguments) for call in answer.finished.tool_calls] == [
        ("a", "look", '{"x": 1}'),
        ("b", "see", "{}"),
    ]


async def test_a_generator_that_never_ends_well_still_counts(service: CoreService) -> None:
    class Silent:
        """Ends without a word."""

        async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
            yield Delta(finish_reason=FinishReason.LENGTH)

    answer = await service.pipeline(Silent()).answer(ask(repositories=()))
    assert (answer.finished.text, answer.finished.finish_reason) == ("", FinishReason.LENGTH)
    assert [trace.outcome for trace in await traces(service)] == ["length"]
