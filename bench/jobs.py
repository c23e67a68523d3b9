"""What durable jobs cost, and what a kill costs: `python bench/jobs.py [--url URL] [--jobs N] [--kills N]`.

Prints start-up, idle load, cost of an empty job of three steps and of each further step; then kills a worker
process at seeded random moments and counts the jobs that were lost (must be none) and the steps that ran twice.
Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

CHILD = Path(__file__).parents[1] / "tests" / "store" / "jobs_child.py"


class EmptySteps:
    """Steps without work: what is left is the engine's own cost."""

    def __init__(self, batches: int) -> None:
        self._batches = batches
        self.published = threading.Semaphore(0)

    def parse(self, job_id: int) -> int:
        return self._batches

    def embed(self, job_id: int, batch: int) -> int:
        return 1

    def publish(self, job_id: int) -> None:
        self.published.release()

    def fail(self, job_id: int, message: str, *, cancelled: bool = False) -> None:
        raise AssertionError(message)


class Clock:
    """Seconds of wall clock and of CPU of this process since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), _cpu_s()

    def ms(self, per: int = 1) -> str:
        return f"{self.wall_s / per * 1e3:.1f} ms, CPU {(_cpu_s() - self._cpu) / per * 1e3:.1f} ms"

    @property
    def wall_s(self) -> float:
        return time.perf_counter() - self._wall

    @property
    def load(self) -> float:
        return (_cpu_s() - self._cpu) / self.wall_s


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def cost(url: str, jobs: int, idle_s: float) -> None:
    from app.providers.dbos_jobs import DbosJobEngine, DbosJobSettings

    clock = Clock()
    import dbos  # noqa: F401

    print(f"import dbos: {clock.ms()}")
    for attempt, batches in enumerate((1, 21)):
        engine, steps, clock = DbosJobEngine(DbosJobSettings(url)), EmptySteps(batches), Clock()
        engine.start(steps)
        print(f"start: {clock.ms()}")
        if batches == 1:
            threading.Event().wait(65)  # for a minute after its start DBOS looks for schedules every second
            clock = Clock()
            threading.Event().wait(idle_s)
            print(f"idle, polling every {DbosJobSettings(url).poll_s} s: {clock.load:.2%} of a core")
        clock = Clock()
        for job in range(jobs):
            engine.submit(job, attempt)
        print(f"submit: {clock.ms(jobs)} a job")
        for _ in range(jobs):
            steps.published.acquire()
        print(f"{jobs} empty jobs of {batches + 2} steps, submit included: {clock.ms(jobs)} a job")
        clock = Clock()
        engine.stop(60)
        print(f"stop: {clock.ms()}")


def kill(url: str, jobs: int, kills: int, folder: Path) -> None:
    chance = random.Random(1)
    env = os.environ | {"PYTHONPATH": str(CHILD.parents[2])}
    for run in range(kills):
        dies = [chance.randint(3, max(4, jobs * 7 // (kills + 1))), chance.randint(0, 15)]
        numbers = [str(number) for number in (run, jobs, *dies, 0)]
        done = subprocess.run([sys.executable, str(CHILD), str(folder), url, *numbers], env=env)
        assert done.returncode in {-signal.SIGKILL, 0}
    numbers = [str(number) for number in (kills, jobs, 0, 0, 0)]
    subprocess.run([sys.executable, str(CHILD), str(folder), url, *numbers], env=env, check=True)
    steps = Counter(
        (job, step)
        for _, job, step, what in map(str.split, (folder / "log").read_text().splitlines())
        if what == "start"
    )
    ended = {job for job, step in steps if step in {"publish", "fail"}}
    twice = sum(times - 1 for times in steps.values())
    print(f"{kills} kills over {jobs} jobs: {jobs - len(ended)} lost, {twice} of {len(steps)} steps ran again")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="the jobs' database; by default a new SQLite file")
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--idle-s", type=float, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cost(given.url or f"sqlite:///{folder}/cost.sqlite", given.jobs, given.idle_s)
        kill(given.url or f"sqlite:///{folder}/kill.sqlite", given.jobs, given.kills, Path(folder))


if __name__ == "__main__":
    main()
