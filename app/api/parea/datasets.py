"""Parea's datasets: test case collections."""

from __future__ import annotations

from fastapi import APIRouter

from app.api.bodies import JsonRoute
from app.api.caller import PartsNow
from app.api.parea.caller import PareaReader, PareaWriter
from app.core.errors import NotFoundError
from app.dialects.ids import Id
from app.dialects.parea.datasets import (
    AddCases,
    CaseShape,
    CollectionShape,
    CreateCollection,
    FilledCollection,
    UpdateCase,
    columns_of,
    key_of,
    keys_in,
    show_case,
    show_collection,
    show_filled,
    to_cases,
    to_change,
)

router = APIRouter(tags=["parea"], route_class=JsonRoute)


@router.get("/collection/{identifier:path}", summary="Look at a dataset, by id or name")
async def get(identifier: str, caller: PareaReader, parts: PartsNow) -> FilledCollection | None:
    """null where there is none, which is what the SDK reads as None. A number is an id first, and then a name."""
    for key in keys_in(identifier):
        try:
            return show_filled(await parts.datasets.contents(caller, key))
        except NotFoundError:
            continue
    return None


@router.post("/collection", summary="Make a dataset")
async def create(body: CreateCollection, caller: PareaWriter, parts: PartsNow) -> CollectionShape:
    """A test case may leave columns out, but has no others."""
    made = await parts.datasets.create(caller, body.name, columns_of(body), to_cases(body.test_cases))
    return show_collection(made)


@router.post("/testcases", summary="Add test cases to a dataset")
async def add(body: AddCases, caller: PareaWriter, parts: PartsNow) -> CollectionShape:
    """All of them, or none."""
    return show_collection(await parts.datasets.add(caller, key_of(body), to_cases(body.test_cases)))


@router.post("/update_test_case/{dataset_id}/{test_case_id}", summary="Change a test case")
async def update(dataset_id: Id, test_case_id: Id, body: UpdateCase, caller: PareaWriter, parts: PartsNow) -> CaseShape:
    """Sets what is not null; inputs one by one."""
    return show_case(await parts.datasets.change_case(caller, dataset_id, test_case_id, to_change(body)))
