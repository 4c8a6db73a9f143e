"""A library in a temporary folder, with a database, and a scanner that scans on request."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trio
from sqlalchemy import Row, select
from sqlalchemy.engine import URL

from tests.support import wait_until
from trio_stream.library.background.derived import Derived
from trio_stream.library.background.jobs import BackgroundJobs
from trio_stream.library.scan.progress import Progress, ScanRun
from trio_stream.library.scan.scanner import Scanner
from trio_stream.media.sandbox.sandbox import Sandbox
from trio_stream.store.database import Database, open_database
from trio_stream.store.tables import contents, folders, videos
from trio_stream.store.writer import Writer

WORKER = (sys.executable, "-m", "tests.library.slow_probe")


@dataclass
class Library:
    """The folder `root`, its database, and its scanner."""

    root: Path
    database: Database
    writer: Writer
    scanner: Scanner
    progress: Progress

    def background_jobs(self, sandbox: Sandbox, derived: Path) -> BackgroundJobs:
        """The background jobs of the library, without artwork; derived files go to the folder `derived`."""
        return BackgroundJobs(
            str(self.root), self.database, self.writer, sandbox, Derived(derived), self.progress, share=0
        )

    async def scan(self, *folders: str) -> ScanRun:
        return await self.scanner.scan(folders or None)

    async def rows(self) -> dict[str, Any]:
        """The present videos, by name."""
        statement = select(videos, contents.c.fingerprint, contents.c.digest).join(contents)
        rows = await self.database.read(lambda connection: connection.execute(statement).all())
        return {os.fsdecode(row.path): row for row in rows if row.missing_since is None}

    async def ids(self) -> dict[str, str]:
        return {name: row.id for name, row in (await self.rows()).items()}

    async def content(self, revision: str) -> Row[Any]:
        statement = select(contents).where(contents.c.revision == revision)
        return await self.database.read(lambda connection: connection.execute(statement).one())

    async def missing(self) -> list[str]:
        statement = select(videos.c.path).where(videos.c.missing_since.is_not(None))
        rows = await self.database.read(lambda connection: connection.scalars(statement).all())
        return sorted(os.fsdecode(path) for path in rows)

    async def folders(self) -> list[str]:
        statement = select(folders.c.path).where(folders.c.missing_since.is_(None))
        rows = await self.database.read(lambda connection: connection.scalars(statement).all())
        return sorted(os.fsdecode(path) for path in rows)

    def put(self, name: str, content: bytes = b"film") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    async def run(self, nursery: trio.Nursery) -> None:
        """Run the scanner in the background; returns after its first scan."""
        await nursery.start(self.scanner.run)
        await wait_until(lambda: self.progress.scan.ended_at is not None, 5, "the first scan to end")


@asynccontextmanager
async def open_library(root: Path, url: URL, *, settle_time: float = 0) -> AsyncIterator[Library]:
    """The library in `root`; files settle after `settle_time` seconds."""
    root.mkdir(exist_ok=True)
    progress = Progress()
    async with open_database(url) as database, trio.open_nursery() as nursery:
        writer = Writer(database)
        await nursery.start(writer.run)
        scanner = Scanner(str(root), database, writer, progress, interval=3600, settle_time=settle_time)
        yield Library(root, database, writer, scanner, progress)
        nursery.cancel_scope.cancel()


@pytest.fixture
async def library(tmp_path: Path, database_url: URL) -> AsyncIterator[Library]:
    async with open_library(tmp_path / "videos", database_url) as library:
        yield library
