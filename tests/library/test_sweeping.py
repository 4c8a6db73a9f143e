"""What was made is there whole or not at all, and goes only when nobody needs it and nobody has just made it."""

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


def half_made(folder: Path, name: str) -> Path:
    """What a process leaves that is killed while it writes."""
    path = folder / name[:2] / f".{name}.making"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"WEB")
    return path


async def test_a_sweep_takes_what_is_old_and_not_wanted(tmp_path: Path) -> None:
    derived = Derived(tmp_path)
    names = [await derived.put(track(number), "vtt") for number in range(4)]
    wanted, unwanted, young, _ = (derived.path(name, "vtt") for name in names)
    old, new = half_made(tmp_path, "ab1"), half_made(tmp_path, "ab2")
    for path in (wanted, unwanted, old):
        grow_old(path)
    (tmp_path / "somebody's.txt").write_text("no folder")
    assert await derived.sweep(lambda: {names[0]}) == 2
    assert (wanted.exists(), unwanted.exists(), young.exists()) == (True, False, True)
    assert (old.exists(), new.exists()) == (False, True)
    with pytest.raises(DerivedNotFound):
        await derived.open(names[1], "vtt")


async def test_what_is_made_while_it_is_swept_stays(tmp_path: Path) -> None:
    """Also where the same was made before, by somebody who was killed before it could be written down."""
    derived = Derived(tmp_path)
    name = await derived.put(track(0), "vtt")
    grow_old(derived.path(name, "vtt"))
    asked, made = threading.Event(), threading.Event()

    def wanted() -> set[str]:
        asked.set()
        made.wait(5)
        return set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(derived.sweep, wanted)
        await wait_until(asked.is_set, 5, "the sweep to ask what is wanted")
        assert await derived.put(track(0), "vtt") == name
        other = await derived.put(track(1), "vtt")
        made.set()
    assert derived.path(name, "vtt").read_bytes() == track(0)
    assert derived.path(other, "vtt").exists()


async def test_what_is_there_is_not_written_again(tmp_path: Path) -> None:
    """So that a file which is being sent stays as it is; an old one is replaced, which no stream notices."""
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


def looked_at_all(progress: Progress) -> None:
    progress.full_scans += 1
    progress.changed()


async def test_it_is_swept_after_the_first_full_look_and_not_after_each(
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
        assert derived.path(name, "vtt").exists(), "nobody has looked yet"
        looked_at_all(progress)
        await wait_until(lambda: not derived.path(name, "vtt").exists(), 5, "the sweep")
        assert derived.path(poster, "jpg").exists()
        grow_old(left := half_made(tmp_path, "ab"))
        looked_at_all(progress)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert left.exists(), "not so soon again"


async def test_how_a_video_is_presented_is_forgotten_with_it(tmp_path: Path, database_url: URL) -> None:
    """One that is there keeps it; one that is missing may come back, and is looked at again then."""

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
        looked_at_all(progress)

        async def kept() -> list[str]:
            statement = select(presentations.c.revision).order_by("revision")
            return list(await writer.write(lambda connection: connection.scalars(statement).all()))

        with trio.fail_after(60):
            while await kept() != ["there"]:
                await trio.lowlevel.checkpoint()


async def test_what_was_made_and_is_lost_is_made_again(tmp_path: Path, database_url: URL) -> None:
    async with sweeping(tmp_path, database_url, 0) as (derived, progress, writer):
        kept = await derived.put(b"\xff\xd8\xff\xff\xd9", "jpg")
        row = {"size": 1, "mtime_ns": 1, "fingerprint": "f", "state": "probed", "artwork": "made"}
        rows = [
            row | {"revision": "whole", "poster": kept, "sprites": None},
            row | {"revision": "no poster", "poster": "0" * 32, "sprites": None},
            row | {"revision": "no sheet", "poster": kept, "sprites": '{"files": ["1"]}'},
        ]
        await writer.write(lambda connection: connection.execute(insert(contents), rows).close())
        looked_at_all(progress)

        async def waiting() -> list[str]:
            statement = (
                select(contents.c.revision).where(contents.c.artwork == "waiting").order_by("revision")
            )
            return list(await writer.write(lambda connection: connection.scalars(statement).all()))

        with trio.fail_after(60):
            while await waiting() != ["no poster", "no sheet"]:
                await trio.lowlevel.checkpoint()
