"""Derived files are complete or absent, and are removed only if they are unused and not new."""

import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from sqlalchemy import Connection, insert, select
from sqlalchemy.engine import URL

from tests.support import wait_until
from trio_stream.errors import DerivedNotFound
from trio_stream.library.background.derived import SWEEP_AGE, Derived
from trio_stream.library.background.sweeping import Sweeper
from trio_stream.library.scan.progress import Progress
from trio_stream.store.database import open_database
from trio_stream.store.tables import contents, folders, presentations, videos
from trio_stream.store.writer import Writer


def track(number: int) -> bytes:
    return f"WEBVTT\n\n{number}\n".encode()


def grow_old(path: Path) -> None:
    then = time.time() - SWEEP_AGE - 1
    os.utime(path, (then, then))


def partial_file(folder: Path, name: str) -> Path:
    """The file that a process leaves if it is killed while writing."""
    path = folder / name[:2] / f".{name}.making"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"WEB")
    return path


async def test_a_sweep_removes_old_unused_files(tmp_path: Path) -> None:
    derived = Derived(tmp_path)
    names = [await derived.put(track(number), "vtt") for number in range(4)]
    wanted, unwanted, young, _ = (derived.path(name, "vtt") for name in names)
    old, new = partial_file(tmp_path, "ab1"), partial_file(tmp_path, "ab2")
    for path in (wanted, unwanted, old):
        grow_old(path)
    (tmp_path / "other.txt").write_text("no folder")
    assert await derived.sweep(lambda: {names[0]}) == 2
    assert (wanted.exists(), unwanted.exists(), young.exists()) == (True, False, True)
    assert (old.exists(), new.exists()) == (False, True)
    with pytest.raises(DerivedNotFound):
        await derived.open(names[1], "vtt")


async def test_a_file_stored_during_a_sweep_stays(tmp_path: Path) -> None:
    """Also if an earlier process stored the same file and was killed before it wrote its row."""
    derived = Derived(tmp_path)
    name = await derived.put(track(0), "vtt")
    grow_old(derived.path(name, "vtt"))
    requested, stored = threading.Event(), threading.Event()

    def wanted() -> set[str]:
        requested.set()
        stored.wait(5)
        return set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(derived.sweep, wanted)
        await wait_until(requested.is_set, 5, "the sweep to request the wanted files")
        assert await derived.put(track(0), "vtt") == name
        other = await derived.put(track(1), "vtt")
        stored.set()
    assert derived.path(name, "vtt").read_bytes() == track(0)
    assert derived.path(other, "vtt").exists()


async def test_an_existing_file_is_not_written_again(tmp_path: Path) -> None:
    """So a file that is being sent stays unchanged. An old one is replaced, which does not affect open streams."""
    derived = Derived(tmp_path)
    path = derived.path(await derived.put(track(0), "vtt"), "vtt")
    before = path.stat()
    await derived.put(track(0), "vtt")
    assert path.stat() == before
    grow_old(path)
    with path.open("rb") as file:
        await derived.put(track(0), "vtt")
        assert os.fstat(file.fileno()).st_ino != path.stat().st_ino


@asynccontextmanager
async def sweeping(
    folder: Path, url: URL, interval: float
) -> AsyncIterator[tuple[Derived, Progress, Writer]]:
    derived, progress = Derived(folder), Progress()
    async with open_database(url) as database, trio.open_nursery() as nursery:
        writer = Writer(database)
        await nursery.start(writer.run)
        await nursery.start(Sweeper(database, writer, derived, progress, interval=interval).run)
        yield derived, progress, writer
        nursery.cancel_scope.cancel()


def full_scan_done(progress: Progress) -> None:
    progress.full_scans += 1
    progress.changed()


async def test_a_sweep_follows_the_first_full_scan_but_not_every_scan(
    tmp_path: Path, database_url: URL
) -> None:
    async with sweeping(tmp_path, database_url, 3600) as (derived, progress, writer):
        name = await derived.put(track(0), "vtt")
        poster = await derived.put(b"\xff\xd8\xff\xff\xd9", "jpg")
        row = {"revision": "r", "size": 1, "mtime_ns": 1, "fingerprint": "f", "poster": poster}
        await writer.write(lambda connection: connection.execute(insert(contents).values(row)).close())
        for path in (derived.path(name, "vtt"), derived.path(poster, "jpg")):
            grow_old(path)
        progress.changed()
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert derived.path(name, "vtt").exists(), "no full scan yet"
        full_scan_done(progress)
        await wait_until(lambda: not derived.path(name, "vtt").exists(), 5, "the sweep")
        assert derived.path(poster, "jpg").exists()
        grow_old(partial := partial_file(tmp_path, "ab"))
        full_scan_done(progress)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert partial.exists(), "not before the interval"


async def test_the_presentation_of_a_missing_video_is_deleted(tmp_path: Path, database_url: URL) -> None:
    """A present video keeps it; a missing one gets a new one if it returns."""

    def fill(connection: Connection) -> None:
        common = {"size": 1, "mtime_ns": 1}
        folder = {"number": 1, "path": b"", "place": "", "name_key": b""}
        connection.execute(insert(folders).values(folder))
        for number, (revision, missing) in enumerate({"there": None, "missing": 7, "gone": None}.items()):
            connection.execute(insert(contents).values(revision=revision, fingerprint="f", **common))
            connection.execute(insert(presentations).values(revision=revision, packed=b"1"))
            if revision != "gone":
                row = {"id": revision, "path": b"", "place": revision, "folder": 1, "missing_since": missing}
                keys = {"sort_key": b"", "title": "", "title_key": b"", "signature": "", "added_at": 1}
                connection.execute(
                    insert(videos).values(number=number, revision=revision, **row, **keys, **common)
                )

    async with sweeping(tmp_path, database_url, 0) as (_, progress, writer):
        await writer.write(fill)
        full_scan_done(progress)

        async def remaining() -> list[str]:
            statement = select(presentations.c.revision).order_by("revision")
            return list(await writer.write(lambda connection: connection.scalars(statement).all()))

        with trio.fail_after(60):
            while await remaining() != ["there"]:
                await trio.lowlevel.checkpoint()


async def test_lost_derived_files_are_generated_again(tmp_path: Path, database_url: URL) -> None:
    async with sweeping(tmp_path, database_url, 0) as (derived, progress, writer):
        poster = await derived.put(b"\xff\xd8\xff\xff\xd9", "jpg")
        row = {"size": 1, "mtime_ns": 1, "fingerprint": "f", "state": "probed", "artwork": "made"}
        rows = [
            row | {"revision": "whole", "poster": poster, "sprites": None},
            row | {"revision": "no poster", "poster": "0" * 32, "sprites": None},
            row | {"revision": "no sheet", "poster": poster, "sprites": '{"files": ["1"]}'},
        ]
        await writer.write(lambda connection: connection.execute(insert(contents), rows).close())
        full_scan_done(progress)

        async def waiting() -> list[str]:
            statement = (
                select(contents.c.revision).where(contents.c.artwork == "waiting").order_by("revision")
            )
            return list(await writer.write(lambda connection: connection.scalars(statement).all()))

        with trio.fail_after(60):
            while await waiting() != ["no poster", "no sheet"]:
                await trio.lowlevel.checkpoint()
