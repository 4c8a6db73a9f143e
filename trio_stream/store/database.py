"""Reads, each in its own worker thread and transaction. No query runs on the event loop.

A cancelled read ends at once for its caller. Its thread keeps its slot until the statement has stopped, and returns its
connection without an open transaction. Closing waits for all threads before it closes connections.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Literal

import structlog
import trio
from sqlalchemy import Connection
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError

from trio_stream.errors import StoreUnavailable, StoreUnusable
from trio_stream.store.engines import (
    STATEMENT_TIMEOUT,
    address,
    create_file,
    migrating_engine,
    reading_engine,
    writing_engine,
)
from trio_stream.store.failures import DatabaseLabel
from trio_stream.store.migrations import Migrated, check, check_usable, upgrade

type Dialect = Literal["sqlite", "postgresql"]

log = structlog.get_logger("trio_stream.store")


@dataclass(frozen=True, slots=True)
class DatabaseStatistics:
    """Totals since the start. `reading` reads are running now, at most `threads`; `longest` is in seconds.

    `cancelled` counts reads whose caller was cancelled, `failed` those that raised.
    """

    dialect: Dialect
    threads: int
    reading: int
    reads: int
    failed: int
    cancelled: int
    longest: float


class Database:
    """An open database, from `open_database`. Its changes go through a `store.writer.Writer`."""

    def __init__(self, url: URL, threads: int) -> None:
        self.label = DatabaseLabel(url)
        self.dialect: Dialect = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql"
        self._threads = threads
        self._limiter = trio.CapacityLimiter(threads)
        self._reading = reading_engine(url, threads)
        self._writing = writing_engine(url)
        self._reads = self._failed = self._cancelled = 0
        self._longest = 0.0
        self._closed = False

    async def read[T](self, query: Callable[[Connection], T]) -> T:
        """Run `query` in a thread, in a transaction that sees a single state and cannot write; return its result.

        The result must not need the connection any more: return rows, not a `Result`. Raises `StoreError`, and what
        `query` raises. A connection that broke while it was idle is replaced, so `query` may run a second time.
        """
        if self._closed:
            raise StoreUnavailable(f"the database {self.label} is being closed")
        self._reads += 1
        started = trio.current_time()
        running_query = _RunningQuery()
        try:
            return await trio.to_thread.run_sync(
                self._read_in_thread,
                query,
                running_query,
                abandon_on_cancel=True,
                limiter=self._limiter,
                thread_name="trio-stream read",
            )
        except trio.Cancelled:
            self._cancelled += 1
            running_query.interrupt()
            raise
        except Exception:
            self._failed += 1
            raise
        finally:
            self._longest = max(self._longest, trio.current_time() - started)

    def write_in_thread[T](self, change: Callable[[Connection], T]) -> T:
        """Run `change`, commit, and return its result. For the writer, in its thread, one at a time."""
        with self.label.translate_errors():
            return _transaction(self._writing, change)

    def statistics(self) -> DatabaseStatistics:
        """The totals."""
        return DatabaseStatistics(
            dialect=self.dialect,
            threads=self._threads,
            reading=self._limiter.borrowed_tokens,
            reads=self._reads,
            failed=self._failed,
            cancelled=self._cancelled,
            longest=self._longest,
        )

    def _read_in_thread[T](self, query: Callable[[Connection], T], running_query: "_RunningQuery") -> T:
        def run_query(connection: Connection) -> T:
            with running_query.on(connection):
                return query(connection)

        with self.label.translate_errors():
            return _transaction(self._reading, run_query)

    async def _close(self) -> None:
        self._closed = True
        with trio.move_on_after(STATEMENT_TIMEOUT + 5) as scope:
            for _ in range(self._threads):
                await self._limiter.acquire_on_behalf_of(object())
        if scope.cancelled_caught:
            log.warning("a read did not end; its connection stays open", database=str(self.label))
        await trio.to_thread.run_sync(self._dispose, limiter=trio.CapacityLimiter(1))

    def _dispose(self) -> None:
        self._reading.dispose()
        self._writing.dispose()


@asynccontextmanager
async def open_database(url: str | URL, *, threads: int = 4) -> AsyncIterator[Database]:
    """Open the database at `url`, whose schema must be the newest (see `migrate`). At most `threads` reads run at once.

    `sqlite:////path`, or `postgresql://user:password@host/name` (`postgres://` too). Raises `StoreUnusable` if it
    cannot be used, `StoreUnavailable` if it cannot be used now, or `StoreDamaged`.
    """
    url = address(url)
    if url.get_backend_name() == "sqlite" and not await trio.Path(str(url.database)).is_file():
        raise StoreUnusable(
            f"the database {url.database} does not exist; the server creates it when it starts"
        )
    database = Database(url, threads)
    try:
        await database.read(lambda connection: check(connection, str(database.label)))
        yield database
    finally:
        with trio.CancelScope(shield=True):
            await database._close()  # noqa: SLF001 - created here


async def check_database(url: str | URL) -> None:
    """Raise what `migrate` would raise for the database at `url`. Changes nothing and creates no SQLite file."""
    url = address(url)
    if url.get_backend_name() == "sqlite" and not await trio.Path(str(url.database)).exists():
        return
    database = Database(url, 1)
    try:
        await database.read(lambda connection: check_usable(connection, str(database.label)))
    finally:
        with trio.CancelScope(shield=True):
            await database._close()  # noqa: SLF001 - created here


async def migrate(url: str | URL) -> Migrated:
    """Migrate the database at `url` to the newest schema, in one transaction. Creates a missing SQLite file.

    A failed migration changes nothing. Raises what `open_database` raises.
    """
    return await trio.to_thread.run_sync(_migrate, address(url), limiter=trio.CapacityLimiter(1))


def _migrate(url: URL) -> Migrated:
    label = DatabaseLabel(url)
    create_file(url)
    engine = migrating_engine(url)
    try:
        with label.translate_errors():
            return _transaction(engine, lambda connection: upgrade(connection, str(label)))
    finally:
        engine.dispose()


def _transaction[T](engine: Engine, work: Callable[[Connection], T]) -> T:
    """Run `work`, commit, and return its result. It runs again if the pooled connection turns out to be dead."""
    for is_last_attempt in (False, True):
        committing = False
        try:
            with engine.connect() as connection, connection.begin() as transaction:
                result = work(connection)
                committing = True
                transaction.commit()
                return result
        except DBAPIError as error:
            # A commit that fails may still have happened. Running it twice would be worse than raising.
            if is_last_attempt or committing or not error.connection_invalidated:
                raise
    raise AssertionError


class _RunningQuery:
    """A running read. Another thread may interrupt it, but never the next read on the same connection."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._connection: Connection | None = None
        self._interrupted = False

    @contextmanager
    def on(self, connection: Connection) -> Iterator[None]:
        with self._lock:
            if self._interrupted:
                raise StoreUnavailable("this read was cancelled")
            self._connection = connection
        try:
            yield
        finally:
            with self._lock:
                self._connection = None

    def interrupt(self) -> None:
        """Interrupt the running statement. On PostgreSQL that would need another connection; its timeout ends it."""
        with self._lock:
            self._interrupted = True
            if self._connection is not None and self._connection.dialect.name == "sqlite":
                # This is the `sqlite3` connection, which stays open while we hold it.
                self._connection.connection.driver_connection.interrupt()  # type: ignore[union-attr]
