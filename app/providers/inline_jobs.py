"""Ingest jobs in one background thread: no database, no polling, nothing to import; for tests and one-shot commands."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from app.core.jobs import IngestSteps, JobInterrupted, RetryRule, StepFailedError, attempt_step, drive, run_id

T = TypeVar("T")
_log = logging.getLogger(__name__)


class InlineJobEngine:
    """A `JobEngine` that remembers only while it lives: an interrupted job starts at its first step again."""

    def __init__(self, retry: RetryRule | None = None) -> None:
        self._retry = retry or RetryRule()
        self._changed = threading.Condition()
        self._waiting: deque[tuple[int, int]] = deque()
        self._known: set[str] = set()
        self._cancelled: set[str] = set()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, steps: IngestSteps) -> None:
        """Starts the thread, on jobs left by `stop` first; waits for a step that outlasted it."""
        if self._thread is not None:
            self._thread.join()
        self._stopping.clear()
        self._thread = threading.Thread(target=self._work, args=(steps,), name="inline-jobs", daemon=True)
        self._thread.start()

    def submit(self, job_id: int, attempt: int) -> None:
        """Queues the job; the same (job, attempt) twice runs once."""
        with self._changed:
            if run_id(job_id, attempt) not in self._known:
                self._known.add(run_id(job_id, attempt))
                self._waiting.append((job_id, attempt))
                self._changed.notify()

    def cancel(self, job_id: int, attempt: int) -> None:
        """Ends the job before its next step, when its turn comes."""
        with self._changed:
            self._cancelled.add(run_id(job_id, attempt))

    def stop(self, timeout_s: float) -> None:
        """Waits for the step in flight."""
        self._stopping.set()
        with self._changed:
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _work(self, steps: IngestSteps) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping.is_set())
                if self._stopping.is_set():
                    return
                job_id, attempt = self._waiting[0]
            with contextlib.suppress(JobInterrupted):
                self._run(job_id, run_id(job_id, attempt), steps)
                self._waiting.popleft()

    def _run(self, job_id: int, run: str, steps: IngestSteps) -> None:
        def checkpoint(name: str, call: Callable[[], T], /) -> T:
            self._pause(0)
            if run in self._cancelled:
                raise _CancelledError
            return attempt_step(name, call, self._retry, self._pause)

        def fail() -> None:
            steps.fail(job_id, "The job was cancelled.", cancelled=True)

        try:
            try:
                drive(job_id, steps, checkpoint)
            except _CancelledError:
                attempt_step("fail", fail, self._retry, self._pause)
        except StepFailedError:
            _log.exception("The end of %s could not be written", run)

    def _pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise JobInterrupted


class _CancelledError(Exception):
    pass
