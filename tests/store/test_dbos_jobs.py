"""Job engines: what every one promises, and what survives a kill, a stop and a cancel in the durable one."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core.jobs import JobEngine, RetryRule, run_id
from app.providers.dbos_jobs import DbosJobEngine, DbosJobSettings
from ingest.types import UnreadableFileError

AT_ONCE = RetryRule((0.0, 0.0, 0.0))
LONG = 60.0  # for waits that end by an event; reached only when the engine is broken
WHOLE = ["parse", "embed0", "embed1", "publish"]

Make = Callable[..., DbosJobEngine]


class RecordingSteps:
    """Steps that write down their calls; `hooks` by "job step" run inside a step, and may raise or wait."""

    def __init__(self) -> None:
        self.calls: dict[int, list[str]] = defaultdict(list)
        self.ends: dict[int, list[tuple[str, bool]]] = defaultdict(list)
        self.hooks: dict[str, Callable[[], None]] = {}
        self.most_at_once = 0
        self._now = 0
        self._changed = threading.Condition()

    def parse(self, job_id: int) -> int:
        self._do(job_id, "parse")
        return 2

    def embed(self, job_id: int, batch: int) -> int:
        self._do(job_id, f"embed{batch}")
        return 1

    def publish(self, job_id: int) -> None:
        self._do(job_id, "publish")
        self._end(job_id, "published", False)

    def fail(self, job_id: int, message: str, *, cancelled: bool = False) -> None:
        self._do(job_id, "fail")
        self._end(job_id, message, cancelled)

    def wait_for(self, *jobs: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: all(self.ends[job] for job in jobs), LONG), dict(self.calls)

    def _do(self, job_id: int, step: str) -> None:
        with self._changed:
            self.calls[job_id].append(step)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            self.hooks.get(f"{job_id} {step}", lambda: None)()
        finally:
            with self._changed:
                self._now -= 1

    def _end(self, job_id: int, how: str, cancelled: bool) -> None:
        with self._changed:
            self.ends[job_id].append((how, cancelled))
            self._changed.notify_all()


class Gate:
    """A hook that says when a step has come, and keeps it until the test lets it go."""

    def __init__(self) -> None:
        self._came, self._open = threading.Event(), threading.Event()
        self.open = self._open.set

    def __call__(self) -> None:
        self._came.set()
        assert self._open.wait(LONG)

    def wait(self) -> None:
        assert self._came.wait(LONG)


def fail_times(times: int, error: Exception) -> Callable[[], None]:
    left = iter(range(times))

    def hook() -> None:
        if next(left, None) is not None:
            raise error

    return hook


@pytest.fixture
def steps() -> RecordingSteps:
    return RecordingSteps()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, database_url: Callable[[str, str], str]) -> str:
    """Of a database that is new."""
    return database_url(request.param, f"jobs_{uuid.uuid4().hex}")


@pytest.fixture
def durable(url: str) -> Iterator[Make]:
    """Makes engines on one database; each is stopped at the end."""
    made: list[DbosJobEngine] = []

    def make(**settings: Any) -> DbosJobEngine:
        made.append(DbosJobEngine(replace(DbosJobSettings(url, poll_s=0.02, retry=AT_ONCE), **settings)))
        return made[-1]

    yield make
    for engine in made:
        engine.stop(LONG)
    assert_no_thread_left()


@pytest.fixture
def engine(url: str) -> Iterator[JobEngine]:
    engine = DbosJobEngine(DbosJobSettings(url=url, poll_s=0.02, retry=AT_ONCE))
    yield engine
    engine.stop(LONG)
    assert_no_thread_left()


def join_thread(name: str) -> None:
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(LONG)


def assert_no_thread_left() -> None:
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(LONG)
            assert not thread.is_alive(), thread.name


# ── what every engine promises ───────────────────────────────────────────────────────────────────────


def test_a_job_runs_its_steps_in_order(engine: JobEngine, steps: RecordingSteps) -> None:
    engine.start(steps)
    engine.submit(1, 1)
    steps.wait_for(1)
    assert steps.calls[1] == WHOLE
    assert steps.ends[1] == [("published", False)]


def test_an_attempt_runs_once_however_often_it_is_submitted(engine: JobEngine, steps: RecordingSteps) -> None:
    engine.start(steps)
    engine.submit(1, 1)
    engine.submit(1, 1)
    steps.wait_for(1)
    engine.submit(1, 1)
    engine.submit(2, 1)
    steps.wait_for(2)
    engine.stop(LONG)
    assert steps.calls[1] == WHOLE


def test_a_new_attempt_runs_again(engine: JobEngine, steps: RecordingSteps) -> None:
    steps.hooks["1 parse"] = fail_times(1, UnreadableFileError("damaged"))
    engine.start(steps)
    engine.submit(1, 1)
    steps.wait_for(1)
    steps.ends.clear()
    engine.submit(1, 2)
    steps.wait_for(1)
    assert steps.calls[1] == ["parse", "fail", *WHOLE]


def test_a_damaged_file_ends_its_job_and_no_other(engine: JobEngine, steps: RecordingSteps) -> None:
    steps.hooks["1 parse"] = fail_times(9, UnreadableFileError("Page 3 is damaged."))
    engine.start(steps)
    for job in (1, 2, 3):
        engine.submit(job, 1)
    steps.wait_for(1, 2, 3)
    assert steps.calls == {1: ["parse", "fail"], 2: WHOLE, 3: WHOLE}
    assert steps.ends[1] == [("Page 3 is damaged.", False)]


def test_a_failing_step_is_tried_again_where_it_stands(engine: JobEngine, steps: RecordingSteps) -> None:
    steps.hooks["1 embed1"] = fail_times(3, OSError("busy"))
    engine.start(steps)
    engine.submit(1, 1)
    steps.wait_for(1)
    assert steps.calls[1] == ["parse", "embed0", "embed1", "embed1", "embed1", "embed1", "publish"]


def test_a_hopeless_step_ends_the_job_and_says_why(engine: JobEngine, steps: RecordingSteps) -> None:
    steps.hooks["1 embed0"] = fail_times(99, OSError("no space left"))
    engine.start(steps)
    engine.submit(1, 1)
    steps.wait_for(1)
    assert steps.calls[1] == ["parse", *["embed0"] * 4, "fail"]
    assert steps.ends[1] == [("Step embed failed 4 times, at last with OSError: no space left", False)]


def test_a_running_job_is_cancelled_before_its_next_step(engine: JobEngine, steps: RecordingSteps) -> None:
    gate = steps.hooks["1 embed0"] = Gate()
    engine.start(steps)
    engine.submit(1, 1)
    gate.wait()
    engine.cancel(1, 1)
    gate.open()
    steps.wait_for(1)
    engine.stop(LONG)
    assert steps.calls[1] == ["parse", "embed0", "fail"]
    assert steps.ends[1] == [("The job was cancelled.", True)]


def test_a_job_that_has_ended_is_not_cancelled(engine: JobEngine, steps: RecordingSteps) -> None:
    engine.start(steps)
    engine.submit(1, 1)
    steps.wait_for(1)
    engine.submit(2, 1)
    steps.wait_for(2)
    engine.cancel(1, 1)
    engine.cancel(99, 1)
    engine.stop(LONG)
    assert steps.ends[1] == [("published", False)]
    assert 99 not in steps.ends


# ── what the durable one adds ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("prefetch", [1, 8])
def test_a_waiting_job_is_cancelled_at_once(durable: Make, steps: RecordingSteps, prefetch: int) -> None:
    gate = steps.hooks["1 parse"] = Gate()
    engine = durable(workers=1, prefetch=prefetch)
    engine.start(steps)
    engine.submit(1, 1)
    gate.wait()
    engine.submit(2, 1)
    if prefetch > 1:
        wait_until_taken(2)
    engine.cancel(2, 1)
    assert steps.ends[2] == [("The job was cancelled.", True)]
    gate.open()
    steps.wait_for(1)
    engine.submit(3, 1)
    steps.wait_for(3)
    engine.stop(LONG)
    assert "parse" not in steps.calls[2]


def test_no_more_jobs_run_at_once_than_there_are_workers(durable: Make, steps: RecordingSteps) -> None:
    engine = durable(workers=2, prefetch=8)
    for job in range(20):
        steps.hooks[f"{job} parse"] = work_a_while
    engine.start(steps)
    for job in range(20):
        engine.submit(job, 1)
    steps.wait_for(*range(20))
    assert 1 <= steps.most_at_once <= 2
    assert all(steps.calls[job] == WHOLE for job in range(20))


def test_stop_waits_for_the_step_in_flight_and_start_goes_on_after_it(durable: Make, steps: RecordingSteps) -> None:
    engine = durable()

    def until_stopping() -> None:
        threading.Thread(target=engine.stop, args=(LONG,), name="stopper").start()
        join_thread("jobs-sweeper")  # it ends as soon as the engine is stopping

    steps.hooks["1 embed0"] = until_stopping
    engine.start(steps)
    engine.submit(1, 1)
    join_thread("jobs-sweeper")
    join_thread("stopper")
    assert steps.calls[1] == ["parse", "embed0"]

    again = durable(executor_id="another")
    again.start(steps)
    steps.wait_for(1)
    assert steps.calls[1] == WHOLE


def test_a_step_that_outlasts_stop_is_run_again(durable: Make, steps: RecordingSteps) -> None:
    gate = steps.hooks["1 embed0"] = Gate()
    engine = durable()
    engine.start(steps)
    engine.submit(1, 1)
    gate.wait()
    engine.stop(0)
    gate.open()
    engine.start(steps)
    steps.wait_for(1)
    assert steps.calls[1] == ["parse", "embed0", "embed0", "embed1", "publish"]


def test_jobs_submitted_before_a_stop_are_done_after_the_next_start(durable: Make, steps: RecordingSteps) -> None:
    engine = durable(workers=1)
    gate = steps.hooks["0 parse"] = Gate()
    engine.start(steps)
    for job in range(10):
        engine.submit(job, 1)
    gate.wait()
    engine.stop(0)
    gate.open()
    engine.start(steps)
    steps.wait_for(*range(10))
    assert all(steps.calls[job] == WHOLE for job in range(1, 10))


def test_a_cancel_whose_process_died_is_told_at_the_next_start(durable: Make, steps: RecordingSteps) -> None:
    gate = steps.hooks["1 embed0"] = Gate()
    engine = durable()
    engine.start(steps)
    engine.submit(1, 1)
    gate.wait()
    engine.cancel(1, 1)
    engine.stop(0)
    assert not steps.ends[1]
    engine.start(steps)
    assert steps.ends[1] == [("The job was cancelled.", True)]
    gate.open()
    engine.stop(LONG)
    engine.start(steps)
    assert [how for how, _ in steps.ends[1]].count("The job was cancelled.") <= 2  # once more by the straggler
    assert "publish" not in steps.calls[1]


def test_an_end_that_cannot_be_written_is_told_at_the_next_start(
    durable: Make, steps: RecordingSteps, caplog: pytest.LogCaptureFixture
) -> None:
    steps.hooks["1 parse"] = fail_times(9, UnreadableFileError("damaged"))
    steps.hooks["1 fail"] = fail_times(4, OSError("the rows are locked"))
    engine = durable(workers=1)
    engine.start(steps)
    engine.submit(1, 1)
    engine.submit(2, 1)
    steps.wait_for(2)
    engine.stop(LONG)
    assert not steps.ends[1]
    engine.start(steps)
    assert steps.ends[1] == [("The job engine failed on this job; the log says why. Retry it.", False)]
    engine.stop(LONG)
    engine.start(steps)
    assert len(steps.ends[1]) == 1
    assert "the rows are locked" in caplog.text


def test_a_second_engine_in_the_process_is_refused(durable: Make, steps: RecordingSteps) -> None:
    first, second = durable(), durable()
    first.start(steps)
    with pytest.raises(RuntimeError, match="already"):
        second.start(steps)
    first.stop(LONG)
    second.start(steps)
    with pytest.raises(RuntimeError, match="not started"):
        first.submit(1, 1)


def test_an_engine_that_cannot_start_leaves_room_for_another(
    durable: Make, steps: RecordingSteps, tmp_path: Path
) -> None:
    broken = durable(url=f"sqlite:///{tmp_path / 'missing' / 'jobs.sqlite'}")
    with pytest.raises(Exception, match="unable to open"):
        broken.start(steps)
    engine = durable()
    engine.start(steps)
    engine.submit(1, 1)
    steps.wait_for(1)


def work_a_while() -> None:
    hashlib.pbkdf2_hmac("sha256", b"word", b"salt", 30_000)


def wait_until_taken(job: int) -> None:
    from dbos import DBOS

    tick = threading.Event()
    while (status := DBOS.get_workflow_status(run_id(job, 1))) is None or status.status != "PENDING":
        tick.wait(0.01)
