"""Hands job rows to the engine: at once while it runs, and all that it does not know of when it starts.

A row is committed before it is handed over, so a crash between the two loses nothing: the next sweep finds it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.core.jobs import IngestSteps, JobEngine

SWEEP_S = 2.0  # how soon a worker takes up a row that another process has written


class Dispatcher:
    """A JobEngine in front of the real one; blocking like it."""

    def __init__(self, engine: JobEngine, unfinished: Callable[[], list[tuple[int, int]]], *, sweep: bool) -> None:
        self._engine = engine
        self._unfinished = unfinished
        self._sweeping = sweep  # where other processes write rows, too
        self._started = threading.Event()
        self._stopping = threading.Event()
        self._failure: Exception | None = None
        self._known: set[tuple[int, int]] = set()
        self._sweeper = threading.Thread(target=self._sweep_until_stopped, name="job-rows", daemon=True)

    def start(self, steps: IngestSteps) -> None:
        """Starts the engine, then hands over every unfinished row; a failure is also what `check` tells."""
        try:
            self._engine.start(steps)
            self._started.set()
            self._hand_over()
        except Exception as error:
            self._failure = error
            raise
        if self._sweeping:
            self._sweeper.start()

    def check(self) -> str:
        """For health; raises what the start raised."""
        if self._failure is not None:
            raise self._failure
        waiting = f"{len(self._unfinished())} unfinished"
        return waiting if self._started.is_set() else f"starting, {waiting}"

    def submit(self, job_id: int, attempt: int) -> None:
        """Before the start this waits for nothing: the row is there, and the start reads it."""
        if self._started.is_set():
            self._engine.submit(job_id, attempt)

    def cancel(self, job_id: int, attempt: int) -> None:
        """Before the start the row's own mark is enough."""
        if self._started.is_set():
            self._engine.cancel(job_id, attempt)

    def stop(self, timeout_s: float) -> None:
        self._stopping.set()
        if self._sweeper.is_alive():
            self._sweeper.join()
        if self._started.is_set():
            self._engine.stop(timeout_s)

    def _sweep_until_stopped(self) -> None:
        while not self._stopping.wait(SWEEP_S):
            self._hand_over()

    def _hand_over(self) -> None:
        rows = self._unfinished()
        for row in rows:
            if row not in self._known:
                self._engine.submit(*row)
        self._known = set(rows)
