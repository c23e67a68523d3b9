"""Confines the calling process for good: no network, no writing, little of everything else.

What the operating system does not offer is left out; Linux offers all of it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_OPEN_FILES = 64
_FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.kill")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def leave_network() -> None:
    """Moves the process into a network of its own, where nothing else is, if that is permitted.

    To be called before any thread is started: a process with threads may not.
    """
    if sys.platform == "linux":
        unshare = getattr(ctypes.CDLL(None), "unshare", None)
        if unshare is not None and unshare(_CLONE_NEWNET) != 0:
            unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def yield_to_others() -> None:
    """Lets the process run only when nothing else wants the processor."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    if sys.platform != "win32":
        with suppress(OSError):
            os.nice(19)


def forbid_side_effects() -> None:
    """From now on Python code that opens a socket, starts a process or writes a file gets PermissionError."""

    def guard(event: str, args: tuple[object, ...]) -> None:
        if event == "open":
            flags = args[2]
            if isinstance(flags, int) and flags & _WRITING:
                raise PermissionError("a reader writes no files")
        elif event.startswith(_FORBIDDEN):
            raise PermissionError(f"a reader does no {event}")

    sys.addaudithook(guard)


def limit_files() -> None:
    """Few open files, none that grows, no core files."""
    if sys.platform == "win32":
        return
    import resource

    for which, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        with suppress(ValueError, OSError):
            resource.setrlimit(which, (value, value))


def limit_memory(more_bytes: int) -> None:
    """Lets the process take this much address space beyond what it has now."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = _address_space() + more_bytes
    with suppress(ValueError, OSError):  # macOS refuses, and a lower limit set from outside stays
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def limit_processor_time(more_seconds: float) -> None:
    """Ends the process (SIGXCPU) when it has computed for this much longer than it has now."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + more_seconds) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _address_space() -> int:
    """Bytes of address space the process has; 0 where /proc does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
