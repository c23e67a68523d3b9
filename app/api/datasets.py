"""Datasets as Footnote's own page reads them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.api.caller import PartsNow, Reader
from app.api.schemas import Shape
from app.dialects.ids import Id

router = APIRouter(prefix="/v1/datasets", tags=["experiments"])


class DatasetShape(Shape):
    id: int
    name: str
    columns: list[str] = Field(description="Names of the inputs.")
    created_at: float = Field(description="Unix seconds.")
    updated_at: float
    case_count: int


class DatasetCase(Shape):
    id: int
    inputs: dict[str, str]
    target: str | None = Field(description="What should be answered.")
    tags: list[str]


class DatasetDetail(DatasetShape):
    cases: list[DatasetCase]


class DatasetPage(BaseModel):
    datasets: list[DatasetShape]
    next_after: int | None = Field(description="Pass as `after` for the next page; null on the last.")


@router.get("", summary="List datasets")
async def all_datasets(
    caller: Reader,
    parts: PartsNow,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[Id, Query(description="`next_after` of the page before.")] = 0,
) -> DatasetPage:
    found = await parts.datasets.all(caller, limit, after)
    return DatasetPage(
        datasets=[DatasetShape.model_validate(each) for each in found],
        next_after=found[-1].id if len(found) == limit else None,
    )


@router.get("/{dataset_id}", summary="Look at a dataset and its test cases")
async def get(dataset_id: Id, caller: Reader, parts: PartsNow) -> DatasetDetail:
    found = await parts.datasets.contents(caller, dataset_id)
    return DatasetDetail(
        **DatasetShape.model_validate(found.dataset).model_dump(),
        cases=[DatasetCase.model_validate(each) for each in found.cases],
    )
