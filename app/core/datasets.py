"""Datasets: questions with what should be answered, kept to be asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.core.errors import InvalidRequestError


@dataclass(frozen=True, slots=True)
class NewCase:
    """A test case before it has a number."""

    inputs: Mapping[str, str]  # by column; a column may be left out
    target: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A test case."""

    id: int
    dataset_id: int
    inputs: Mapping[str, str]
    target: str | None
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseChange:
    """What becomes of a test case; None leaves it. Inputs are set one by one, those not named stay."""

    inputs: Mapping[str, str] | None = None
    target: str | None = None
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset as it is listed."""

    id: int
    name: str
    columns: tuple[str, ...]
    created_at: float  # Unix seconds
    updated_at: float
    case_count: int


@dataclass(frozen=True, slots=True)
class DatasetContents:
    """A dataset with its test cases, in the order they were added."""

    dataset: Dataset
    cases: tuple[Case, ...] = field(default_factory=tuple)


def check_inputs(columns: Sequence[str], cases: Sequence[Mapping[str, str]]) -> None:
    """Raises InvalidRequestError for an input that is no column."""
    known = set(columns)
    for number, inputs in enumerate(cases):
        if unknown := sorted(set(inputs) - known):
            raise InvalidRequestError(
                f"Test case {number} has inputs that are no columns of the dataset: {', '.join(unknown)}. "
                f"Its columns are {', '.join(columns) or 'none'}.",
                field="test_cases.inputs",
            )
