"""Every store test runs twice: on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator

import pytest

from app.core.types import Caller, Scope
from app.store.engine import Database
from app.store.migrate import migrate
from app.store.projects import ProjectStore
from tests.store.shelves import Shelves

_numbers = itertools.count(1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, database_url: Callable[[str, str], str]) -> Iterator[Database]:
    """A new database at the present schema, one for each module of tests."""
    opened = Database(database_url(request.param, f"store_{next(_numbers)}"))
    migrate(opened)
    ProjectStore(opened).ensure_default(Caller(1, scopes=frozenset(Scope)))
    yield opened
    opened.close()


@pytest.fixture
def shelves(database: Database) -> Shelves:
    """All stores, and a project of one's own."""
    return Shelves.of(database, asyncio.run(ProjectStore(database).create(Caller(1), "a test")).id)
