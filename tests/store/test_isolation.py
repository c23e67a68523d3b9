"""No project ever sees another's rows: every store method, after any history, against a small model of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.core.datasets import CaseChange, NewCase
from app.core.errors import NotFoundError
from app.core.experiments import ExperimentFilter, ExperimentStatus, NewExperiment
from app.core.feedback import NewFeedback
from app.core.library import JobState, NewPromptVersion, PromptMessage
from app.core.todos import NewTodo, Todo, TodoOrder
from app.core.trace_logs import LogPart
from app.core.trace_query import TraceQuery
from app.core.types import Caller, Scope
from app.store.engine import Database
from tests.store.gaps import AXES, RULES, gap
from tests.store.shelves import Shelves, canonical, trace, turn

T = TypeVar("T")
PROJECTS = st.integers(0, 2)
NAMES = st.sampled_from(["a.txt", "b.txt"])
CONTENTS = st.sampled_from(["one", "one two", "three four five"])


@dataclass
class World:
    """What one project should see."""

    shelves: Shelves
    repositories: dict[int, set[int]] = field(default_factory=dict)  # document ids by repository
    published: dict[int, str] = field(default_factory=dict)  # content by document
    jobs: set[int] = field(default_factory=set)
    chunks: set[int] = field(default_factory=set)  # published, not deleted
    threads: dict[str, int] = field(default_factory=dict)  # turns by session
    thread_ids: set[str] = field(default_factory=set)
    templates: dict[str, str] = field(default_factory=dict)
    traces: set[str] = field(default_factory=set)
    keys: dict[int, str] = field(default_factory=dict)
    experiments: dict[str, str] = field(default_factory=dict)  # trace of each
    datasets: dict[int, int] = field(default_factory=dict)  # cases of each
    todos: set[int] = field(default_factory=set)

    @property
    def caller(self) -> Caller:
        return self.shelves.caller

    @property
    def documents(self) -> set[int]:
        return set().union(*self.repositories.values())


class Tenants(RuleBasedStateMachine):
    """Three projects in one database, each doing what projects do."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()

    def teardown(self) -> None:
        self.runner.close()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def make_projects(self) -> None:
        base = Shelves.of(self.database, 1)
        ids = [self.wait(base.projects.create(Caller(1), "tenant")).id for _ in range(3)]
        self.worlds = [World(Shelves.of(self.database, project_id)) for project_id in ids]

    @rule(project=PROJECTS)
    def create_repository(self, project: int) -> None:
        world = self.worlds[project]
        world.repositories[self.wait(world.shelves.repository("same name"))] = set()

    @rule(project=PROJECTS, name=NAMES, content=CONTENTS, where=st.integers(0, 9), fails=st.booleans())
    def ingest(self, project: int, name: str, content: str, where: int, fails: bool) -> None:
        world = self.worlds[project]
        if not world.repositories:
            return
        repository = sorted(world.repositories)[where % len(world.repositories)]
        added = self.wait(world.shelves.add(repository, name, content))
        document = added.document
        world.repositories[repository].add(document.id)
        world.jobs.add(document.job.id)
        if added.unchanged and document.job.state is JobState.COMPLETED:
            assert world.published[document.id] == content
        elif fails:
            world.shelves.corpus.fail(document.job.id, "no luck", cancelled=False)
        else:
            world.shelves.ingest(document.job.id, content)
            world.published[document.id] = content

    @rule(project=PROJECTS, which=st.integers(0, 9))
    def delete_document(self, project: int, which: int) -> None:
        world = self.worlds[project]
        if not world.documents:
            return
        document = sorted(world.documents)[which % len(world.documents)]
        self.wait(world.shelves.documents.delete(world.caller, document))
        world.published.pop(document, None)
        for inside in world.repositories.values():
            inside.discard(document)

    @rule(project=PROJECTS, which=st.integers(0, 9))
    def delete_repository(self, project: int, which: int) -> None:
        world = self.worlds[project]
        if not world.repositories:
            return
        repository = sorted(world.repositories)[which % len(world.repositories)]
        self.wait(world.shelves.repositories.delete(world.caller, repository))
        for document in world.repositories.pop(repository):
            world.published.pop(document, None)

    @rule(project=PROJECTS, session=st.sampled_from(["chat", "other"]))
    def talk(self, project: int, session: str) -> None:
        world = self.worlds[project]
        state = self.wait(world.shelves.threads.open(world.caller, session))
        trace_id = str(uuid.uuid4())
        new_turn = turn(state.thread_id, session, f"question of {project}")
        self.wait(world.shelves.journal.record(world.caller, trace(trace_id), new_turn))
        world.traces.add(trace_id)
        world.thread_ids.add(state.thread_id)
        world.threads[session] = world.threads.get(session, 0) + 1

    @rule(project=PROJECTS)
    def write_template(self, project: int) -> None:
        world = self.worlds[project]
        content = f"template of {project}"
        version = NewPromptVersion((PromptMessage("user", content),))
        made = self.wait(world.shelves.prompts.create(world.caller, "same name", version))
        world.templates[made.prompt_id] = content

    @rule(project=PROJECTS, which=st.integers(0, 9), question=st.sampled_from(["one", "two"]))
    def need(self, project: int, which: int, question: str) -> None:
        world = self.worlds[project]
        shelves, caller = world.shelves, world.caller
        parent = sorted(world.todos)[which % len(world.todos)] if world.todos else None
        world.todos.add(self.wait(shelves.todos.create(caller, NewTodo("same title", parent_id=parent))).id)
        self.wait(shelves.gaps.note(caller, gap(question, AXES[int(question == "two")]), RULES))
        gaps = [todo for todo in self.wait(every_todo(shelves)) if todo.gap]
        assert len(gaps) == len({todo.gap.question for todo in gaps if todo.gap})
        world.todos |= {todo.id for todo in gaps}

    @rule(project=PROJECTS, revoked=st.booleans())
    def make_key(self, project: int, revoked: bool) -> None:
        world = self.worlds[project]
        row, key = self.wait(world.shelves.keys.create(world.caller, "same name", [Scope.READ]))
        world.keys[row.id] = key
        if revoked:
            self.wait(world.shelves.keys.revoke(world.caller, row.id))
            assert self.wait(world.shelves.keys.find(key)) is None
        else:
            found = self.wait(world.shelves.keys.find(key))
            assert found is not None
            assert (found.project_id, found.scopes) == (world.caller.project_id, frozenset({Scope.READ}))

    @rule(project=PROJECTS, number=st.integers(0, 99))
    def experiment(self, project: int, number: int) -> None:
        """A run with one trace, and a dataset, under names that others use too."""
        world = self.worlds[project]
        shelves, caller = world.shelves, world.caller
        where, _ = self.wait(shelves.workspaces.create_or_get(caller, "same name"))
        run = NewExperiment(where.id, "same name", f"run {len(world.experiments)}")
        made = self.wait(shelves.experiments.create(caller, run))
        trace_id = str(uuid.uuid4())
        self.wait(shelves.journal.record(caller, replace(trace(trace_id), experiment_id=made.id), None))
        world.traces.add(trace_id)
        world.experiments[made.id] = trace_id
        name = f"cases {len(world.datasets)}"
        dataset = self.wait(shelves.datasets.create(caller, name, ["q"], [NewCase({"q": f"{number}"})]))
        world.datasets[dataset.id] = number

    @invariant()
    def each_sees_exactly_its_own(self) -> None:
        for world in self.worlds:
            self.wait(self.check_own(world))

    async def check_own(self, world: World) -> None:
        shelves, caller = world.shelves, world.caller
        assert {each.id for each in await shelves.repositories.all(caller)} == set(world.repositories)
        assert set(await shelves.projects.every_repository(caller)) == set(world.repositories)
        for repository, inside in world.repositories.items():
            assert {each.id for each in await shelves.documents.all(caller, repository, 99)} == inside
            _, ids = await shelves.chunks.visible_ids(caller, repository)
            hits = shelves.chunks.hits_now(caller, dict.fromkeys(ids, 0.5))
            assert len(hits) == len(ids)
            words = sorted(word for each in inside & set(world.published) for word in world.published[each].split())
            assert sorted(hit.content for hit in hits) == words
            assert {hit.document_id for hit in hits} <= inside
        for document, content in world.published.items():
            assert (await shelves.documents.text(caller, document)).text == content
        hashes = [canonical(content).sha256 for content in ("one", "one two", "three four five")]
        assert set((await shelves.documents.texts_by_hash(caller, hashes)).values()) <= {
            "one",
            "one two",
            "three four five",
        }
        assert set(world.published.values()) <= set((await shelves.documents.texts_by_hash(caller, hashes)).values())
        for session in ("chat", "other"):
            state = await shelves.threads.open(caller, session)
            assert len(state.turns) == min(world.threads.get(session, 0), 20)
        assert {each.id for each in (await shelves.threads.all(caller, 0, 99, 9)).threads} == world.thread_ids
        assert {each.id for each in await shelves.journal.all(caller, 999)} == world.traces
        searched = await shelves.trace_search.search(caller, TraceQuery(limit=999))
        assert ({each.id for each in searched.traces}, searched.total) == (world.traces, len(world.traces))
        assert await shelves.prompts.contents(caller, list(world.templates)) == world.templates
        assert {each.id for each in await shelves.prompts.all(caller)} == set(world.templates)
        assert {each.id for each in await shelves.keys.all(caller)} == set(world.keys)
        mine = await every_todo(shelves)
        assert {todo.id for todo in mine} == world.todos
        assert {child for todo in mine for child in todo.children} <= world.todos
        assert {each.todo_id for each in await shelves.gaps.waiting(caller, 1)} <= world.todos
        assert {each.todo_id for each in await shelves.gaps.overdue(caller)} <= world.todos
        assert {job for job, _ in shelves.jobs.unfinished(caller)} == set()
        found = await shelves.experiments.find(caller, ExperimentFilter(), 999)
        assert {each.id for each in found} == set(world.experiments)
        figures = await shelves.experiments.figures(caller, list(world.experiments))
        assert {each: [row.id for row in rows] for each, rows in figures.items()} == {
            each: [trace_id] for each, trace_id in world.experiments.items()
        }
        assert {each.id for each in await shelves.datasets.all(caller, 999)} == set(world.datasets)
        for dataset, number in world.datasets.items():
            (case,) = (await shelves.datasets.contents(caller, dataset)).cases
            assert case.inputs == {"q": str(number)}

    @rule(mine=PROJECTS, theirs=PROJECTS)
    def look_at_anothers(self, mine: int, theirs: int) -> None:
        if mine != theirs:
            self.wait(self.check_foreign(self.worlds[mine], self.worlds[theirs]))

    async def check_foreign(self, mine: World, theirs: World) -> None:
        """Every method that takes an id, with every id of the other project."""
        shelves, caller = mine.shelves, mine.caller
        for repository in theirs.repositories:
            await check_refused(
                shelves.repositories.get(caller, repository),
                shelves.repositories.change(caller, repository, {"name": "stolen"}),
                shelves.repositories.delete(caller, repository),
                asyncio.to_thread(shelves.repositories.scopes_now, caller, [*mine.repositories, repository]),
                shelves.chunks.visible_ids(caller, repository),
                shelves.documents.all(caller, repository, 9),
                shelves.add(repository, "a.txt", "theirs"),
            )
            _, ids = await theirs.shelves.chunks.visible_ids(theirs.caller, repository)
            assert shelves.chunks.hits_now(caller, dict.fromkeys(ids, 0.5)) == []
            assert await shelves.chunks.passages(caller, ids) == []
            assert shelves.chunks.openings_now(caller, [repository], 9, 9) == []
        for document in theirs.documents:
            await check_refused(
                shelves.documents.get(caller, document),
                shelves.documents.text(caller, document),
                shelves.documents.chunks(caller, document, 9),
                shelves.documents.delete(caller, document),
            )
        for job in theirs.jobs:
            await check_refused(shelves.jobs.get(caller, job), shelves.jobs.request_cancel(caller, job))
        for template in theirs.templates:
            version = NewPromptVersion((PromptMessage("user", "stolen"),))
            await check_refused(
                shelves.prompts.contents(caller, [*mine.templates, template]),
                shelves.prompts.get(caller, template),
                shelves.prompts.versions(caller, template),
                shelves.prompts.add_version(caller, template, version),
                shelves.prompts.tag(caller, template, 1, "stolen"),
                shelves.prompts.delete(caller, template),
            )
        for thread_id in theirs.thread_ids:
            await check_refused(
                shelves.threads.open(caller, None, thread_id),
                shelves.threads.get(caller, thread_id, 9),
                shelves.threads.turn(caller, thread_id, 1),
                shelves.threads.delete(caller, thread_id),
            )
        assert await shelves.journal.some(caller, theirs.traces) == {}
        for trace_id in theirs.traces:
            await check_refused(
                shelves.journal.get(caller, trace_id),
                shelves.feedback.add(caller, NewFeedback(trace_id, positive=True)),
                shelves.feedback.withdraw(caller, trace_id),
                shelves.trace_search.tree(caller, trace_id, 9),
                shelves.trace_logs.change(caller, LogPart(trace_id, {"name": "stolen"})),
            )
            await theirs.shelves.feedback.add(theirs.caller, NewFeedback(trace_id, positive=True))
        assert await shelves.feedback.thumbs(caller, theirs.traces) == {}
        assert set(await theirs.shelves.feedback.thumbs(theirs.caller, theirs.traces)) == theirs.traces
        for todo in theirs.todos:
            await check_refused(
                shelves.todos.get(caller, todo),
                shelves.todos.toggle(caller, todo),
                shelves.todos.change(caller, todo, {"title": "stolen"}),
                shelves.todos.delete(caller, todo),
                shelves.todos.create(caller, NewTodo("below theirs", parent_id=todo)),
            )
            documents = sorted(theirs.documents)
            assert await shelves.gaps.complete(caller, todo, documents, documents) is None
        for experiment in theirs.experiments:
            await check_refused(
                shelves.experiments.get(caller, experiment),
                shelves.experiments.finish(caller, experiment, ExperimentStatus.FAILED, []),
                shelves.experiments.find(caller, ExperimentFilter(), 9, experiment),
            )
            assert await shelves.experiments.figures(caller, [experiment]) == {experiment: []}
            assert await shelves.experiments.find(caller, ExperimentFilter(ids=(experiment,)), 9) == []
        for dataset in theirs.datasets:
            (case,) = (await theirs.shelves.datasets.contents(theirs.caller, dataset)).cases
            await check_refused(
                shelves.datasets.contents(caller, dataset),
                shelves.datasets.add(caller, dataset, [NewCase({"q": "stolen"})]),
                shelves.datasets.change_case(caller, dataset, case.id, CaseChange(target="stolen")),
            )
            for own in mine.datasets:
                await check_refused(shelves.datasets.change_case(caller, own, case.id, CaseChange(target="stolen")))
        for key in theirs.keys:
            with pytest.raises(NotFoundError):
                await shelves.keys.revoke(caller, key)


