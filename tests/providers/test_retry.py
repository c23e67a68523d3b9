"""Waiting and trying again, decided without waiting."""

from __future__ import annotations

import datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ProviderError
from app.providers.retry import Failure, ModelLimits, asked_wait, retry_delay

NOW = datetime.datetime(2026, 11, 22, 12, 0, 0, tzinfo=datetime.UTC)
ERROR = ProviderError("x")


def test_backoff_doubles_until_the_retries_are_spent() -> None:
    limits = ModelLimits(retries=3, backoff_s=0.5)
    delays = [retry_delay(Failure(ERROR, passing=True), attempt, limits) for attempt in range(4)]
    assert delays == [0.5, 1.0, 2.0, None]


@given(st.integers(0, 10), st.floats(0, 100), st.booleans())
def test_no_wait_is_longer_than_allowed(attempt: int, asked: float, passing: bool) -> None:
    delay = retry_delay(Failure(ERROR, passing, asked), attempt, ModelLimits(retries=5, longest_wait_s=20))
    assert (delay is not None) == (passing and attempt < 5 and asked <= 20)
    assert delay is None or delay == asked


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-4"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Sun, 22 Nov 99999999999999999999 12:00:05 GMT"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
        ({"retry-after": format_datetime(NOW + datetime.timedelta(seconds=7), usegmt=True)}, 7.0),
        ({"retry-after": format_datetime(NOW - datetime.timedelta(days=1), usegmt=True)}, 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:05 -0000"}, 5.0),
    ],
)
def test_what_a_response_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers, NOW) == seconds


@given(st.text())
def test_no_header_breaks_the_reading(value: str) -> None:
    wait = asked_wait({"retry-after": value}, NOW)
    assert wait is None or wait >= 0


@pytest.mark.parametrize(
    "limits",
    [{"timeout_s": 0}, {"timeout_s": 601}, {"retries": -1}, {"backoff_s": -1}, {"longest_wait_s": -1}],
)
def test_limits_that_cannot_be_kept_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        ModelLimits(**limits)  # type: ignore[arg-type]
