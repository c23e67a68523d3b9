"""Brings a database to the present schema; run at every start, cheap when there is nothing to do."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text

from app.store.engine import Database

HEAD = "0002"  # the newest file in migrations/versions; tests/store/test_migrations.py compares
FOLDER = Path(__file__).parent / "migrations"
LOCK_ID = 0x466F6F74  # any constant: PostgreSQL's advisory lock that lets one process migrate


def migrate(database: Database) -> str:
    """Applies what is missing, under a lock, in one transaction; returns the schema's revision."""
    if _revision(database) == HEAD:
        return HEAD
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": LOCK_ID})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return HEAD


def _revision(database: Database) -> str | None:
    with database.reading() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)
