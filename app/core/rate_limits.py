"""How often one may come: so many requests a key, and so many wrong keys an address."""

from __future__ import annotations

import hashlib
import math
import time
from collections import OrderedDict
from contextvars import ContextVar
from dataclasses import dataclass

from app.core.errors import RateLimitedError
from app.core.ports import Allowance, RateLimiter
from app.core.types import Caller

REMEMBERED_KEYS = 4096


@dataclass(slots=True)
class Visit:
    """One HTTP request, as far as limits are concerned."""

    address: str  # of the client
    allowance: Allowance | None = None  # of its key, once that is known


# Set by the middleware that writes the headers; read where a key is checked, which every format does in its own way.
current_visit: ContextVar[Visit | None] = ContextVar("current_visit", default=None)


class Turnstile:
    """Counts requests by key and failures by address; None for what is not limited.

    An address that brought too many wrong keys is not let in with any other that was not accepted from there before:
    whoever guesses learns nothing, and whoever works from the same address goes on working.
    """

    def __init__(self, requests: RateLimiter | None = None, failures: RateLimiter | None = None) -> None:
        self._requests = requests
        self._failures = failures
        self._accepted: OrderedDict[bytes, None] = OrderedDict()

    async def approach(self, key: str) -> None:
        """Before a key is looked at; raises RateLimitedError."""
        if self._failures is None or _mark(key) in self._accepted:
            return
        left = await self._failures.look(_address())
        if left is not None and not left.remaining:
            raise _limited(left, "Too many wrong keys came from this address.")

    async def refuse(self) -> None:
        """Counts a key that nobody has."""
        if self._failures is not None:
            await self._failures.hit(_address())

    async def admit(self, key: str, caller: Caller) -> None:
        """Counts a request of the key's holder; raises RateLimitedError."""
        if self._failures is not None:
            self._accepted[_mark(key)] = None
            self._accepted.move_to_end(_mark(key))
            if len(self._accepted) > REMEMBERED_KEYS:
                self._accepted.popitem(last=False)
        if self._requests is None:
            return
        allowance = await self._requests.hit("admin" if caller.key_id is None else str(caller.key_id))
        visit = current_visit.get()
        if visit is not None:
            visit.allowance = allowance
        if allowance is not None and not allowance.granted:
            raise _limited(allowance, f"This key has sent the {allowance.limit} requests that it may send for now.")


def _limited(allowance: Allowance, why: str) -> RateLimitedError:
    wait_s = max(1.0, allowance.reset_at - time.time())
    error = RateLimitedError(f"{why} Come again in {math.ceil(wait_s)} s.")
    error.retry_after_s = wait_s
    return error


def _address() -> str:
    visit = current_visit.get()
    return visit.address if visit else ""


def _mark(key: str) -> bytes:
    """Of a key at this address; the key itself is kept nowhere."""
    return hashlib.sha256(f"{_address()}\0{key}".encode(errors="surrogateescape")).digest()