async def every_todo(shelves: Shelves) -> list[Todo]:
    return await shelves.todos.all(shelves.caller, None, TodoOrder.OLDEST, 999)


async def check_refused(*attempts: Coroutine[Any, Any, object]) -> None:
    """Each of them finds nothing there."""
    for attempt in attempts:
        with pytest.raises(NotFoundError):
            await attempt


@pytest.mark.slow
def test_no_history_lets_a_project_see_anothers_rows(database: Database) -> None:
    machine = type("TenantsHere", (Tenants,), {"database": database})
    rounds = settings(max_examples=12 if database.is_sqlite else 6, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(machine, settings=rounds)


async def test_texts_of_another_project_are_not_found_by_their_hash(shelves: Shelves) -> None:
    await shelves.published(await shelves.repository(), "a.txt", "a secret")
    other = (await shelves.projects.create(Caller(1), "other")).id
    wanted = [canonical("a secret").sha256]
    assert await shelves.documents.texts_by_hash(shelves.caller, wanted) != {}
    assert await shelves.documents.texts_by_hash(Caller(other), wanted) == {}


def ways_into(shelves: Shelves, caller: Caller) -> list[Coroutine[Any, Any, Any]]:
    """Everything that needs no id but the caller's project."""
    return [
        shelves.keys.create(caller, "key", [Scope.READ]),
        shelves.projects.get(caller),
        shelves.projects.defaults(caller),
        shelves.projects.change(caller, {"name": "x"}),
        shelves.repositories.create(caller, "r"),
        shelves.todos.create(caller, NewTodo("t")),
        shelves.gaps.note(caller, gap("one"), RULES),
        shelves.prompts.create(caller, "t", NewPromptVersion((PromptMessage("user", "x"),))),
        shelves.journal.record(caller, trace(str(uuid.uuid4())), None),
        shelves.workspaces.create_or_get(caller, "w"),
        shelves.trace_logs.write(caller, [LogPart(str(uuid.uuid4()))]),
        shelves.datasets.create(caller, "d", [], []),
        shelves.experiments.create(caller, NewExperiment(str(uuid.uuid4()), "e", "r")),
    ]


async def test_nothing_can_be_made_in_a_project_that_is_not_there(shelves: Shelves) -> None:
    await check_refused(*ways_into(shelves, Caller(10**6)))
