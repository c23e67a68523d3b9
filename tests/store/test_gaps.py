"""Content gaps as rows: folded, bounded, completed by newer text, opened again when that does not answer."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest

from app.core.errors import NotFoundError
from app.core.gaps import GapRules
from app.core.todos import GapCause, NearMiss, NewTodo, Todo, TodoOrder
from app.core.types import Caller
from tests.store.gaps import AXES, RULES, gap
from tests.store.shelves import Shelves


async def listed(shelves: Shelves, completed: bool | None = None) -> list[Todo]:
    return await shelves.todos.all(shelves.caller, completed, TodoOrder.MOST_ASKED, 999)


async def test_a_gap_is_a_todo_with_its_question(shelves: Shelves) -> None:
    assert await shelves.gaps.note(shelves.caller, gap(at=5.0), RULES)
    [todo] = await listed(shelves)
    assert todo.gap is not None
    assert (todo.title, todo.completed, todo.answered_by) == ("Nothing: What is it?", False, None)
    assert (todo.gap.cause, todo.gap.asked, todo.gap.last_asked_at) == (GapCause.REFUSED, 1, 5.0)
    assert (todo.gap.repository_ids, todo.gap.similarity_threshold) == ((1,), 0.35)
    assert todo.gap.near_misses == (NearMiss(7, "a.txt", 0.25, "nearly"),)


async def test_similar_questions_of_the_same_repositories_are_one(shelves: Shelves) -> None:
    await shelves.gaps.note(shelves.caller, gap("first", (1, 0, 0, 0), at=1.0), RULES)
    await shelves.gaps.note(shelves.caller, gap("near", (1, 0.3, 0, 0), at=3.0), RULES)
    await shelves.gaps.note(shelves.caller, gap("late", (1, 0.2, 0, 0), at=2.0), RULES)  # noted late, asked before
    await shelves.gaps.note(shelves.caller, gap("far", (0, 1, 0, 0)), RULES)
    await shelves.gaps.note(shelves.caller, gap("first", (1, 0, 0, 0), where=(1, 2)), RULES)
    todos = await listed(shelves)
    kept = [(each.gap.question, each.gap.asked, each.gap.repository_ids) for each in todos if each.gap]
    assert kept == [("first", 3, (1,)), ("far", 1, (1,)), ("first", 1, (1, 2))]
    assert todos[0].gap is not None
    assert todos[0].gap.last_asked_at == 3.0


async def test_a_model_that_changed_folds_equal_words_only(shelves: Shelves) -> None:
    await shelves.gaps.note(shelves.caller, gap("What  is IT?", (1, 0, 0, 0)), RULES)
    await shelves.gaps.note(shelves.caller, gap("what is it?", (0, 1)), RULES)
    await shelves.gaps.note(shelves.caller, gap("and that?", (0, 1)), RULES)
    assert [todo.gap.asked for todo in await listed(shelves) if todo.gap] == [2, 1]


async def test_equal_questions_at_once_make_one_todo(shelves: Shelves) -> None:
    await asyncio.gather(*(shelves.gaps.note(shelves.caller, gap(), RULES) for _ in range(12)))
    [todo] = await listed(shelves)
    assert todo.gap is not None
    assert todo.gap.asked == 12


async def test_every_order_of_questions_counts_the_same(shelves: Shelves) -> None:
    groups = {"a": (1.0, 0.0, 0.0, 0.0), "b": (0.0, 1.0, 0.0, 0.0), "c": (0.0, 0.0, 1.0, 0.0)}
    for order in itertools.permutations("aabc", 4):
        project = (await shelves.projects.create(Caller(1), "order")).id
        for question in order:
            await shelves.gaps.note(Caller(project), gap(question, groups[question]), RULES)
        todos = await shelves.todos.all(Caller(project), None, TodoOrder.MOST_ASKED, 9)
        assert {each.gap.question: each.gap.asked for each in todos if each.gap} == {"a": 2, "b": 1, "c": 1}


async def test_the_least_asked_gives_way_and_nothing_that_is_planned(shelves: Shelves) -> None:
    rules = GapRules(similarity=0.85, most=3, checks=100)
    for number in range(3):
        await shelves.gaps.note(shelves.caller, gap(f"q{number}", AXES[number], at=float(number)), rules)
    await shelves.gaps.note(shelves.caller, gap("q0", AXES[0]), rules)
    by_question = {todo.gap.question: todo.id for todo in await listed(shelves) if todo.gap}
    below = await shelves.todos.create(shelves.caller, NewTodo("write it", parent_id=by_question["q1"]))
    assert await shelves.gaps.note(shelves.caller, gap("q3", AXES[3]), rules)
    assert {todo.gap.question for todo in await listed(shelves) if todo.gap} == {"q0", "q1", "q3"}
    assert (await shelves.todos.get(shelves.caller, below.id)).parent_id == by_question["q1"]
    for todo in await listed(shelves):
        await shelves.todos.change(shelves.caller, todo.id, {"tags": ["planned"]})
    assert not await shelves.gaps.note(shelves.caller, gap("q2", AXES[2]), rules)
    assert {todo.gap.question for todo in await listed(shelves) if todo.gap} == {"q0", "q1", "q3"}


async def test_a_completed_one_gives_way_first(shelves: Shelves) -> None:
    rules = GapRules(similarity=0.85, most=2, checks=100)
    for question in ("often", "often", "once"):
        vector = AXES[0] if question == "often" else AXES[1]
        await shelves.gaps.note(shelves.caller, gap(question, vector), rules)
    [often, _once] = await listed(shelves)
    await shelves.todos.toggle(shelves.caller, often.id)
    await shelves.gaps.note(shelves.caller, gap("new", AXES[2]), rules)
    assert {todo.gap.question for todo in await listed(shelves) if todo.gap} == {"once", "new"}


class TestCompleting:
    async def publish(self, shelves: Shelves, name: str = "a.txt") -> tuple[int, int]:
        repository = await shelves.repository()
        return repository, (await shelves.published(repository, name, f"text of {name}")).document.id

    async def test_by_a_newer_document_only(self, shelves: Shelves) -> None:
        repository, document = await self.publish(shelves)
        await shelves.gaps.note(shelves.caller, gap(where=(repository,), at=time.time() + 1000), RULES)
        [todo] = await listed(shelves)
        assert await shelves.gaps.complete(shelves.caller, todo.id, [document]) is None
        assert await shelves.gaps.overdue(shelves.caller) == []
        assert await shelves.gaps.complete(shelves.caller, todo.id, [10**6, document], {document}) == document
        [todo] = await listed(shelves)
        assert (todo.completed, todo.answered_by) == (True, document)
        assert todo.completed_at is not None
        assert await shelves.gaps.complete(shelves.caller, todo.id, [document], {document}) is None  # done already

    async def test_what_a_crash_lost_is_overdue(self, shelves: Shelves) -> None:
        repository, document = await self.publish(shelves)
        await shelves.gaps.note(shelves.caller, gap(where=(repository,), at=1.0), RULES)
        [waiting] = await shelves.gaps.overdue(shelves.caller)
        assert (waiting.project_id, waiting.repository_ids) == (shelves.caller.project_id, (repository,))
        assert waiting in await shelves.gaps.overdue()
        assert await shelves.gaps.complete(shelves.caller, waiting.todo_id, [document]) == document
        assert await shelves.gaps.overdue(shelves.caller) == []

    async def test_asked_again_it_opens_again(self, shelves: Shelves) -> None:
        repository, document = await self.publish(shelves)
        await shelves.gaps.note(shelves.caller, gap(where=(repository,)), RULES)
        [todo] = await listed(shelves)
        await shelves.gaps.complete(shelves.caller, todo.id, [document])
        await shelves.gaps.note(shelves.caller, gap(where=(repository,), at=time.time()), RULES)
        [again] = await listed(shelves)
        assert again.gap is not None
        assert (again.id, again.completed, again.answered_by, again.gap.asked) == (todo.id, False, None, 2)

    async def test_what_a_person_completed_stays_so_and_counts(self, shelves: Shelves) -> None:
        await shelves.gaps.note(shelves.caller, gap(), RULES)
        [todo] = await listed(shelves)
        await shelves.todos.toggle(shelves.caller, todo.id)
        await shelves.gaps.note(shelves.caller, gap(), RULES)
        [again] = await listed(shelves)
        assert again.gap is not None
        assert (again.completed, again.gap.asked) == (True, 2)

    async def test_reopened_by_a_person_only_later_text_answers_it(self, shelves: Shelves) -> None:
        repository, document = await self.publish(shelves)
        await shelves.gaps.note(shelves.caller, gap(where=(repository,)), RULES)
        [todo] = await listed(shelves)
        await shelves.gaps.complete(shelves.caller, todo.id, [document])
        reopened = await shelves.todos.toggle(shelves.caller, todo.id)
        assert (reopened.completed, reopened.answered_by, reopened.completed_at) == (False, None, None)
        assert await shelves.gaps.overdue(shelves.caller) == []
        assert await shelves.gaps.complete(shelves.caller, todo.id, [document]) is None

    async def test_gaps_wait_for_their_own_repositories(self, shelves: Shelves) -> None:
        await shelves.gaps.note(shelves.caller, gap("one", AXES[0], where=(1, 2)), RULES)
        for _ in range(2):
            await shelves.gaps.note(shelves.caller, gap("two", AXES[1], where=(2,)), RULES)
        assert [each.question for each in await shelves.gaps.waiting(shelves.caller, 2)] == ["two", "one"]
        assert [each.question for each in await shelves.gaps.waiting(shelves.caller, 1)] == ["one"]
        assert await shelves.gaps.waiting(shelves.caller, 3) == []


async def test_another_project_shares_nothing(shelves: Shelves) -> None:
    other = Caller((await shelves.projects.create(Caller(1), "other")).id)
    await shelves.gaps.note(shelves.caller, gap(), RULES)
    [mine] = await listed(shelves)
    assert await shelves.gaps.waiting(other, 1) == []
    assert not await shelves.gaps.count(other, "What is it?", (1,), gap().vector, 1.0, RULES)
    assert await shelves.gaps.complete(other, mine.id, [1], {1}) is None
    await shelves.gaps.note(other, gap(), RULES)
    assert [todo.gap.asked for todo in await listed(shelves) if todo.gap] == [1]
    with pytest.raises(NotFoundError):
        await shelves.gaps.note(Caller(10**6), gap(), RULES)
