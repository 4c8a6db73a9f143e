"""A library in a folder of its own, with its database, and a scanner that looks when it is told."""

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

WORKER = (sys.executable, "-m", "tests.library.patient")


@dataclass
class Library:
    """The folder `root`, what is known of it, and who looks at it."""

    root: Path
    database: Database
    writer: Writer
    scanner: Scanner
    progress: Progress

    def background_jobs(self, sandbox: Sandbox, derived: Path) -> BackgroundJobs:
        """Who makes what there is to be made of it, in the folder `derived`; but no pictures."""
        return BackgroundJobs(
            str(self.root), self.database, self.writer, sandbox, Derived(derived), self.progress, share=0
        )

    async def scan(self, *folders: str) -> ScanRun:
        return await self.scanner.scan(folders or None)

    async def rows(self) -> dict[str, Any]:
        """The videos that are there, by name."""
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
        """Let the scanner look by itself from now on; what there is now it has seen when this returns."""
        await nursery.start(self.scanner.run)
        await wait_until(lambda: self.progress.scan.ended_at is not None, 5, "the first look to end")


@asynccontextmanager
async def open_library(root: Path, url: URL, *, settle_time: float = 0) -> AsyncIterator[Library]:
    """The library in `root`; files count as resting after `settle_time` seconds."""
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
