"""Counts by the `limits` package: in memory, or in Redis where several processes share a limit."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from app.core.ports import Allowance

if TYPE_CHECKING:
    from limits.aio.storage import Storage

REDIS_WAIT_S = 1.0  # a request does not wait longer for a counter
_log = logging.getLogger(__name__)


class Counters:
    """Where counts are kept: `redis://`, `rediss://` or `unix://` as Redis's own client reads it, or here for None."""

    def __init__(self, url: str | None) -> None:
        from limits.aio.storage import MemoryStorage
        from limits.storage import storage_from_string

        self.url = url
        self._redis: Any = None
        if url is None:
            self.storage: Storage = MemoryStorage()
            return
        made: Any = storage_from_string(
            "async+" + url.replace("unix://", "redis+unix://"),
            implementation="redispy",
            wrap_exceptions=True,
            socket_connect_timeout=REDIS_WAIT_S,
            socket_timeout=REDIS_WAIT_S,
        )
        self.storage = made
        self._redis = made.bridge.storage

    def check(self) -> str:
        """What the counters are, or raises; blocking, by a connection of its own."""
        if self.url is None:
            return "in memory"
        import redis

        with redis.Redis.from_url(self.url, socket_connect_timeout=REDIS_WAIT_S, socket_timeout=REDIS_WAIT_S) as server:
            server.ping()
        return "in Redis"

    async def aclose(self) -> None:
        """Frees the connections, from the event loop that used them."""
        if self._redis is not None:
            await self._redis.aclose()


class WindowLimiter:
    """A rate such as `600/minute`, by windows that begin with the first request in them."""

    def __init__(self, counters: Counters, rate: str, of: str) -> None:
        from limits import parse
        from limits.aio.strategies import FixedWindowRateLimiter

        self._item = parse(rate)
        self._of = of
        self._windows = FixedWindowRateLimiter(counters.storage)
        self._counting = True

    async def hit(self, who: str) -> Allowance | None:
        """Counts one; None, and nobody is held up, while the counters cannot be reached."""
        return await self._asked(who, count=True)

    async def look(self, who: str) -> Allowance | None:
        """The same without counting."""
        return await self._asked(who, count=False)

    async def _asked(self, who: str, *, count: bool) -> Allowance | None:
        from limits.errors import StorageError

        try:
            granted = await (self._windows.hit if count else self._windows.test)(self._item, self._of, who)
            window = await self._windows.get_window_stats(self._item, self._of, who)
        except StorageError as error:
            if self._counting:
                _log.warning("Requests are not limited for now: %s", error)
            self._counting = False
            return None
        self._counting = True
        return Allowance(self._item.amount, int(window.remaining), window.reset_time, granted)
