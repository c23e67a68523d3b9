"""Reads files in separate, bounded processes: a hostile file ends its process, never the service."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import ingest
from ingest.parse_protocol import Message, MessageTooLongError, receive, send, text_from_message
from ingest.types import CanonicalText, UnreadableFileError, UnsupportedFileError

_FILES_PER_PROCESS = 200  # then a fresh one, for what libraries leak
_BYTES_PER_CHARACTER = 16  # of a reply, with its spans


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """What reading one file may take."""

    seconds: float = 120  # by the clock, and of processor time
    memory_bytes: int = 2 << 30  # address space beyond that of an idle process
    output_chars: int = 50_000_000


class ParserClosedError(Exception):
    """The pool was closed before the file was read; the file has no fault."""


class ParserPool:
    """Up to `processes` reader processes, started when needed and kept. Thread-safe."""

    def __init__(self, processes: int = 1, limits: ParseLimits | None = None) -> None:
        self._limits = limits or ParseLimits()
        self._closed = threading.Event()
        self._slots: queue.LifoQueue[_Process | None] = queue.LifoQueue()  # the last used is warm
        self._running: set[_Process] = set()
        self._lock = threading.Lock()
        for _ in range(processes):
            self._slots.put(None)

    def parse(self, path: Path, name: str) -> CanonicalText:
        """The canonical text of the file at `path`, which its owner calls `name`. Blocks, in turn if all are busy.

        Raises UnsupportedFileError or UnreadableFileError, naming the file and any limit it hit; ParserClosedError.
        """
        process = self._slots.get()
        try:
            if process is None or not process.is_fresh:  # it may have ended since
                self._stop(process)
                process = self._start()
            reply = process.ask({"path": str(path.absolute()), "name": name}, self._limits)
            if reply is None:
                raise self._death(process, name)
            if reply.get("failure") == "memory":
                self._stop(process)  # what is left of its memory would fail the next file
            if "failure" in reply:
                raise self._failure(reply, name)
            return text_from_message(reply)
        except MessageTooLongError as error:
            self._stop(process)
            raise UnreadableFileError(f"{name} has too much text to be stored: split it.") from error
        finally:
            kept = process is not None and process.is_fresh and not self._closed.is_set()
            if not kept:
                self._stop(process)
            self._slots.put(process if kept else None)

    def close(self) -> None:
        """Ends all processes; files being read get ParserClosedError."""
        self._closed.set()
        with self._lock:
            running = list(self._running)
        for process in running:
            self._stop(process)

    def _start(self) -> _Process:
        with self._lock:
            if self._closed.is_set():
                raise ParserClosedError
            process = _Process(self._limits)
            self._running.add(process)
            return process

    def _stop(self, process: _Process | None) -> None:
        if process is not None:
            process.kill()
            with self._lock:
                self._running.discard(process)

    def _death(self, process: _Process, name: str) -> Exception:
        """Why a process ended without an answer."""
        if self._closed.is_set():
            return ParserClosedError()
        if process.timed_out or process.exit_code == -getattr(signal, "SIGXCPU", 0):
            return UnreadableFileError(f"{name} takes longer than {self._limits.seconds:g} s to read: split it.")
        limit = self._limits.memory_bytes >> 20
        return UnreadableFileError(
            f"{name} made its reader crash (it is damaged, or needs more than {limit} MiB of memory): export it again."
        )

    def _failure(self, reply: Message, name: str) -> Exception:
        match reply["failure"]:
            case "unsupported":
                return UnsupportedFileError(reply["message"])
            case "memory":
                limit = self._limits.memory_bytes >> 20
                return UnreadableFileError(f"{name} needs more than {limit} MiB of memory to read: split it.")
            case _:
                return UnreadableFileError(reply["message"])


class _Process:
    """One reader process; used by one thread at a time, but killed by any."""

    def __init__(self, limits: ParseLimits) -> None:
        arguments = (limits.seconds, limits.memory_bytes, limits.output_chars)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ingest.parse_worker", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the service, which then closes the pool
        )
        self._requests = cast(BinaryIO, self._process.stdin)
        self._replies = cast(BinaryIO, self._process.stdout)
        self._files = 0
        self.timed_out = False

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def is_fresh(self) -> bool:
        return self.is_alive and not self.timed_out and self._files < _FILES_PER_PROCESS

    @property
    def exit_code(self) -> int:
        """Negative: the signal that ended it. Waits for the end."""
        return self._process.wait()

    def ask(self, request: Message, limits: ParseLimits) -> Message | None:
        """The answer, or None if the process ended instead."""
        self._files += 1
        timer = threading.Timer(limits.seconds, self._time_out)
        timer.daemon = True
        timer.start()
        try:
            send(self._requests, request)
            return receive(self._replies, _BYTES_PER_CHARACTER * limits.output_chars + (1 << 20))
        except (BrokenPipeError, ValueError):  # ValueError: closed by kill() meanwhile
            return None
        finally:
            timer.cancel()
            timer.join()  # should it be killing the process just now, let that be known

    def _time_out(self) -> None:
        self.timed_out = True
        self._process.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._requests, self._replies):
            with suppress(OSError):  # a request that was never sent
                stream.close()


def _environment() -> dict[str, str]:
    """Enough to find Python's packages; nothing of the service's, whose environment holds keys."""
    paths = [str(Path(ingest.__file__ or "").parent.parent), os.environ.get("PYTHONPATH", "")]
    environment = {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",  # numpy comes along with the types; its threads would take address space
    }
    for needed in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "PYTHONHOME"):
        if needed in os.environ:
            environment[needed] = os.environ[needed]
    return environment
