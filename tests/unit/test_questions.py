"""Proposed questions: found in our own retrieval, spread over documents, never asked twice, from a model or without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import NotFoundError, ProviderError
from app.core.ports import Defaults
from app.core.questions import Proposed, Questioner
from app.core.recall import Recalled, recall
from app.core.types import Ask, Caller, Message
from tests.doubles.core_service import REFUSAL, THRESHOLD, CoreService, OneModel, core_service
from tests.doubles.scripted_generator import ScriptedGenerator

PAGES = {
    "saws.txt": "Only members with a certificate may borrow the chainsaw.\n\nThe chainsaw is the oldest tool of all.",
    "hours.txt": "The library opens at nine on weekdays.\n\nThe reading room is closed on Sundays.",
    "washers.txt": "The deposit for a pressure washer is 40 pounds.\n\nA pressure washer may be kept for five days.",
}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[CoreService]:
    with core_service(tmp_path) as running:
        yield running


async def fill(service: CoreService) -> None:
    for name, content in PAGES.items():
        await service.ingest(name, content)


def questioner(service: CoreService, generator: ScriptedGenerator | None = None) -> Questioner:
    """One whose model is the generator, or only quotes."""
    models = OneModel(generator or ScriptedGenerator([]))
    models.cites_by_quoting = generator is None
    defaults = Defaults("test/model", 3, 10, THRESHOLD, REFUSAL, 1000, 3, 60.0)
    pipeline = service.pipeline(models.generator, quoting=generator is None)
    shelves = service.shelves
    return Questioner(shelves.projects, shelves.chunks, service.retriever, models, pipeline, defaults, service.executor)


async def answered(service: CoreService, question: str) -> Recalled:
    """A turn of a new thread."""
    pipeline = service.pipeline(ScriptedGenerator(["The deposit is 40 pounds [1]."]))
    answer = await pipeline.answer(
        Ask(service.caller, (Message("user", question),), repository_ids=(1,), remember=True)
    )
    shelves = service.shelves
    return await recall(shelves.threads, shelves.journal, service.caller, answer.started.thread_id, 1)


async def test_questions_to_begin_with_come_from_every_document_in_turn(service: CoreService) -> None:
    await fill(service)
    proposed = await questioner(service).recommended(service.caller, 3, 14)
    assert proposed == Proposed(
        (
            "Who may borrow the chainsaw?",
            "When does the library open?",
            "What is the deposit for a pressure washer?",
        ),
        "content",
    )
    assert await questioner(service).recommended(service.caller, 3, 14) == proposed


async def test_each_finds_a_text_that_answers_it(service: CoreService) -> None:
    await fill(service)
    pipeline = service.pipeline(ScriptedGenerator(["So [1]."]))
    for question in (await questioner(service).recommended(service.caller, 9, 14)).questions:
        answer = await pipeline.answer(Ask(service.caller, (Message("user", question),), repository_ids=(1,)))
        assert answer.retrieved.hits, question


async def test_a_question_that_does_not_find_its_own_text_is_dropped(service: CoreService) -> None:
    await fill(service)
    await service.shelves.projects.change(service.caller, {"similarity_threshold": 1.0})
    assert await questioner(service).recommended(service.caller, 3, 14) == Proposed((), "content")


async def test_questions_are_no_longer_than_asked(service: CoreService) -> None:
    await fill(service)
    found = (await questioner(service).recommended(service.caller, 9, 5)).questions
    assert found
    assert all(len(each.split()) <= 5 for each in found)


async def test_without_documents_there_are_no_questions(service: CoreService) -> None:
    generator = ScriptedGenerator(["What is it?"])
    assert await questioner(service, generator).recommended(service.caller, 3, 14) == Proposed((), "content")
    assert generator.prompts == []


async def test_questions_to_go_on_with_leave_out_what_was_asked(service: CoreService) -> None:
    await fill(service)
    asked = "What is the deposit for a PRESSURE washer"
    recalled = await answered(service, asked)
    proposed = await questioner(service).related(
        service.caller, recalled, asked, ["How long may a pressure washer be kept?"], 3, 14
    )
    assert proposed.source == "content"
    assert len(proposed.questions) == 3
    assert not {"What is the deposit for a pressure washer?", "How long may a pressure washer be kept?"} & set(
        proposed.questions
    )


async def test_a_repository_that_is_gone_is_not_looked_into(service: CoreService) -> None:
    await fill(service)
    recalled = await answered(service, "What is the deposit for a pressure washer?")
    await service.shelves.repositories.delete(service.caller, 1)
    assert (await questioner(service).related(service.caller, recalled, "Why?", [], 3, 14)).questions == ()


async def test_a_model_writes_them_where_the_project_has_one(service: CoreService) -> None:
    await fill(service)
    generator = ScriptedGenerator(
        [
            "Here are some questions:\n",
            "1. Which deposit does a pressure washer need?\n",
            "- Quo vadis Ulaanbaatar?\n",  # no text of ours answers that
            "Which deposit does a pressure washer need?\n",
            "When is the reading room of the library closed, and for how many days and nights in a row?\n",  # too long
            "When may I read in the reading room?\n",
        ]
    )
    await service.shelves.projects.change(service.caller, {"similarity_threshold": 0.4})
    proposed = await questioner(service, generator).recommended(service.caller, 2, 14)
    assert proposed == Proposed(
        ("Which deposit does a pressure washer need?", "When may I read in the reading room?"), "model"
    )
    (prompt,) = generator.prompts
    system, task = prompt.messages
    assert all(line in (system.content or "") for line in ("The deposit for a pressure washer is 40 pounds.",))
    assert "2 questions of at most 14 words" in (task.content or "")


async def test_what_a_model_leaves_open_the_documents_fill(service: CoreService) -> None:
    await fill(service)
    generator = ScriptedGenerator(["Which deposit does a pressure washer need?"])
    proposed = await questioner(service, generator).recommended(service.caller, 3, 14)
    assert proposed.source == "mixed"
    assert proposed.questions == (
        "Which deposit does a pressure washer need?",
        "Who may borrow the chainsaw?",
        "When does the library open?",
    )


@pytest.mark.parametrize("script", [[], ["Nothing to ask."]])
async def test_where_the_model_fails_the_documents_ask(service: CoreService, script: list[str]) -> None:
    await fill(service)
    error = None if script else ProviderError("gone")
    proposed = await questioner(service, ScriptedGenerator(script, error=error)).recommended(service.caller, 2, 14)
    assert proposed == Proposed(("Who may borrow the chainsaw?", "When does the library open?"), "content")


async def test_asking_a_model_leaves_a_trace_of_its_cost_but_no_turn(service: CoreService) -> None:
    await fill(service)
    generator = ScriptedGenerator(["Which deposit does a pressure washer need?"])
    await questioner(service, generator).recommended(service.caller, 1, 14)
    (trace,) = await service.shelves.journal.all(service.caller, 9)
    assert (trace.name, trace.cost, trace.question) == ("proposed questions", 10.0, "")
    assert (await service.shelves.threads.all(service.caller, 0, 9, 9)).total == 0


async def test_a_turn_of_others_is_not_recalled(service: CoreService) -> None:
    await fill(service)
    recalled = await answered(service, "What is the deposit for a pressure washer?")
    shelves, thread_id = service.shelves, (await service.shelves.threads.all(service.caller, 0, 9, 9)).threads[0].id
    assert recalled.finished.text == "The deposit is 40 pounds [1]."
    assert recalled.retrieved.hits
    for caller, number in ((Caller(1, user="ann"), 1), (service.caller, 2)):
        with pytest.raises(NotFoundError):
            await recall(shelves.threads, shelves.journal, caller, thread_id, number)
