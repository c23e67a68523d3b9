"""Parea's datasets, which its SDK calls test case collections."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, Field

from app.core.datasets import Case, CaseChange, Dataset, DatasetContents, NewCase
from app.core.errors import InvalidRequestError
from app.dialects.ids import MAX_ID, Id
from app.dialects.parea.completions import timestamp
from app.dialects.parea.experiments import texts_of
from app.dialects.parea.wire import Wire


class CreateCase(Wire):
    """Inputs by column, what should be answered, tags; what is no text is kept as its JSON."""

    inputs: dict[str, Any]
    target: Any = None
    tags: list[str] | None = None


class AddCases(Wire):
    """Test cases for the dataset with this id, or this name; their inputs are columns of it."""

    id: Id | None = None
    name: str | None = Field(None, max_length=200)
    test_cases: list[CreateCase]


class CreateCollection(Wire):
    """A dataset under a new name; without `column_names` its columns are the inputs of its test cases."""

    id: None = Field(None, description="Given by the service.")
    name: str = Field(min_length=1, max_length=200)
    column_names: list[str] | None = None
    test_cases: list[CreateCase] = Field(default_factory=list)


class UpdateCase(Wire):
    """What becomes of a test case; null leaves it. Inputs are set one by one."""

    inputs: dict[str, Any] | None = None
    target: str | int | float | bool | None = None
    tags: list[str] | None = None


class CaseShape(BaseModel):
    id: int
    test_case_collection_id: int
    inputs: dict[str, str]
    target: str | None
    tags: list[str]


class CollectionShape(BaseModel):
    id: int
    name: str
    created_at: str
    last_updated_at: str
    column_names: list[str]
    num_test_cases: int


class FilledCollection(CollectionShape):
    test_cases: dict[int, CaseShape] = Field(description="By id, in the order they were added.")


def to_cases(cases: list[CreateCase]) -> list[NewCase]:
    """Test cases to be added."""
    return [NewCase(texts_of(each.inputs), _text(each.target), tuple(each.tags or ())) for each in cases]


def columns_of(asked: CreateCollection) -> list[str]:
    """The columns, each once, in order."""
    named = asked.column_names or [name for case in asked.test_cases for name in case.inputs]
    return list(dict.fromkeys(named))


def to_change(asked: UpdateCase) -> CaseChange:
    """What becomes of a test case."""
    inputs = None if asked.inputs is None else texts_of(asked.inputs)
    return CaseChange(inputs, _text(asked.target), None if asked.tags is None else tuple(asked.tags))


def key_of(asked: AddCases) -> int | str:
    """The dataset that is meant; raises InvalidRequestError where none is, or two may be."""
    key = asked.id if asked.id is not None else asked.name
    if not key:
        raise InvalidRequestError("Say by `id` or by `name` which dataset is meant.", field="name")
    if asked.id is not None and asked.name:
        raise InvalidRequestError("Send `id` or `name`, not both: they may mean two datasets.", field="name")
    return key


def keys_in(identifier: str) -> list[int | str]:
    """What a path's identifier may mean, the likeliest first."""
    number = int(identifier) if identifier.isdecimal() and len(identifier) <= len(str(MAX_ID)) else None
    return [identifier] if number is None or number > MAX_ID else [number, identifier]


def show_collection(dataset: Dataset) -> CollectionShape:
    """A dataset without its test cases."""
    return CollectionShape(
        id=dataset.id,
        name=dataset.name,
        created_at=timestamp(dataset.created_at),
        last_updated_at=timestamp(dataset.updated_at),
        column_names=list(dataset.columns),
        num_test_cases=dataset.case_count,
    )


def show_filled(contents: DatasetContents) -> FilledCollection:
    """A dataset with its test cases."""
    shown = show_collection(contents.dataset).model_dump()
    return FilledCollection(**shown, test_cases={case.id: show_case(case) for case in contents.cases})


def show_case(case: Case) -> CaseShape:
    """One test case."""
    return CaseShape(
        id=case.id,
        test_case_collection_id=case.dataset_id,
        inputs=dict(case.inputs),
        target=case.target,
        tags=list(case.tags),
    )


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
