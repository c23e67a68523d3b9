"""Durable ingest jobs on DBOS: one workflow an attempt, one recorded step a step, on SQLite or PostgreSQL by URL.

Measured by bench/jobs.py on two shared cores: 0.6 s of CPU to import, 13 ms of CPU for an empty job of three steps,
2-3 ms for each further step, 1 % of a core when idle and 6 ms for each poll of the queue. Waiting jobs are found by
polling only, so each poll takes up to `prefetch` of them: `workers` run and the others wait in this process.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from app.core.jobs import (
    IngestSteps,
    JobInterrupted,
    RetryRule,
    StepFailedError,
    attempt_step,
    drive,
    job_of,
    run_id,
)

T = TypeVar("T")
_log = logging.getLogger(__name__)

_QUEUE = "ingest"
_VERSION = "footnote-1"  # fixed: by default it is a hash of the code, and an upgrade would leave pending jobs behind
_TOLD = "told"  # marks a workflow whose outcome the job row knows
_CANCELLED = "The job was cancelled."
_UNTOLD = {  # how a workflow can end without its job row knowing, and what the row then says
    "CANCELLED": _CANCELLED,
    "ERROR": "The job engine failed on this job; the log says why. Retry it.",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "The service died too often while it worked on this. Check memory, then retry.",
}
_PAGE = 500
_SETTLE_S = 0.02

_one_per_process = threading.Lock()  # DBOS is a singleton and would give a second engine the first one's database


@dataclass(frozen=True, slots=True)
class DbosJobSettings:
    """Where and how jobs run."""

    url: str  # sqlite:///file or postgresql://...
    executor_id: str = "local"  # stable over restarts and never shared: at start its unfinished jobs are taken up
    workers: int = 2  # jobs at the same time
    prefetch: int = 8  # jobs taken from the queue at the same time, running ones included
    poll_s: float = 0.25
    sweep_s: float = 30.0
    keep_days: int = 7  # how long a finished attempt is remembered
    max_crashes: int = 20  # a job taken at more hard exits than this is given up, or it could stop the service for ever
    retry: RetryRule = field(default_factory=RetryRule)


class DbosJobEngine:
    """A `JobEngine` whose jobs outlive a kill at any point; at most one is started in a process."""

    def __init__(self, settings: DbosJobSettings) -> None:
        self._settings = settings
        self._run: _Run | None = None

    def start(self, steps: IngestSteps) -> None:
        """Creates or migrates the database, takes up unfinished jobs, then new ones."""
        if not _one_per_process.acquire(blocking=False):
            raise RuntimeError("A job engine is already started in this process.")
        try:
            run = _Run(self._settings, steps)
            run.launch()
        except BaseException:
            _one_per_process.release()
            raise
        self._run = run

    def submit(self, job_id: int, attempt: int) -> None:
        """Queues the job, durably when it returns; the same (job, attempt) twice runs once."""
        self._started().submit(job_id, attempt)

    def cancel(self, job_id: int, attempt: int) -> None:
        """Ends a waiting job now, a running one before its next step."""
        self._started().cancel(job_id, attempt)

    def stop(self, timeout_s: float) -> None:
        """Waits for the steps in flight; one that outlasts `timeout_s` is run again after the next start."""
        if self._run is None:
            return
        try:
            self._run.leave(timeout_s)
        finally:
            self._run = None
            _one_per_process.release()

    def _started(self) -> _Run:
        if self._run is None:
            raise RuntimeError("The job engine is not started.")
        return self._run


class _Run:
    """One start-to-stop. A thread that outlives it sees its `_stopping`, not that of the next run."""

    def __init__(self, settings: DbosJobSettings, steps: IngestSteps) -> None:
        import dbos

        # With a handler of our own DBOS adds none and leaves `propagate`: its records go where ours go.
        logging.getLogger("dbos").addHandler(logging.NullHandler())
        self._vendor: Any = dbos
        self._settings = settings
        self._steps = steps
        self._stopping = threading.Event()
        self._slots = threading.BoundedSemaphore(settings.workers)
        self._changed = threading.Condition()
        self._taken: set[str] = set()  # runs this process has taken from the queue
        self._running: set[str] = set()  # those of them that have a slot
        self._left: set[str] = set()  # those that left their thread without an outcome
        self._sweeper = threading.Thread(target=self._sweep_until_stopped, name="jobs-sweeper", daemon=True)
        self._dbos = dbos.DBOS(config=self._config())

        def ingest(job_id: int, attempt: int) -> None:  # DBOS writes attributes on it, which no method takes
            self._work(job_id, attempt)

        self._workflow = self._dbos.workflow(name=_QUEUE, max_recovery_attempts=self._settings.max_crashes)(ingest)

    def launch(self) -> None:
        try:
            self._dbos.launch()
            self._dbos.register_queue(
                _QUEUE,
                worker_concurrency=max(self._settings.workers, self._settings.prefetch),
                polling_interval_sec=self._settings.poll_s,
                on_conflict="always_update",
            )
            self._sweep()
        except BaseException:
            self._dbos.destroy(destroy_registry=True)
            raise
        self._sweeper.start()

    def submit(self, job_id: int, attempt: int) -> None:
        with self._vendor.SetWorkflowID(run_id(job_id, attempt)):
            self._dbos.enqueue_workflow(_QUEUE, self._workflow, job_id, attempt)

    def cancel(self, job_id: int, attempt: int) -> None:
        run = run_id(job_id, attempt)
        before = self._status(run)
        self._dbos.cancel_workflow(run)
        with self._changed:
            waiting_here = run in self._taken and run not in self._running
        if before == "ENQUEUED" or waiting_here:
            self._tell(run, _CANCELLED, cancelled=True)

    def leave(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        self._stopping.set()
        for event in self._dbos.background_thread_stop_events:  # what destroy() does first: no more dequeuing
            event.set()
        self._sweeper.join()
        unfinished = self._unfinished()
        while unfinished - self._left and time.monotonic() < deadline:
            with self._changed:
                self._changed.wait(_SETTLE_S)  # also for DBOS, which writes an outcome after the job has left its slot
            unfinished = self._unfinished()
        # Back into the queue, where any process finds them, not only the next run of this executor. One of which DBOS
        # is just writing the outcome must not go: its thread would wait for ever for that of another run.
        with self._changed:
            back = unfinished & (self._left | self._taken)
        if back:
            self._dbos.resume_workflows(sorted(back), queue_name=_QUEUE)
        self._dbos.destroy(destroy_registry=True)

    # ── one job ──────────────────────────────────────────────────────────────────────────────────────

    def _work(self, job_id: int, attempt: int) -> None:
        """The workflow. Leaves by `JobInterrupted` where DBOS shall record no outcome: it stores every other end."""
        run = run_id(job_id, attempt)
        errors = self._vendor.error
        with self._slot(run):
            try:
                drive(job_id, self._steps, self._checkpoint)
            except (errors.DBOSWorkflowCancelledError, errors.DBOSWorkflowConflictIDError):
                # Both mean that the row is no longer ours; a cancel during a step shows as the second.
                if self._status(run) == "CANCELLED":
                    self._tell(run, _CANCELLED, cancelled=True)
                raise JobInterrupted from None
            except Exception:
                if self._stopping.is_set():  # a straggler finds its database closed
                    raise JobInterrupted from None
                raise

    def _checkpoint(self, name: str, call: Callable[[], T], /) -> T:
        def step() -> dict[str, Any]:
            try:
                return {"value": attempt_step(name, call, self._settings.retry, self._pause)}
            except StepFailedError as failure:  # stored as text: DBOS would pickle an exception
                return {"failure": str(failure)}

        self._pause(0)
        outcome: dict[str, Any] = self._dbos.run_step({"name": name}, step)
        if "failure" in outcome:
            raise StepFailedError(outcome["failure"])
        value: T = outcome["value"]
        return value

    def _pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise JobInterrupted

    @contextlib.contextmanager
    def _slot(self, run: str) -> Iterator[None]:
        with self._changed:
            self._taken.add(run)
        try:
            with self._slots:
                self._pause(0)
                with self._changed:
                    self._running.add(run)
                yield
        except JobInterrupted:
            self._left.add(run)
            raise
        finally:
            with self._changed:
                self._taken.discard(run)
                self._running.discard(run)
                self._changed.notify_all()

    # ── what no workflow does for itself ─────────────────────────────────────────────────────────────

    def _status(self, run: str) -> str | None:
        # In a workflow's own context DBOS makes every call a recorded step, which a lost workflow may not have.
        found = contextvars.Context().run(self._dbos.get_workflow_status, run)
        return None if found is None else found.status

    def _tell(self, run: str, message: str, *, cancelled: bool) -> None:
        """Ends the job row of a workflow that ended without; the sweep tries again what fails here."""
        try:
            self._steps.fail(job_of(run), message, cancelled=cancelled)
            contextvars.Context().run(self._dbos.update_workflow_attributes, run, {_TOLD: True})
        except Exception:
            _log.exception("The end of %s could not be written; it is tried again", run)

    def _sweep_until_stopped(self) -> None:
        while not self._stopping.wait(self._settings.sweep_s):
            try:
                self._sweep()
            except Exception:
                _log.exception("Sweeping finished jobs failed; it is tried again")

    def _sweep(self) -> None:
        """Tells job rows that do not know their end (a crash after a cancel, too many crashes); forgets old runs."""
        for flow in self._list(status=list(_UNTOLD), executor_id=self._settings.executor_id):
            with self._changed:
                here = flow.workflow_id in self._taken  # it tells for itself, before its next step
            if not here and not (flow.attributes or {}).get(_TOLD):
                self._tell(flow.workflow_id, _UNTOLD[flow.status], cancelled=flow.status == "CANCELLED")
        horizon = datetime.now(UTC) - timedelta(days=self._settings.keep_days)
        while old := self._list(status=["SUCCESS", *_UNTOLD], completed_before=horizon.isoformat(), limit=_PAGE):
            self._dbos.delete_workflows([flow.workflow_id for flow in old])

    def _unfinished(self) -> set[str]:
        mine = self._list(status="PENDING", executor_id=self._settings.executor_id)
        return {flow.workflow_id for flow in mine}

    def _list(self, **which: Any) -> list[Any]:
        found: list[Any] = self._dbos.list_workflows(name=_QUEUE, load_input=False, load_output=False, **which)
        return found

    def _config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "name": "footnote",
            "system_database_url": self._settings.url,
            "application_version": _VERSION,
            "executor_id": self._settings.executor_id,
            "log_level": "WARNING",
            "enable_otlp": False,
            "serializer": self._vendor.DBOSPortableJSONSerializer(),  # the default is pickle
            "scheduler_polling_interval_sec": 3600.0,  # we schedule nothing
            "notification_listener_polling_interval_sec": 0.1,  # we notify nothing, but stopping waits for it
        }
        if self._settings.url.startswith("sqlite"):
            config["db_engine_kwargs"] = {"connect_args": {"factory": _WalConnection}, "pool_pre_ping": False}
        return config


class _WalConnection(sqlite3.Connection):
    """Commits without waiting for the disk: a kill loses nothing, a power cut the last moments."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute("PRAGMA journal_mode=WAL").close()
        self.execute("PRAGMA synchronous=NORMAL").close()
