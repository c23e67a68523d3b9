"""Threads that run only when nothing else wants the processor."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress


def usable_cores() -> int:
    """The cores this process may run on, at least 1."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def foreground_pool(threads: int) -> ThreadPoolExecutor:
    """Threads of ordinary priority; none starts before it is needed."""
    return ThreadPoolExecutor(threads, thread_name_prefix="embed")


def background_pool(threads: int) -> ThreadPoolExecutor:
    """Threads that yield to every other one on the machine; none starts before it is needed."""
    return ThreadPoolExecutor(threads, thread_name_prefix="embed-background", initializer=yield_to_others)


def yield_to_others() -> None:
    """Lowers the calling thread: SCHED_IDLE, else nice 19, else nothing (other systems lower whole processes only)."""
    if sys.platform != "linux":
        return
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # 0 is the calling thread
    except OSError:  # a sandbox may forbid it
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
