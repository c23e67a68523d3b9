"""Datasets and their test cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from app.core.datasets import Case, CaseChange, Dataset, DatasetContents, NewCase, check_inputs
from app.core.errors import InvalidRequestError, NotFoundError
from app.core.types import Caller
from app.store.clock import now
from app.store.engine import Database
from app.store.projects import check_project
from app.store.tables import datasets, projects, test_cases

Key = int | str  # a dataset's id, or its name


class DatasetStore:
    """Rows of `datasets` and `test_cases`; no dataset has more than `most_cases`."""

    def __init__(self, database: Database, most_cases: int) -> None:
        self._database = database
        self._most_cases = most_cases

    async def create(self, caller: Caller, name: str, columns: Sequence[str], cases: Sequence[NewCase]) -> Dataset:
        """Raises InvalidRequestError for a name that is taken, an input that is no column, too many cases."""
        check_inputs(columns, [case.inputs for case in cases])

        def work(connection: Connection) -> Dataset:
            check_project(connection, caller)
            # Whoever makes one holds the project's row: of two with one name at once, the second is refused.
            connection.execute(
                select(projects.c.id).where(projects.c.id == caller.project_id).with_for_update(key_share=True)
            )
            if _find(connection, caller, name) is not None:
                raise InvalidRequestError(
                    f"There is a dataset named {name} already. `POST /testcases` adds to it; or choose another name.",
                    field="name",
                )
            at = now()
            values = {
                "project_id": caller.project_id,
                "name": name,
                "columns": list(dict.fromkeys(columns)),
                "created_at": at,
                "updated_at": at,
            }
            made = connection.execute(insert(datasets).values(values).returning(datasets)).one()
            self._add(connection, caller, _dataset(connection, caller, made), cases, at)
            return _dataset(connection, caller, made)

        return await self._database.write(work)

    async def add(self, caller: Caller, key: Key, cases: Sequence[NewCase]) -> Dataset:
        """Adds test cases; raises NotFoundError, and InvalidRequestError for an input that is no column, too many."""

        def work(connection: Connection) -> Dataset:
            row = _held(connection, caller, key)
            dataset, at = _dataset(connection, caller, row), now()
            check_inputs(dataset.columns, [case.inputs for case in cases])
            self._add(connection, caller, dataset, cases, at)
            return _dataset(connection, caller, _touched(connection, caller, dataset.id, at))

        return await self._database.write(work)

    async def change_case(self, caller: Caller, dataset_id: int, case_id: int, change: CaseChange) -> Case:
        """Raises NotFoundError, and InvalidRequestError for an input that is no column."""

        def work(connection: Connection) -> Case:
            columns = _held(connection, caller, dataset_id).columns
            this = (
                (test_cases.c.id == case_id)
                & (test_cases.c.dataset_id == dataset_id)
                & (test_cases.c.project_id == caller.project_id)
            )
            row = connection.execute(select(test_cases).where(this)).first()
            if row is None:
                raise NotFoundError(f"There is no test case {case_id} in dataset {dataset_id}.", field="test_case_id")
            values: dict[str, Any] = {}
            if change.inputs is not None:
                check_inputs(columns, [change.inputs])
                values["inputs"] = {**row.inputs, **change.inputs}
            if change.target is not None:
                values["target"] = change.target
            if change.tags is not None:
                values["tags"] = list(change.tags)
            if values:
                statement = update(test_cases).where(this).values(values).returning(test_cases)
                row = connection.execute(statement).one()
                _touched(connection, caller, dataset_id, now())
            return _case(row)

        return await self._database.write(work)

    async def contents(self, caller: Caller, key: Key) -> DatasetContents:
        """A dataset with all its test cases; raises NotFoundError."""

        def work(connection: Connection) -> DatasetContents:
            row = _find(connection, caller, key)
            if row is None:
                raise _missing(key)
            mine = (test_cases.c.dataset_id == row.id) & (test_cases.c.project_id == caller.project_id)
            found = connection.execute(select(test_cases).where(mine).order_by(test_cases.c.id))
            return DatasetContents(_dataset(connection, caller, row), tuple(_case(each) for each in found))

        return await self._database.read(work)

    async def all(self, caller: Caller, limit: int, after: int = 0) -> list[Dataset]:
        """In the order they were made, those whose id is greater than `after`."""
        mine = (datasets.c.project_id == caller.project_id) & (datasets.c.id > after)
        query = select(datasets).where(mine).order_by(datasets.c.id).limit(limit)
        return await self._database.read(
            lambda connection: [_dataset(connection, caller, row) for row in connection.execute(query).all()]
        )

    def _add(
        self, connection: Connection, caller: Caller, dataset: Dataset, cases: Sequence[NewCase], at: float
    ) -> None:
        if dataset.case_count + len(cases) > self._most_cases:
            raise InvalidRequestError(
                f"A dataset has at most {self._most_cases} test cases (FOOTNOTE_MAX_TEST_CASES); this one has "
                f"{dataset.case_count}, and {len(cases)} more are too many.",
                field="test_cases",
            )
        if cases:
            connection.execute(insert(test_cases), [_values(caller, dataset.id, case, at) for case in cases])


def _values(caller: Caller, dataset_id: int, case: NewCase, at: float) -> Mapping[str, Any]:
    return {
        "project_id": caller.project_id,
        "dataset_id": dataset_id,
        "inputs": dict(case.inputs),
        "target": case.target,
        "tags": list(case.tags),
        "created_at": at,
    }


def _find(connection: Connection, caller: Caller, key: Key, *, held: bool = False) -> Row[Any] | None:
    query = select(datasets).where(
        datasets.c.project_id == caller.project_id,
        datasets.c.id == key if isinstance(key, int) else datasets.c.name == key,
    )
    return connection.execute(query.with_for_update(key_share=True) if held else query).first()


def _held(connection: Connection, caller: Caller, key: Key) -> Row[Any]:
    """The row, which no other transaction changes meanwhile."""
    row = _find(connection, caller, key, held=True)
    if row is None:
        raise _missing(key)
    return row


def _touched(connection: Connection, caller: Caller, dataset_id: int, at: float) -> Row[Any]:
    mine = (datasets.c.id == dataset_id) & (datasets.c.project_id == caller.project_id)
    return connection.execute(update(datasets).where(mine).values(updated_at=at).returning(datasets)).one()


def _missing(key: Key) -> NotFoundError:
    named = f"dataset {key}" if isinstance(key, int) else f"dataset named {key}"
    return NotFoundError(f"There is no {named} in this project.", field="id" if isinstance(key, int) else "name")


def _dataset(connection: Connection, caller: Caller, row: Row[Any]) -> Dataset:
    mine = (test_cases.c.dataset_id == row.id) & (test_cases.c.project_id == caller.project_id)
    count = connection.execute(select(func.count()).select_from(test_cases).where(mine)).scalar_one()
    return Dataset(row.id, row.name, tuple(row.columns), row.created_at, row.updated_at, count)


def _case(row: Row[Any]) -> Case:
    return Case(row.id, row.dataset_id, row.inputs, row.target, tuple(row.tags))
