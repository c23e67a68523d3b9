"""The one file that knows SQL dialects: how a connection is opened, and how a transaction runs.

Store methods are written against a synchronous connection and run whole in one thread: a method hops to a
thread once, where an async driver would hop once per statement (ADR 2).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import orjson
from sqlalchemy import JSON, Connection, Engine, String, TableValuedAlias, column, create_engine, event, func, make_url
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.elements import ColumnElement

from app.core.errors import UnavailableError

T = TypeVar("T")
BUSY_S = 30  # longest that a writer waits for another
SQLITE_THREADS = 4
SERVER_THREADS = 16
WRITE = "footnote_write"
NUL_STANDS_AS = "\ufffd"


class Database:
    """Runs functions of a connection, each as one transaction."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        threads = SQLITE_THREADS if self.is_sqlite else SERVER_THREADS
        arguments: dict[str, Any] = {"timeout": BUSY_S, "check_same_thread": False} if self.is_sqlite else {}
        options: dict[str, Any] = (
            {}
            if self.is_sqlite
            # PostgreSQL writes 1e40 as a whole number, of which orjson makes the float it was.
            else {"pool_pre_ping": True, "json_serializer": _json_without_nul, "json_deserializer": orjson.loads}
        )
        self.engine: Engine = create_engine(
            parsed,
            pool_size=threads + 4,
            max_overflow=16,
            connect_args=arguments,
            hide_parameters=True,  # errors are logged, and parameters are what people asked and were told
            **options,
        )
        if self.is_sqlite:
            event.listen(self.engine, "connect", _configure_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            event.listen(self.engine, "connect", _configure_postgresql)
        self._writing = self.engine.execution_options(**{WRITE: True})
        # One writer at a time in this process: SQLite would make the others wait by polling.
        self._writer: contextlib.AbstractContextManager[Any] = (
            threading.Lock() if self.is_sqlite else contextlib.nullcontext()
        )
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="store")

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction in the calling thread."""
        with self._writer, self._writing.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read transaction in the calling thread."""
        with self.engine.begin() as connection:
            yield connection

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` as one write transaction, blocking; raises UnavailableError when the database does not answer."""
        with _answering(), self.writing() as connection:
            return work(connection)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` as one read transaction, blocking; raises UnavailableError when the database does not answer."""
        with _answering(), self.reading() as connection:
            return work(connection)

    async def look_up(self, work: Callable[[Connection], T]) -> T:
        """Runs `work`, which reads a few rows by key.

        A local file answers such a question sooner than a thread can be woken to ask it (0.2 against 0.5 ms), and no
        writer can hold it up (WAL); a server is asked in a thread.
        """
        return self.read_now(work) if self.is_sqlite else await self.read(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` as one write transaction in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.write_now, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` as one read transaction in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.read_now, work)

    def json_texts(self, array: ColumnElement[Any]) -> TableValuedAlias:
        """The strings of a JSON array as rows with a text `value`; none where there is no array."""
        spread = func.json_each if self.is_sqlite else func.jsonb_array_elements_text
        return spread(array).table_valued(column("value", String))

    def json_objects(self, array: ColumnElement[Any]) -> TableValuedAlias:
        """The objects of a JSON array as rows with a JSON `value`."""
        spread = func.json_each if self.is_sqlite else func.jsonb_array_elements
        return spread(array).table_valued(column("value", JSON().with_variant(JSONB(), "postgresql")))

    def close(self) -> None:
        self._threads.shutdown(wait=True)
        self.engine.dispose()


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise UnavailableError("The database does not answer. `GET /v1/health` says more.") from error


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we write BEGIN ourselves; the driver's own rule breaks SELECT-then-write
    _use_wal(connection)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: Any) -> None:
    """Readers beside a writer. The change waits for nobody, whatever the time-out: of several that start at once, all
    but one are told that the file is locked, and find the work done a moment later."""
    patience = time.monotonic() + BUSY_S
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > patience:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: a transaction that reads first could otherwise fail when it writes.
    immediate = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _configure_postgresql(connection: Any, _record: Any) -> None:
    """PostgreSQL's texts cannot hold NUL, which any question may: it becomes U+FFFD, one character for one."""
    from psycopg.adapt import Dumper

    class WithoutNul(Dumper):  # type: ignore[misc]
        def dump(self, obj: str) -> bytes:
            return obj.replace("\x00", NUL_STANDS_AS).encode()

    connection.adapters.register_dumper(str, WithoutNul)


def _json_without_nul(value: Any) -> str:
    written = json.dumps(value)
    return written if "\\u0000" not in written else json.dumps(_without_nul(value))


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", NUL_STANDS_AS)
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nul(each) for each in value]
    return value
