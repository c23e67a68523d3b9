"""Ingest jobs: the steps, the engine that makes them survive a crash, and the rule for what is tried again.

One job is parse, then embed for each batch, then publish, in this order; the first step that fails for good ends
it with `fail`. An engine says only how a finished step is remembered: `drive` is the same for all of them.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ingest.types import IngestError

T = TypeVar("T")
_log = logging.getLogger(__name__)


class IngestSteps(Protocol):
    """The work of one job. Every step may run twice, also after the job has ended: it must be idempotent.

    Steps take and return ids and counts, never texts or vectors. An `IngestError` is the file's fault and ends the
    job at once; any other exception is tried again as the engine's `RetryRule` says.
    """

    def parse(self, job_id: int) -> int:
        """Reads the file, stores canonical text and chunks; returns the number of embedding batches, 0 or more."""
        ...

    def embed(self, job_id: int, batch: int) -> int:
        """Embeds and indexes batch `batch`, from 0; returns how many chunks it had."""
        ...

    def publish(self, job_id: int) -> None:
        """Makes the version visible."""
        ...

    def fail(self, job_id: int, message: str, *, cancelled: bool = False) -> None:
        """Writes the end of the job into its row; does nothing when the job has already ended."""
        ...


class JobEngine(Protocol):
    """Runs jobs in worker threads and remembers which steps are done. All methods block: call them from a thread."""

    def start(self, steps: IngestSteps) -> None:
        """Takes up what a crashed or stopped run left, then new work."""
        ...

    def submit(self, job_id: int, attempt: int) -> None:
        """Queues the job; the same (job, attempt) twice runs once."""
        ...

    def cancel(self, job_id: int, attempt: int) -> None:
        """Ends the job before its next step, with `fail(cancelled=True)`; does nothing when it has ended."""
        ...

    def stop(self, timeout_s: float) -> None:
        """Takes no more work and waits for the steps in flight; the rest of each job is left for the next start."""
        ...


class StepFailedError(Exception):
    """A step failed for good; the message is for the user who uploaded the file."""


class JobInterrupted(BaseException):
    """The job leaves its thread without an outcome, cancelled or stopping; `except Exception` lets it pass."""


@dataclass(frozen=True, slots=True)
class RetryRule:
    """How long to wait before a failed step is tried again, in seconds; as many further tries as delays."""

    delays_s: tuple[float, ...] = (0.2, 1.0, 5.0)

    def delay_s(self, failures: int, error: Exception) -> float | None:
        """The wait after the `failures`-th failure (from 1); None to give up, always so for a file's own fault."""
        if isinstance(error, IngestError) or failures > len(self.delays_s):
            return None
        return self.delays_s[failures - 1]


def run_id(job_id: int, attempt: int) -> str:
    """The name under which an engine knows one attempt at a job."""
    return f"ingest-{job_id}-{attempt}"


def job_of(run: str) -> int:
    """The job of a `run_id`."""
    return int(run.split("-")[1])


def attempt_step(name: str, call: Callable[[], T], rule: RetryRule, pause: Callable[[float], None]) -> T:
    """Calls until it succeeds or `rule` gives up; `pause` waits and may raise `JobInterrupted`.

    Raises `StepFailedError`, which carries text only: engines store errors, and some exceptions hold a whole file.
    """
    failures = 0
    while True:
        try:
            return call()
        except Exception as error:
            failures += 1
            delay = rule.delay_s(failures, error)
            if delay is None:
                raise StepFailedError(_explain(name, failures, error)) from error
            _log.warning("Step %s failed, trying again in %.1f s: %r", name, delay, error)
            pause(delay)


class Checkpoint(Protocol):
    """An engine's memory of finished steps."""

    def __call__(self, name: str, call: Callable[[], T], /) -> T:
        """What `call` returns now or returned in an earlier run; raises `StepFailedError` or `JobInterrupted`."""
        ...


def drive(job_id: int, steps: IngestSteps, checkpoint: Checkpoint) -> None:
    """Runs a job to its end; raises `StepFailedError` only when even its `fail` failed."""
    try:
        for batch in range(checkpoint("parse", functools.partial(steps.parse, job_id))):
            checkpoint("embed", functools.partial(steps.embed, job_id, batch))
        checkpoint("publish", functools.partial(steps.publish, job_id))
    except StepFailedError as failure:
        message = str(failure)
        checkpoint("fail", lambda: steps.fail(job_id, message))


def _explain(name: str, failures: int, error: Exception) -> str:
    if isinstance(error, IngestError):
        return str(error)
    cause = f"{type(error).__name__}: {error}"
    return f"Step {name} failed {failures} times, at last with {cause[:500]}"
