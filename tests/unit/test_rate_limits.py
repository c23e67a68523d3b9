"""The turnstile before every key: so many requests a key, so many wrong keys an address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.core.access import Access
from app.core.errors import RateLimitedError, UnauthorizedError
from app.core.rate_limits import Turnstile, Visit, current_visit
from app.core.types import Caller
from app.providers.rate_limits import Counters, WindowLimiter

ADMIN = "admin-key-of-16-letters"


class Keys:
    """Keys `fn-1` and `fn-2`, with the ids 1 and 2."""

    async def find(self, key: str) -> Caller | None:
        return Caller(2, key_id=int(key[3:])) if key in ("fn-1", "fn-2") else None


def access(requests: str = "", failures: str = "") -> Access:
    counters = Counters(None)
    return Access(
        Keys(),
        ADMIN,
        Turnstile(
            WindowLimiter(counters, requests, "key") if requests else None,
            WindowLimiter(counters, failures, "address") if failures else None,
        ),
    )


@pytest.fixture
def visit() -> Iterator[Visit]:
    here = Visit("192.0.2.1")
    token = current_visit.set(here)
    yield here
    current_visit.reset(token)


async def test_each_key_has_its_own_count_and_the_admin_key_too(visit: Visit) -> None:
    door = access("2/day")
    for key in ("fn-1", "fn-2", ADMIN):
        for remaining in (1, 0):
            await door.caller(key)
            assert visit.allowance is not None
            assert (visit.allowance.limit, visit.allowance.remaining, visit.allowance.granted) == (2, remaining, True)
        with pytest.raises(RateLimitedError) as refused:
            await door.caller(key)
        assert refused.value.retry_after_s is not None
        assert visit.allowance is not None
        assert 86_000 < refused.value.retry_after_s <= 86_400
        assert visit.allowance.remaining == 0


async def test_a_user_or_project_named_differently_counts_the_same(visit: Visit) -> None:
    door = access("2/day")
    await door.caller("fn-1", user="ann")
    await door.caller("fn-1", user="bob", project_id=2)
    with pytest.raises(RateLimitedError):
        await door.caller("fn-1", user="eve")


async def test_without_a_limit_nothing_is_counted(visit: Visit) -> None:
    for _ in range(20):
        await access().caller("fn-1")
    assert visit.allowance is None


async def test_who_guesses_keys_is_stopped_and_learns_nothing_even_from_a_right_one(visit: Visit) -> None:
    door = access(failures="3/day")
    for guess in ("a", "b", "c"):
        with pytest.raises(UnauthorizedError):
            await door.caller(guess)
    for guess in ("d", "fn-1", ADMIN):
        with pytest.raises(RateLimitedError, match="wrong keys"):
            await door.caller(guess)


async def test_whoever_came_from_there_before_goes_on(visit: Visit) -> None:
    door = access(failures="1/day")
    await door.caller("fn-1")
    with pytest.raises(UnauthorizedError):
        await door.caller("wrong")
    assert (await door.caller("fn-1")).key_id == 1
    with pytest.raises(RateLimitedError):
        await door.caller("fn-2")


async def test_other_addresses_are_not_stopped(visit: Visit) -> None:
    door = access(failures="1/day")
    with pytest.raises(UnauthorizedError):
        await door.caller("wrong")
    current_visit.set(Visit("192.0.2.2"))
    assert (await door.caller("fn-1")).key_id == 1


async def test_no_key_is_no_guess(visit: Visit) -> None:
    door = access(failures="1/day")
    for _ in range(5):
        with pytest.raises(UnauthorizedError):
            await door.caller(None)
    assert (await door.caller("fn-1")).key_id == 1
