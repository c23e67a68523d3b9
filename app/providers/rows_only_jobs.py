"""The job engine of a process that runs no jobs: their rows are enough, a worker reads them."""

from __future__ import annotations

from app.core.jobs import IngestSteps


class RowsOnlyJobEngine:
    """A null JobEngine; a cancelled job stops because its row says so."""

    def start(self, steps: IngestSteps) -> None: ...

    def submit(self, job_id: int, attempt: int) -> None: ...

    def cancel(self, job_id: int, attempt: int) -> None: ...

    def stop(self, timeout_s: float) -> None: ...
