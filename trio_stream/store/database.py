"""Reads, each in a worker thread and a transaction of its own; nothing here runs on the event loop.

A read that is cancelled is over for its caller at once. Its thread is told to stop, keeps its place until it did, and
gives its connection back without a transaction. At the end all threads are waited for before connections close.
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
from trio_stream.store.failures import Place
from trio_stream.store.migrations import Migrated, check, check_usable, upgrade

type Dialect = Literal["sqlite", "postgresql"]

log = structlog.get_logger("trio_stream.store")


@dataclass(frozen=True, slots=True)
class DatabaseStatistics:
    """Totals since the start; `reading` of at most `threads` are under way now, `longest` took so many seconds.

    `cancelled` counts reads whose caller did not wait for them, `failed` those that raised.
    """

    dialect: Dialect
    threads: int
    reading: int
    reads: int
    failed: int
    cancelled: int
    longest: float


class Database:
    """An open database; `open_database` makes it. Its changes go through a `store.writer.Writer`."""

    def __init__(self, url: URL, threads: int) -> None:
        self.place = Place(url)
        self.dialect: Dialect = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql"
        self._threads = threads
        self._limiter = trio.CapacityLimiter(threads)
        self._reading = reading_engine(url, threads)
        self._writing = writing_engine(url)
        self._reads = self._failed = self._cancelled = 0
        self._longest = 0.0
        self._closed = False

    async def read[T](self, look: Callable[[Connection], T]) -> T:
        """What `look` answers, which runs in a thread, in a transaction that sees one state and cannot write.

        What it answers must not need the connection any more: rows, not a result. Raises `StoreError`, and whatever
        `look` raises. A connection that broke while nobody used it is replaced, so `look` may run a second time.
        """
        if self._closed:
            raise StoreUnavailable(f"the database {self.place} is being closed")
        self._reads += 1
        began = trio.current_time()
        query = _Query()
        try:
            return await trio.to_thread.run_sync(
                self._look,
                look,
                query,
                abandon_on_cancel=True,
                limiter=self._limiter,
                thread_name="trio-stream read",
            )
        except trio.Cancelled:
            self._cancelled += 1
            query.interrupt()
            raise
        except Exception:
            self._failed += 1
            raise
        finally:
            self._longest = max(self._longest, trio.current_time() - began)

    def write_in_thread[T](self, change: Callable[[Connection], T]) -> T:
        """What `change` answers, once it is committed: for the writer, in its thread, one at a time."""
        with self.place.translated():
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

    def _look[T](self, look: Callable[[Connection], T], query: "_Query") -> T:
        def looking(connection: Connection) -> T:
            with query.on(connection):
                return look(connection)

        with self.place.translated():
            return _transaction(self._reading, looking)

    async def _close(self) -> None:
        self._closed = True
        with trio.move_on_after(STATEMENT_TIMEOUT + 5) as patience:
            for _ in range(self._threads):
                await self._limiter.acquire_on_behalf_of(object())
        if patience.cancelled_caught:
            log.warning("a read did not end; its connection is left to its thread", database=str(self.place))
        await trio.to_thread.run_sync(self._dispose, limiter=trio.CapacityLimiter(1))

    def _dispose(self) -> None:
        self._reading.dispose()
        self._writing.dispose()


@asynccontextmanager
async def open_database(url: str | URL, *, threads: int = 4) -> AsyncIterator[Database]:
    """The database at `url`, whose schema is the newest (see `migrate`), with at most `threads` reads at a time.

    `sqlite:////path`, or `postgresql://user:password@host/name` (`postgres://` too). Raises `StoreUnusable` where it
    cannot be used, `StoreUnavailable` where it cannot be used now, and `StoreDamaged`.
    """
    url = address(url)
    if url.get_backend_name() == "sqlite" and not await trio.Path(str(url.database)).is_file():
        raise StoreUnusable(f"the database {url.database} is not there; the server makes it when it starts")
    database = Database(url, threads)
    try:
        await database.read(lambda connection: check(connection, database.place.name))
        yield database
    finally:
        with trio.CancelScope(shield=True):
            await database._close()  # noqa: SLF001 - it is ours


async def check_database(url: str | URL) -> None:
    """Raise what `migrate` would raise for the database at `url`. Nothing is changed, and no SQLite file made."""
    url = address(url)
    if url.get_backend_name() == "sqlite" and not await trio.Path(str(url.database)).exists():
        return
    database = Database(url, 1)
    try:
        await database.read(lambda connection: check_usable(connection, database.place.name))
    finally:
        with trio.CancelScope(shield=True):
            await database._close()  # noqa: SLF001 - it is ours


async def migrate(url: str | URL) -> Migrated:
    """Bring the schema of the database at `url` to the newest, in one transaction. A SQLite file is made where none is.

    A migration that does not end well changes nothing. Raises what `open_database` raises.
    """
    return await trio.to_thread.run_sync(_migrate, address(url), limiter=trio.CapacityLimiter(1))


def _migrate(url: URL) -> Migrated:
    place = Place(url)
    create_file(url)
    engine = migrating_engine(url)
    try:
        with place.translated():
            return _transaction(engine, lambda connection: upgrade(connection, place.name))
    finally:
        engine.dispose()


def _transaction[T](engine: Engine, work: Callable[[Connection], T]) -> T:
    """What `work` answers, committed. It runs again when the pool's connection turns out to be a dead one."""
    for last in (False, True):
        committing = False
        try:
            with engine.connect() as connection, connection.begin() as transaction:
                answer = work(connection)
                committing = True
                transaction.commit()
                return answer
        except DBAPIError as error:
            # While it commits nobody knows whether it did; doing it twice would be worse than to say so.
            if last or committing or not error.connection_invalidated:
                raise
    raise AssertionError


class _Query:
    """A read under way, which another thread may interrupt: never the next one on the same connection."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._connection: Connection | None = None
        self._interrupted = False

    @contextmanager
    def on(self, connection: Connection) -> Iterator[None]:
        with self._lock:
            if self._interrupted:
                raise StoreUnavailable("nobody waits for this read any more")
            self._connection = connection
        try:
            yield
        finally:
            with self._lock:
                self._connection = None

    def interrupt(self) -> None:
        """Let the statement that runs now end early. On PostgreSQL that would take a connection: its timeout does."""
        with self._lock:
            self._interrupted = True
            if self._connection is not None and self._connection.dialect.name == "sqlite":
                # It is SQLite's own, and open as long as it is ours.
                self._connection.connection.driver_connection.interrupt()  # type: ignore[union-attr]
