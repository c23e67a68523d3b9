"""Counters in memory and in a real Redis, and what happens when that is not there."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app.providers.rate_limits import Counters, WindowLimiter


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of our own, on a socket in a folder."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("no redis-server on this machine, and no package index has one")
    folder: Path = tmp_path_factory.mktemp("redis")
    socket = folder / "socket"
    command = [binary, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert any("eady to accept" in line for line in server.stdout), "the server did not start"
            yield f"unix://{socket}"
        finally:
            server.terminate()


@pytest.fixture(params=["memory", "redis"])
def url(request: pytest.FixtureRequest) -> str | None:
    if request.param == "memory":
        return None
    found: str = request.getfixturevalue("redis_url")
    return found


async def test_the_first_n_are_granted_and_a_look_costs_nothing(url: str | None) -> None:
    counters = Counters(url)
    limiter = WindowLimiter(counters, "3/hour", f"test {url}")
    seen = []
    for _ in range(4):
        before = await limiter.look("ann")
        hit = await limiter.hit("ann")
        assert before is not None
        assert hit is not None
        seen.append((before.granted, hit.granted, hit.remaining, hit.limit))
        assert time.time() + 3500 < hit.reset_at < time.time() + 3601
    assert seen == [(True, True, 2, 3), (True, True, 1, 3), (True, True, 0, 3), (False, False, 0, 3)]
    other = await limiter.hit("bob")
    assert other is not None
    assert other.remaining == 2
    assert counters.check()
    await counters.aclose()


async def test_processes_share_what_redis_counts(redis_url: str) -> None:
    here, there = Counters(redis_url), Counters(redis_url)
    for counters in (here, there):
        assert await WindowLimiter(counters, "2/hour", "shared").hit("ann") is not None
    last = await WindowLimiter(here, "2/hour", "shared").hit("ann")
    assert last is not None
    assert not last.granted
    await here.aclose()
    await there.aclose()


async def test_while_redis_is_away_nobody_is_held_up_and_health_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    counters = Counters(f"unix://{tmp_path}/nobody")
    limiter = WindowLimiter(counters, "1/hour", "key")
    for _ in range(3):
        assert await limiter.hit("ann") is None
        assert await limiter.look("ann") is None
    assert caplog.text.count("not limited for now") == 1
    with pytest.raises(redis.ConnectionError):
        counters.check()
    await counters.aclose()
