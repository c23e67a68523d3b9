"""Todos that people write: made, ordered, put below each other, completed and deleted."""

from __future__ import annotations

import pytest

from app.core.errors import InvalidRequestError, NotFoundError
from app.core.todos import NewTodo, TodoOrder
from tests.store.shelves import Shelves


async def test_a_todo_is_what_was_written(shelves: Shelves) -> None:
    parent = await shelves.todos.create(shelves.caller, NewTodo("Write a manual"))
    made = await shelves.todos.create(
        shelves.caller, NewTodo("Ask the workshop", due_date=2e9, weight=3, parent_id=parent.id, tags=("a", "b"))
    )
    assert await shelves.todos.get(shelves.caller, made.id) == made
    assert (made.title, made.completed, made.due_date, made.weight) == ("Ask the workshop", False, 2e9, 3)
    assert (made.parent_id, made.children, made.tags, made.gap) == (parent.id, (), ("a", "b"), None)
    assert (await shelves.todos.get(shelves.caller, parent.id)).children == (made.id,)


async def test_a_list_has_each_ones_children_and_pages_without_loss(shelves: Shelves) -> None:
    parent = await shelves.todos.create(shelves.caller, NewTodo("parent"))
    children = [await shelves.todos.create(shelves.caller, NewTodo(f"{n}", parent_id=parent.id)) for n in range(5)]
    await shelves.todos.toggle(shelves.caller, children[1].id)
    everything = await shelves.todos.all(shelves.caller, None, TodoOrder.OLDEST, 99)
    assert [todo.id for todo in everything] == [parent.id, *(child.id for child in children)]
    assert everything[0].children == tuple(child.id for child in children)
    pages = [await shelves.todos.all(shelves.caller, None, TodoOrder.OLDEST, 4, skip) for skip in (0, 4)]
    assert [*pages[0], *pages[1]] == everything
    done = await shelves.todos.all(shelves.caller, True, TodoOrder.OLDEST, 99)
    assert [todo.id for todo in done] == [children[1].id]
    still = await shelves.todos.all(shelves.caller, False, TodoOrder.OLDEST, 99)
    assert len(still) == 5


async def test_toggling_twice_leaves_no_trace_of_completion(shelves: Shelves) -> None:
    made = await shelves.todos.create(shelves.caller, NewTodo("x"))
    done = await shelves.todos.toggle(shelves.caller, made.id)
    assert done.completed
    assert done.completed_at is not None
    assert done.completed_at >= made.created_at
    assert await shelves.todos.toggle(shelves.caller, made.id) == made


async def test_a_change_sets_what_it_names(shelves: Shelves) -> None:
    made = await shelves.todos.create(shelves.caller, NewTodo("x", due_date=1.0, tags=("t",)))
    changed = await shelves.todos.change(shelves.caller, made.id, {"title": "y", "due_date": None, "completed": True})
    assert (changed.title, changed.due_date, changed.completed, changed.tags) == ("y", None, True, ("t",))
    again = await shelves.todos.change(shelves.caller, made.id, {"completed": True})
    assert again.completed_at == changed.completed_at  # it was completed then, not now
    assert await shelves.todos.change(shelves.caller, made.id, {}) == again


async def test_nothing_comes_to_stand_below_itself(shelves: Shelves) -> None:
    top = await shelves.todos.create(shelves.caller, NewTodo("top"))
    middle = await shelves.todos.create(shelves.caller, NewTodo("middle", parent_id=top.id))
    low = await shelves.todos.create(shelves.caller, NewTodo("low", parent_id=middle.id))
    for parent in (top.id, middle.id, low.id):
        with pytest.raises(InvalidRequestError, match="same or below"):
            await shelves.todos.change(shelves.caller, top.id, {"parent_id": parent, "title": "stolen"})
    assert (await shelves.todos.get(shelves.caller, top.id)).title == "top"
    moved = await shelves.todos.change(shelves.caller, low.id, {"parent_id": top.id})
    assert moved.parent_id == top.id
    with pytest.raises(NotFoundError):
        await shelves.todos.change(shelves.caller, low.id, {"parent_id": 10**6})
    with pytest.raises(NotFoundError):
        await shelves.todos.create(shelves.caller, NewTodo("x", parent_id=10**6))


async def test_deleting_takes_all_below(shelves: Shelves) -> None:
    top = await shelves.todos.create(shelves.caller, NewTodo("top"))
    low = await shelves.todos.create(shelves.caller, NewTodo("low", parent_id=top.id))
    await shelves.todos.delete(shelves.caller, top.id)
    for gone in (top.id, low.id):
        with pytest.raises(NotFoundError):
            await shelves.todos.get(shelves.caller, gone)
    with pytest.raises(NotFoundError):
        await shelves.todos.delete(shelves.caller, top.id)


async def test_any_text_can_be_a_title(shelves: Shelves) -> None:
    made = await shelves.todos.create(shelves.caller, NewTodo("'; DROP TABLE todos; -- 🦊 même \u202e"))
    assert (await shelves.todos.get(shelves.caller, made.id)).title == "'; DROP TABLE todos; -- 🦊 même \u202e"
