"""When a failed step is tried again, and how an engine names a job."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.jobs import RetryRule, StepFailedError, attempt_step, job_of, run_id
from ingest.types import UnreadableFileError


@given(st.lists(st.floats(0, 100)).map(tuple), st.integers(1, 30))
def test_a_step_is_tried_once_more_than_there_are_delays(delays: tuple[float, ...], failures: int) -> None:
    tried, paused = [], list[float]()

    def call() -> int:
        tried.append(1)
        if len(tried) <= failures:
            raise OSError("busy")
        return 42

    if failures > len(delays):
        with pytest.raises(StepFailedError, match="busy"):
            attempt_step("embed", call, RetryRule(delays), paused.append)
        assert len(tried) == len(delays) + 1
    else:
        assert attempt_step("embed", call, RetryRule(delays), paused.append) == 42
    assert paused == list(delays[:failures])


def test_a_files_own_fault_is_not_tried_again() -> None:
    assert RetryRule().delay_s(1, UnreadableFileError("damaged")) is None
    assert RetryRule().delay_s(1, OSError("busy")) == 0.2


@given(st.integers(0), st.integers(0))
def test_a_run_names_its_job(job_id: int, attempt: int) -> None:
    assert job_of(run_id(job_id, attempt)) == job_id
