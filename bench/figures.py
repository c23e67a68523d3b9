"""How figures are summed up, and where they were taken."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """p50 and p99, in the unit given."""
    return {
        "p50": round(float(np.percentile(milliseconds, 50)), 3),
        "p99": round(float(np.percentile(milliseconds, 99)), 3),
    }


def median_ratio(theirs: Sequence[float], ours: Sequence[float]) -> float:
    """The median over rounds of theirs / ours: neighbours on the machine hurt both sides of a round alike."""
    return round(statistics.median(mine and yours / mine for yours, mine in zip(theirs, ours, strict=True)), 2)


def machine() -> dict[str, Any]:
    """When and on what: a figure without it means little."""
    model = platform.processor() or platform.machine()
    if (cpuinfo := Path("/proc/cpuinfo")).exists():
        names = [line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "load_average": load(),
    }


def load() -> float:
    """The load average over the last minute; above the number of cores somebody waits."""
    return round(os.getloadavg()[0], 2)
