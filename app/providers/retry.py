"""How long to wait for a model, and whether to ask again. Pure; waiting itself happens elsewhere."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from app.core.errors import AppError

_LONGEST_ASKED_S = 86400.0  # whoever is told to wait longer is told a day
_LONGEST_SILENCE_S = 600.0  # the vendors' own clients give up then


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """How patient to be with a provider. Raises ValueError for limits that cannot be kept."""

    timeout_s: float = 60.0  # of silence: until the first piece, connecting included, and between two pieces
    retries: int = 2  # after the first attempt, and only before the first token
    backoff_s: float = 0.5  # before the first retry; doubles each time
    longest_wait_s: float = 20.0  # a provider that asks for more gets no retry, so that the caller hears now

    def __post_init__(self) -> None:
        if not 0 < self.timeout_s <= _LONGEST_SILENCE_S:
            raise ValueError(f"timeout_s must be above 0 and at most {_LONGEST_SILENCE_S:.0f}")
        if self.retries < 0 or self.backoff_s < 0 or self.longest_wait_s < 0:
            raise ValueError("retries, backoff_s and longest_wait_s must not be negative")


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt: what to tell the caller, and whether the same request may succeed later."""

    error: AppError
    passing: bool = False  # worth another try: connection, 408, 409, 429, 5xx
    wait_s: float | None = None  # what the provider asked for

    def __post_init__(self) -> None:
        self.error.passing, self.error.retry_after_s = self.passing, self.wait_s


def retry_delay(failure: Failure, attempt: int, limits: ModelLimits) -> float | None:
    """Seconds until the next attempt after attempt number `attempt` (from 0) failed, None for giving up."""
    if not failure.passing or attempt >= limits.retries:
        return None
    wait = limits.backoff_s * 2**attempt if failure.wait_s is None else failure.wait_s
    return wait if wait <= limits.longest_wait_s else None


def asked_wait(headers: Mapping[str, str], now: datetime.datetime) -> float | None:
    """Seconds a response asks to wait: `retry-after-ms`, or `retry-after` as seconds or as an HTTP date.

    Header names in lower case. None where nothing usable is said; never negative, at most a day.
    """
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * scale
        except (KeyError, ValueError):
            continue
        if math.isfinite(seconds):
            return min(max(0.0, seconds), _LONGEST_ASKED_S)
    try:
        at = parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:  # "-0000" means UTC without saying so
        at = at.replace(tzinfo=datetime.UTC)
    return min(max(0.0, (at - now).total_seconds()), _LONGEST_ASKED_S)
