"""API keys, kept only as SHA-256: a random 256-bit key needs no slow hash, a leaked table reveals none."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from app.core.errors import NotFoundError
from app.core.library import Key
from app.core.types import Caller, Scope
from app.store.clock import now
from app.store.engine import Database
from app.store.projects import check_project
from app.store.tables import api_keys

PREFIX = "fn-"


def new_key() -> str:
    """A fresh key: 256 random bits behind a prefix that secret scanners can look for."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


class KeyStore:
    """Rows of `api_keys`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, caller: Caller, name: str, scopes: Sequence[Scope]) -> tuple[Key, str]:
        """The row and, this once, the key itself; raises NotFoundError for an unknown project."""
        key = new_key()

        def work(connection: Connection) -> Key:
            check_project(connection, caller)
            values = {
                "project_id": caller.project_id,
                "name": name,
                "prefix": key[:9],
                "sha256": digest(key),
                "scopes": [str(scope) for scope in scopes],
                "created_at": now(),
            }
            return _key(connection.execute(insert(api_keys).values(values).returning(api_keys)).one())

        return await self._database.write(work), key

    async def all(self, caller: Caller) -> list[Key]:
        """The project's keys, revoked ones too."""
        query = select(api_keys).where(api_keys.c.project_id == caller.project_id).order_by(api_keys.c.id)
        return await self._database.read(lambda connection: [_key(row) for row in connection.execute(query)])

    async def revoke(self, caller: Caller, key_id: int) -> Key:
        """The key stops working at once; revoking twice changes nothing."""

        def work(connection: Connection) -> Key:
            mine = (api_keys.c.id == key_id) & (api_keys.c.project_id == caller.project_id)
            connection.execute(update(api_keys).where(mine, api_keys.c.revoked_at.is_(None)).values(revoked_at=now()))
            row = connection.execute(select(api_keys).where(mine)).first()
            if row is None:
                raise NotFoundError(f"There is no key {key_id} in this project.")
            return _key(row)

        return await self._database.write(work)

    async def find(self, key: str) -> Caller | None:
        """Who holds this key, or None for an unknown or revoked one."""
        query = select(api_keys.c.id, api_keys.c.project_id, api_keys.c.scopes).where(
            api_keys.c.sha256 == digest(key), api_keys.c.revoked_at.is_(None)
        )

        def work(connection: Connection) -> Caller | None:
            row = connection.execute(query).first()
            if row is None:
                return None
            return Caller(row.project_id, key_id=row.id, scopes=frozenset(Scope(scope) for scope in row.scopes))

        return await self._database.look_up(work)


def _key(row: Row[Any]) -> Key:
    return Key(row.id, row.project_id, row.name, row.prefix, tuple(row.scopes), row.created_at, row.revoked_at)
