"""Who may do what."""

from __future__ import annotations

import pytest

from app.core.access import Access, require
from app.core.errors import ForbiddenError, NotFoundError, UnauthorizedError
from app.core.types import Caller, Scope

ADMIN = "admin-key-of-16-letters"
HOLDER = Caller(2, key_id=5, scopes=frozenset({Scope.READ}))


class Keys:
    """One key, of project 2."""

    async def find(self, key: str) -> Caller | None:
        return HOLDER if key == "fn-good" else None


@pytest.fixture
def access() -> Access:
    return Access(Keys(), ADMIN)


@pytest.mark.parametrize("key", [None, "", "fn-bad", ADMIN[:-1], ADMIN + "x", "ключ", "\x00"])
async def test_without_a_good_key_nobody_is_anybody(access: Access, key: str | None) -> None:
    with pytest.raises(UnauthorizedError):
        await access.caller(key)


async def test_the_admin_key_opens_every_project(access: Access) -> None:
    assert await access.caller(ADMIN) == Caller(1, None, "", frozenset(Scope))
    assert await access.caller(ADMIN, project_id=7, user="ann") == Caller(7, None, "ann", frozenset(Scope))


async def test_any_other_key_opens_its_own(access: Access) -> None:
    assert await access.caller("fn-good", user="ann") == Caller(2, 5, "ann", frozenset({Scope.READ}))
    assert (await access.caller("fn-good", project_id=2)).project_id == 2
    for foreign in (1, 0, 99):
        with pytest.raises(NotFoundError):
            await access.caller("fn-good", project_id=foreign)


def test_a_scope_that_is_lacking_is_named() -> None:
    assert require(HOLDER, Scope.READ) is HOLDER
    with pytest.raises(ForbiddenError, match="`write`"):
        require(HOLDER, Scope.WRITE)
