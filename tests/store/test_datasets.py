"""Datasets: what was put in comes out, in order; nothing half-written, nothing beyond the limit."""

from __future__ import annotations

import asyncio

import pytest

from app.core.datasets import CaseChange, NewCase
from app.core.errors import InvalidRequestError, NotFoundError
from app.core.types import Caller
from tests.store.shelves import MOST_CASES, Shelves

PARIS = NewCase({"question": "Capital of France?", "hint": "P"}, "Paris", ("geo", "easy"))
ROME = NewCase({"question": "Capital of Italy?"})


async def test_a_dataset_is_what_was_put_in(shelves: Shelves) -> None:
    made = await shelves.datasets.create(shelves.caller, "capitals", ["question", "hint"], [PARIS, ROME])
    assert (made.name, made.columns, made.case_count) == ("capitals", ("question", "hint"), 2)
    assert made.created_at == made.updated_at
    by_id, by_name = [await shelves.datasets.contents(shelves.caller, key) for key in (made.id, "capitals")]
    assert by_id == by_name
    assert by_id.dataset == made
    first, second = by_id.cases
    assert (first.inputs, first.target, first.tags) == (PARIS.inputs, "Paris", ("geo", "easy"))
    assert (second.inputs, second.target, second.tags) == (ROME.inputs, None, ())
    assert first.dataset_id == made.id
    assert first.id < second.id


async def test_cases_are_added_by_id_and_by_name(shelves: Shelves) -> None:
    made = await shelves.datasets.create(shelves.caller, "capitals", ["question"], [])
    for key in (made.id, "capitals"):
        grown = await shelves.datasets.add(shelves.caller, key, [ROME])
    assert grown.case_count == 2
    assert grown.updated_at > made.updated_at
    with pytest.raises(NotFoundError, match="named penguins"):
        await shelves.datasets.add(shelves.caller, "penguins", [ROME])
    with pytest.raises(NotFoundError):
        await shelves.datasets.add(shelves.caller, 10**6, [ROME])


async def test_what_is_no_column_is_refused_and_nothing_is_written(shelves: Shelves) -> None:
    with pytest.raises(InvalidRequestError, match="no columns of the dataset: hint"):
        await shelves.datasets.create(shelves.caller, "capitals", ["question"], [ROME, PARIS])
    with pytest.raises(NotFoundError):
        await shelves.datasets.contents(shelves.caller, "capitals")
    made = await shelves.datasets.create(shelves.caller, "capitals", ["question"], [ROME])
    with pytest.raises(InvalidRequestError, match="hint"):
        await shelves.datasets.add(shelves.caller, made.id, [ROME, PARIS])
    assert (await shelves.datasets.contents(shelves.caller, made.id)).dataset == made


async def test_a_name_is_one_datasets(shelves: Shelves) -> None:
    await shelves.datasets.create(shelves.caller, "capitals", [], [])
    with pytest.raises(InvalidRequestError, match="named capitals already") as refused:
        await shelves.datasets.create(shelves.caller, "capitals", [], [])
    assert refused.value.field == "name"
    elsewhere = Caller((await shelves.projects.create(Caller(1), "other")).id)
    assert (await shelves.datasets.create(elsewhere, "capitals", [], [])).name == "capitals"


async def test_of_two_with_one_name_at_once_one_is_made(shelves: Shelves) -> None:
    attempts = [shelves.datasets.create(shelves.caller, "capitals", ["question"], [ROME]) for _ in range(4)]
    done = await asyncio.gather(*attempts, return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Dataset", *["InvalidRequestError"] * 3]
    assert len(await shelves.datasets.all(shelves.caller, 9)) == 1


async def test_a_dataset_does_not_outgrow_its_limit_not_even_at_once(shelves: Shelves) -> None:
    made = await shelves.datasets.create(shelves.caller, "many", ["question"], [ROME] * (MOST_CASES - 5))
    attempts = [shelves.datasets.add(shelves.caller, made.id, [ROME] * 3) for _ in range(3)]
    done = await asyncio.gather(*attempts, return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Dataset", *["InvalidRequestError"] * 2]
    assert (await shelves.datasets.contents(shelves.caller, made.id)).dataset.case_count == MOST_CASES - 2
    with pytest.raises(InvalidRequestError, match="FOOTNOTE_MAX_TEST_CASES"):
        await shelves.datasets.create(shelves.caller, "more", ["question"], [ROME] * (MOST_CASES + 1))


async def test_a_change_sets_what_it_names(shelves: Shelves) -> None:
    made = await shelves.datasets.create(shelves.caller, "capitals", ["question", "hint"], [PARIS, ROME])
    first, second = (await shelves.datasets.contents(shelves.caller, made.id)).cases
    changed = await shelves.datasets.change_case(
        shelves.caller, made.id, first.id, CaseChange({"hint": "Pa"}, "Paris!", ("geo",))
    )
    assert changed.inputs == {"question": "Capital of France?", "hint": "Pa"}
    assert (changed.target, changed.tags) == ("Paris!", ("geo",))
    assert await shelves.datasets.change_case(shelves.caller, made.id, first.id, CaseChange()) == changed
    after = await shelves.datasets.contents(shelves.caller, made.id)
    assert after.cases == (changed, second)
    assert after.dataset.updated_at > made.updated_at
    with pytest.raises(InvalidRequestError, match="penguin"):
        await shelves.datasets.change_case(shelves.caller, made.id, first.id, CaseChange({"penguin": "x"}))


async def test_a_case_is_found_in_its_own_dataset_only(shelves: Shelves) -> None:
    made = await shelves.datasets.create(shelves.caller, "capitals", ["question"], [ROME])
    other = await shelves.datasets.create(shelves.caller, "others", ["question"], [])
    (case,) = (await shelves.datasets.contents(shelves.caller, made.id)).cases
    for dataset_id, case_id in ((other.id, case.id), (made.id, 10**6), (10**6, case.id)):
        with pytest.raises(NotFoundError):
            await shelves.datasets.change_case(shelves.caller, dataset_id, case_id, CaseChange(target="stolen"))
    assert (await shelves.datasets.contents(shelves.caller, made.id)).cases == (case,)


async def test_datasets_page_in_the_order_they_were_made(shelves: Shelves) -> None:
    made = [await shelves.datasets.create(shelves.caller, f"{n}", [], []) for n in range(5)]
    first = await shelves.datasets.all(shelves.caller, 3)
    assert [*first, *await shelves.datasets.all(shelves.caller, 3, first[-1].id)] == made
