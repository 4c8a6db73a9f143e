"""How each dialect is opened. What is acknowledged is on the disk: SQLite syncs its log at every commit.

A transaction that reads sees one state of the database from its first statement to its last, and cannot write. A
transaction that writes has the lock before its first statement, so it never fails half-way because of another one.
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
"""Seconds after which PostgreSQL gives a statement up; what waits for one ends by then, cancelled or not."""

SQLITE_READING = ("query_only=1", "cache_size=-2048", "temp_store=2")
SQLITE_WRITING = (
    "journal_mode=wal",
    "synchronous=full",  # in WAL mode `normal` may lose the last commits when the power goes
    "foreign_keys=1",
    "cache_size=-4096",  # KiB
    "temp_store=2",
    f"journal_size_limit={64 << 20}",  # bytes; a log that once grew is cut to that again
)
"""`mmap_size` stays 0: an error of the disk is an error then, and not a SIGBUS for the whole server."""


def address(url: str | URL) -> URL:
    """The URL with the driver we use. Raises `StoreUnusable` where it cannot be one, or its driver is missing."""
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):  # which might show the password
        raise StoreUnusable(
            "the address of the database is no URL such as sqlite:////srv/library.sqlite "
            "or postgresql://user@host/trio_stream"
        ) from None
    if found.drivername in ("sqlite", "sqlite+pysqlite"):
        if found.database in (None, "", ":memory:") or str(found.database).startswith("file:"):
            raise StoreUnusable("the database must be a file: sqlite:////srv/library.sqlite")
        return found.set(drivername="sqlite+pysqlite", query={})
    if found.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise StoreUnusable(f"the database must be sqlite:// or postgresql://, not {found.drivername}://")
    if importlib.util.find_spec("psycopg") is None:
        raise StoreUnusable("PostgreSQL needs one more package: pip install 'trio-stream[postgres]'")
    return found.set(drivername="postgresql+psycopg")


def sqlite_address(path: Path) -> URL:
    """The address of the SQLite database at `path`, whatever signs are in that."""
    return URL.create("sqlite+pysqlite", database=str(path.absolute()))


def reading_engine(url: URL, connections: int) -> Engine:
    """For at most so many transactions at a time that only read."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, SQLITE_READING, "BEGIN", connections)
    return _postgresql(url, connections, reading=True)


def writing_engine(url: URL) -> Engine:
    """For one transaction at a time."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, SQLITE_WRITING, "BEGIN IMMEDIATE", 1)
    return _postgresql(url, 1)


def migrating_engine(url: URL) -> Engine:
    """For one transaction that may take long, and in which tables that others refer to may be replaced."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, ("journal_mode=wal", "synchronous=full", "foreign_keys=0"), "BEGIN IMMEDIATE", 0)
    return _postgresql(url, 0, statement_timeout=0)


def create_file(url: URL) -> None:
    """Make the file of a SQLite database where there is none, for this user alone. Raises `StoreUnusable`."""
    if url.get_backend_name() != "sqlite":
        return
    path = Path(str(url.database))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A file that is there is not opened: to close it would end the locks of all connections this process has to it
        # (POSIX; https://www.sqlite.org/howtocorrupt.html, section 2.2).
        # Its log gets the same rights.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if not os.access(path, os.R_OK | os.W_OK):
            reason = os.strerror(errno.EACCES)
            raise StoreUnusable(f"the database {path} cannot be made or written: {reason}") from None
    except OSError as error:
        raise StoreUnusable(f"the database {path} cannot be made or written: {error.strerror}") from None


def _pool(connections: int) -> dict[str, object]:
    if not connections:
        return {"poolclass": NullPool}
    # There are as many as threads that may ask, so nobody ever waits for one.
    return {"poolclass": QueuePool, "pool_size": connections, "max_overflow": 0, "pool_timeout": LOCK_TIMEOUT}


def _sqlite(url: URL, pragmas: tuple[str, ...], begin: str, connections: int) -> Engine:
    engine = create_engine(
        url,
        # The driver's own idea of transactions is off: it would not open one to read.
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
    asked = {"connect_timeout": "5", "tcp_user_timeout": "20000", "application_name": "trio-stream"}
    engine = create_engine(
        url,
        connect_args={name: value for name, value in asked.items() if name not in url.query},
        hide_parameters=True,
        **_pool(connections),
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        from psycopg import IsolationLevel  # noqa: PLC0415 - an extra: where it is missing, `address` said so

        cursor = connection.cursor()
        for name, seconds in settings.items():
            cursor.execute(f"SET {name} = {int(seconds * 1000)}")
        cursor.close()
        connection.commit()
        if reading:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True

    return engine
