"""Who may do what: from a credential and a claimed project to a Caller, or an error."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Protocol

from app.core.errors import ForbiddenError, NotFoundError, UnauthorizedError
from app.core.types import Caller, Scope

DEFAULT_PROJECT = 1


class Keys(Protocol):
    async def find(self, key: str) -> Caller | None: ...


class Access:
    """Checks keys; the admin key opens every project, any other only its own."""

    def __init__(self, keys: Keys, admin_key: str) -> None:
        self._keys = keys
        self._admin_key = admin_key.encode()

    async def caller(self, key: str | None, *, project_id: int | None = None, user: str = "") -> Caller:
        """The holder of `key`; raises UnauthorizedError, or NotFoundError for another's project."""
        if not key:
            raise UnauthorizedError
        if hmac.compare_digest(key.encode(), self._admin_key):
            return Caller(project_id or DEFAULT_PROJECT, None, user, frozenset(Scope))
        found = await self._keys.find(key)
        if found is None:
            raise UnauthorizedError
        if project_id not in (None, found.project_id):
            raise NotFoundError(f"There is no project {project_id} for this key.", field="project_id")
        return replace(found, user=user)


def require(caller: Caller, scope: Scope) -> Caller:
    """The caller, if it may; raises ForbiddenError naming what the key lacks."""
    if scope not in caller.scopes:
        raise ForbiddenError(f"This key lacks the scope `{scope}`.")
    return caller
