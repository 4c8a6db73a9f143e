"""Engines for each dialect. An acknowledged write is on the disk: SQLite syncs its log at every commit.

A read transaction sees one state of the database from its first statement to its last, and cannot write. A write
transaction takes the lock before its first statement, so it never fails halfway because of another one.
"""

import errno
import importlib.util
import os
from pathlib import Path

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

from trio_stream.errors import StoreUnusable

LOCK_TIMEOUT = 5.0
"""Seconds to wait for a lock that another process holds."""

STATEMENT_TIMEOUT = 30.0
"""Seconds after which PostgreSQL ends a statement, so a thread that waits for one never waits longer."""

SQLITE_READING = ("query_only=1", "cache_size=-2048", "temp_store=2")
SQLITE_WRITING = (
    "journal_mode=wal",
    "synchronous=full",  # in WAL mode, `normal` may lose the last commits at a power cut
    "foreign_keys=1",
    "cache_size=-4096",  # KiB
    "temp_store=2",
    f"journal_size_limit={64 << 20}",  # bytes; a log that grew larger is truncated to this
)
"""`mmap_size` stays 0, so that a disk error raises an exception instead of killing the server with SIGBUS."""


def address(url: str | URL) -> URL:
    """The URL with the driver we use. Raises `StoreUnusable` if it is invalid or its driver is missing."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # not chained: its message might contain the password
        raise StoreUnusable(
            "the address of the database must be a URL such as sqlite:////srv/library.sqlite "
            "or postgresql://user@host/trio_stream"
        ) from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        if parsed.database in (None, "", ":memory:") or str(parsed.database).startswith("file:"):
            raise StoreUnusable("the database must be a file: sqlite:////srv/library.sqlite")
        return parsed.set(drivername="sqlite+pysqlite", query={})
    if parsed.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise StoreUnusable(f"the database must be sqlite:// or postgresql://, not {parsed.drivername}://")
    if importlib.util.find_spec("psycopg") is None:
        raise StoreUnusable("PostgreSQL needs another package: pip install 'trio-stream[postgres]'")
    return parsed.set(drivername="postgresql+psycopg")


def sqlite_address(path: Path) -> URL:
    """The address of the SQLite database at `path`, which may contain any characters."""
    return URL.create("sqlite+pysqlite", database=str(path.absolute()))


def reading_engine(url: URL, connections: int) -> Engine:
    """An engine for at most `connections` read transactions at once."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, SQLITE_READING, "BEGIN", connections)
    return _postgresql(url, connections, reading=True)


def writing_engine(url: URL) -> Engine:
    """An engine for one write transaction at a time."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, SQLITE_WRITING, "BEGIN IMMEDIATE", 1)
    return _postgresql(url, 1)


def migrating_engine(url: URL) -> Engine:
    """An engine for one transaction that may take long and may replace tables that others refer to."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, ("journal_mode=wal", "synchronous=full", "foreign_keys=0"), "BEGIN IMMEDIATE", 0)
    return _postgresql(url, 0, statement_timeout=0)


def create_file(url: URL) -> None:
    """Create the file of a SQLite database, accessible to this user only, if there is none. Raises `StoreUnusable`."""
    if url.get_backend_name() != "sqlite":
        return
    path = Path(str(url.database))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # An existing file is not opened: closing it would drop the locks of all connections of this process to it
        # (POSIX; https://www.sqlite.org/howtocorrupt.html, section 2.2).
        # SQLite gives the log the same permissions.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if not os.access(path, os.R_OK | os.W_OK):
            reason = os.strerror(errno.EACCES)
            raise StoreUnusable(f"the database {path} cannot be created or written: {reason}") from None
    except OSError as error:
        raise StoreUnusable(f"the database {path} cannot be created or written: {error.strerror}") from None


def _pool(connections: int) -> dict[str, object]:
    if not connections:
        return {"poolclass": NullPool}
    # There are as many connections as threads, so no thread ever waits for one.
    return {"poolclass": QueuePool, "pool_size": connections, "max_overflow": 0, "pool_timeout": LOCK_TIMEOUT}


def _sqlite(url: URL, pragmas: tuple[str, ...], begin: str, connections: int) -> Engine:
    engine = create_engine(
        url,
        # The driver's own transaction handling is off: it would not begin one for a read.
        connect_args={"isolation_level": None, "timeout": LOCK_TIMEOUT, "check_same_thread": False},
        hide_parameters=True,
        **_pool(connections),
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgresql(
    url: URL, connections: int, *, reading: bool = False, statement_timeout: float | None = None
) -> Engine:
    settings = {
        "statement_timeout": STATEMENT_TIMEOUT if statement_timeout is None else statement_timeout,
        "lock_timeout": LOCK_TIMEOUT,
        "idle_in_transaction_session_timeout": 2 * STATEMENT_TIMEOUT,
    }
    parameters = {"connect_timeout": "5", "tcp_user_timeout": "20000", "application_name": "trio-stream"}
    engine = create_engine(
        url,
        connect_args={name: value for name, value in parameters.items() if name not in url.query},
        hide_parameters=True,
        **_pool(connections),
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        from psycopg import IsolationLevel  # noqa: PLC0415 - an optional package, which `address` has checked for

        cursor = connection.cursor()
        for name, seconds in settings.items():
            cursor.execute(f"SET {name} = {int(seconds * 1000)}")
        cursor.close()
        connection.commit()
        if reading:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True

    return engine
