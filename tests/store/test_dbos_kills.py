"""Worker processes killed at random moments: no job is lost, and no step but the one in flight runs again."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import sqlite3
import subprocess
import sys
import uuid
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

LONG_S = 120
ORDER = {step: place for place, step in enumerate(["parse", "embed0", "embed1", "publish", "fail"])}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, database_url: Callable[[str, str], str]) -> str:
    """Of a database that is new."""
    return database_url(request.param, f"kills_{uuid.uuid4().hex}")


def test_a_job_that_kills_its_process_is_given_up_in_the_end(url: str, tmp_path: Path) -> None:
    exits = [run_child(tmp_path, url, run=run, jobs=5, deadly=3).returncode for run in range(3)]
    assert exits == [-9, -9, 0]
    assert how_jobs_ended(tmp_path) == {
        **dict.fromkeys((1, 2, 4, 5), "published"),
        3: "False The service died too often while it worked on this. Check memory, then retry.",
    }


@pytest.mark.slow
def test_kills_lose_no_job_and_repeat_only_the_step_in_flight(url: str, tmp_path: Path) -> None:
    jobs, kills, chance = 30, 8, random.Random(20261122)
    for run in range(kills):
        die_after, jitter_ms = chance.randint(3, 28), chance.randint(0, 15)
        assert run_child(tmp_path, url, run=run, jobs=jobs, die_after=die_after, jitter_ms=jitter_ms).returncode == -9
    last = run_child(tmp_path, url, run=kills, jobs=jobs)
    assert (last.returncode, last.stderr) == (0, b"")
    assert how_jobs_ended(tmp_path) == {
        job: "published" if job % 7 else "False The file is damaged." for job in range(1, jobs + 1)
    }

    started: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for line in (tmp_path / "log").read_text().splitlines():
        in_run, job, step, what = line.split()
        if what == "start":
            started[int(job)].append((int(in_run), step))
    for steps in started.values():
        for (before, step), (after, next_step) in itertools.pairwise(steps):
            again_in_flight = after > before and next_step == step
            assert ORDER[next_step] > ORDER[step] or again_in_flight, steps


def run_child(
    folder: Path, url: str, *, run: int, jobs: int, die_after: int = 0, jitter_ms: int = 0, deadly: int = 0
) -> subprocess.CompletedProcess[bytes]:
    numbers = [str(number) for number in (run, jobs, die_after, jitter_ms, deadly)]
    program = str(Path(__file__).with_name("jobs_child.py"))
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [sys.executable, program, str(folder), url, *numbers], env=env, timeout=LONG_S, capture_output=True
    )


def how_jobs_ended(folder: Path) -> dict[int, str]:
    with contextlib.closing(sqlite3.connect(folder / "rows.sqlite")) as rows:
        return dict(rows.execute("SELECT job, how FROM ended").fetchall())
