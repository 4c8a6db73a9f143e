"""Faults of a server's data: it is locked, missing or read-only, its disk is full, or its connections are closed.

`away` renames the folder, and makes its parent read-only, so no new folder can be created: this is like a disk that is
not mounted. Removing only the database file would not be fair, because no server can save what is written to a file
without a name. `read_only` changes the modes of the files and folders. Open files stay writable, as Linux does not make
a disk read-only while a file on it is open for writing.
"""

import errno
import os
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import trio
from sqlalchemy.engine import make_url

from tests.torturing.faults import Fault, NotPossible
from tests.torturing.promises import Data
from trio_stream.services import DATABASE

if TYPE_CHECKING:
    import psycopg

MAX_LOCK = 25.0
"""The longest time for which a database is locked, in seconds."""

TABLES = ("videos", "contents", "playheads")


class DataFaults:
    """Faults of `data`. `disk` is the parent of its folder; `bounded` says that it is a separate small disk."""

    def __init__(
        self,
        data: Data,
        disk: Path,
        chance: random.Random,
        *,
        bounded: bool,
    ) -> None:
        self._data = data
        self._disk = disk
        self._chance = chance
        self._bounded = bounded

    def all(self) -> list[Fault]:
        found = [
            Fault("database locked", self.locked, longest=MAX_LOCK, group="data"),
            Fault("data away", self.away, group="data"),
            Fault("data read only", self.read_only, group="data"),
        ]
        if self._bounded:
            found.append(Fault("disk full", self.full, longest=12, group="data"))
        if self._data.database_url:
            found.append(Fault("connections closed", self.close_connections, group="data"))
        return found

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        with closing(await trio.to_thread.run_sync(self._lock)):
            yield

    def _lock(self) -> "sqlite3.Connection | psycopg.Connection":
        """A connection with a transaction that blocks all others."""
        if self._data.database_url:
            return self._lock_table(self._chance.choice(TABLES))
        try:
            connection = sqlite3.connect(
                f"{(self._data.folder / DATABASE).as_uri()}?mode=rw",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            raise NotPossible from None
        return connection

    def _lock_table(self, table: str) -> "psycopg.Connection":
        import psycopg  # noqa: PLC0415 - needed only for PostgreSQL

        try:
            connection = psycopg.connect(self._psycopg_url())
            connection.execute("SET lock_timeout = '5s'")
            connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        except psycopg.Error:
            raise NotPossible from None
        return connection

    def _psycopg_url(self) -> str:
        return make_url(self._data.url).set(drivername="postgresql").render_as_string(hide_password=False)

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        folder = self._data.folder
        other = folder.with_name("elsewhere")
        folder.rename(other)
        self._disk.chmod(0o555)
        try:
            yield
        finally:
            self._disk.chmod(0o755)
            other.rename(folder)

    @asynccontextmanager
    async def read_only(self) -> AsyncIterator[None]:
        before: dict[Path, int] = {}
        for path in [self._data.folder, *self._data.folder.rglob("*")]:
            with suppress(FileNotFoundError):
                before[path] = path.lstat().st_mode & 0o7777
                path.chmod(before[path] & 0o555)
        try:
            yield
        finally:
            for path, mode in before.items():
                with suppress(FileNotFoundError):
                    path.chmod(mode)

    @asynccontextmanager
    async def full(self) -> AsyncIterator[None]:
        filler = self._disk / "filler"
        with filler.open("wb", buffering=0) as file:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_fill, file.fileno())
                try:
                    yield
                finally:
                    filler.unlink()
                nursery.cancel_scope.cancel()

    @asynccontextmanager
    async def close_connections(self) -> AsyncIterator[None]:
        import psycopg  # noqa: PLC0415 - needed only for PostgreSQL

        try:
            with psycopg.connect(self._psycopg_url(), autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        except psycopg.Error:
            raise NotPossible from None
        yield


async def _fill(file: int) -> None:
    """Fill the disk, and fill it again whenever space becomes free."""
    block = bytes(1 << 20)
    while True:
        size = len(block)
        while size:
            try:
                os.write(file, block[:size])
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                size //= 16
        await trio.sleep(0.05)
