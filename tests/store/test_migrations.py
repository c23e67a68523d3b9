"""The migrations make the tables that the code believes in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from app.core.types import Caller
from app.store.engine import Database
from app.store.migrate import FOLDER, HEAD, migrate
from app.store.projects import ProjectStore
from app.store.tables import metadata
from tests.store.shelves import Shelves

BACKENDS = ["sqlite", "postgresql"]


def test_the_migrated_schema_is_the_one_of_the_tables(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        assert compare_metadata(context, metadata) == []


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(FOLDER)).get_current_head() == HEAD


def test_migrating_twice_changes_nothing(database: Database) -> None:
    assert migrate(database) == migrate(database) == HEAD


@pytest.mark.parametrize("backend", BACKENDS)
def test_processes_that_start_together_migrate_once(backend: str, database_url: Callable[[str, str], str]) -> None:
    url = database_url(backend, "migrated_together")
    databases = [Database(url) for _ in range(4)]

    def start(database: Database) -> str:
        revision = migrate(database)
        ProjectStore(database).ensure_default(Caller(1))
        return revision

    with ThreadPoolExecutor(len(databases)) as threads:
        assert list(threads.map(start, databases)) == [HEAD] * len(databases)
    with databases[0].reading() as connection:
        assert set(metadata.tables) < set(inspect(connection).get_table_names())
    for database in databases:
        database.close()


async def test_the_first_project_is_number_1_and_the_next_another(shelves: Shelves) -> None:
    assert (await shelves.projects.get(Caller(1))).name == "default"
    shelves.projects.ensure_default(Caller(1))
    assert (await shelves.projects.create(Caller(1), "second")).id > 1
