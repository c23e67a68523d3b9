"""A worker process for the kill test: `python jobs_child.py FOLDER URL RUN JOBS DIE_AFTER JITTER_MS DEADLY`.

Submits jobs 1..JOBS (again after each kill), works until all have ended, and writes a line to FOLDER/log before
and after each step. With DIE_AFTER > 0 it is killed JITTER_MS after that many lines, wherever its threads are;
a job with the number DEADLY kills it at once.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from dataclasses import replace
from pathlib import Path

from app.core.jobs import RetryRule
from app.providers.dbos_jobs import DbosJobEngine, DbosJobSettings
from ingest.types import UnreadableFileError

BATCHES = 2
POISONED = 7  # every seventh file is damaged


class FileSteps:
    """Steps whose effects are rows and files; idempotent, as the port asks."""

    def __init__(self, folder: Path, run: int, jobs: int, die_after: int, jitter_s: float, deadly: int) -> None:
        self._run = run
        self._jobs = jobs
        self._die_after = die_after
        self._jitter_s = jitter_s
        self._deadly = deadly
        self._lock = threading.Lock()
        self._lines = 0
        self._log = os.open(folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._rows = sqlite3.connect(folder / "rows.sqlite", timeout=30, check_same_thread=False)
        self._rows.execute("CREATE TABLE IF NOT EXISTS ended (job PRIMARY KEY, how)")
        self.all_ended = threading.Event()
        self._check_all_ended()

    def parse(self, job_id: int) -> int:
        self._note(job_id, "parse", "start")
        if job_id == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        if job_id % POISONED == 0:
            raise UnreadableFileError("The file is damaged.")
        self._note(job_id, "parse", "done")
        return BATCHES

    def embed(self, job_id: int, batch: int) -> int:
        self._note(job_id, f"embed{batch}", "start")
        self._note(job_id, f"embed{batch}", "done")
        return 10

    def publish(self, job_id: int) -> None:
        self._note(job_id, "publish", "start")
        self._end(job_id, "published")
        self._note(job_id, "publish", "done")

    def fail(self, job_id: int, message: str, *, cancelled: bool = False) -> None:
        self._note(job_id, "fail", "start")
        self._end(job_id, f"{cancelled} {message}")
        self._note(job_id, "fail", "done")

    def close(self) -> None:
        os.close(self._log)
        self._rows.close()

    def _note(self, job_id: int, step: str, what: str) -> None:
        os.write(self._log, f"{self._run} {job_id} {step} {what}\n".encode())
        with self._lock:
            self._lines += 1
            if self._lines == self._die_after:
                threading.Timer(self._jitter_s, os.kill, (os.getpid(), signal.SIGKILL)).start()

    def _end(self, job_id: int, how: str) -> None:
        with self._lock:
            self._rows.execute("INSERT OR IGNORE INTO ended VALUES (?, ?)", (job_id, how))
            self._rows.commit()
            self._check_all_ended()

    def _check_all_ended(self) -> None:
        if self._rows.execute("SELECT count(*) FROM ended").fetchone()[0] == self._jobs:
            self.all_ended.set()


def main(folder: str, url: str, run: str, jobs: str, die_after: str, jitter_ms: str, deadly: str) -> None:
    steps = FileSteps(Path(folder), int(run), int(jobs), int(die_after), int(jitter_ms) / 1000, int(deadly))
    settings = DbosJobSettings(url, poll_s=0.05, sweep_s=0.2, retry=RetryRule(()))
    if int(deadly):
        settings = replace(settings, workers=1, prefetch=1, max_crashes=1)
    engine = DbosJobEngine(settings)
    engine.start(steps)
    for job_id in range(1, int(jobs) + 1):
        engine.submit(job_id, 1)
    steps.all_ended.wait()
    engine.stop(60)
    steps.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
