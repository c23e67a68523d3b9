"""Who may do what: from a credential and a claimed project to a Caller, or an error."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Protocol

from app.core.errors import ForbiddenError, NotFoundError, UnauthorizedError
from app.core.rate_limits import Turnstile
from app.core.types import Caller, Scope

DEFAULT_PROJECT = 1


class Keys(Protocol):
    async def find(self, key: str) -> Caller | None: ...


class Access:
    """Checks and counts keys; the admin key opens every project, any other only its own."""

    def __init__(self, keys: Keys, admin_key: str, turnstile: Turnstile | None = None) -> None:
        self._keys = keys
        self._admin_key = admin_key.encode()
        self._turnstile = turnstile or Turnstile()

    async def caller(self, key: str | None, *, project_id: int | None = None, user: str = "") -> Caller:
        """The holder of `key`; raises UnauthorizedError, RateLimitedError, or NotFoundError for another's project."""
        if not key:
            raise UnauthorizedError
        await self._turnstile.approach(key)
        found = await self._find(key, project_id)
        if found is None:
            await self._turnstile.refuse()
            raise UnauthorizedError
        await self._turnstile.admit(key, found)
        if project_id not in (None, found.project_id):
            raise NotFoundError(f"There is no project {project_id} for this key.", field="project_id")
        return replace(found, user=user)

    async def _find(self, key: str, project_id: int | None) -> Caller | None:
        if hmac.compare_digest(key.encode(), self._admin_key):
            return Caller(project_id or DEFAULT_PROJECT, None, scopes=frozenset(Scope))
        return await self._keys.find(key)


def require(caller: Caller, scope: Scope) -> Caller:
    """The caller, if it may; raises ForbiddenError naming what the key lacks."""
    if scope not in caller.scopes:
        raise ForbiddenError(f"This key lacks the scope `{scope}`.")
    return caller
