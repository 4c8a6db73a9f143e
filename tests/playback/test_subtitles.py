"""Subtitles that are read for segments: a cancelled request leaves no file open."""

import os
from pathlib import Path

import trio
from sqlalchemy import Connection, insert
from sqlalchemy.engine import URL

from tests.support import wait_until
from trio_stream.library.background.derived import Derived
from trio_stream.packaging.webvtt import Cues
from trio_stream.playback.subtitles import PREFIX, SubtitleCache
from trio_stream.store.database import open_database
from trio_stream.store.tables import contents, folders, subtitles, videos
from trio_stream.store.writer import Writer


def open_files(folder: Path) -> int:
    """How many descriptors of this process are of files in that folder."""
    found = 0
    for fd in os.listdir("/dev/fd"):
        try:
            status = os.fstat(int(fd))
        except OSError:
            continue
        found += any(os.path.samestat(status, path.stat()) for path in folder.rglob("*.vtt"))
    return found


async def test_a_request_cancelled_while_waiting_for_its_turn_closes_its_file(
    tmp_path: Path, database_url: URL
) -> None:
    """Subtitles are read one at a time; the first file is a pipe that stays empty during the test."""
    derived = Derived(tmp_path)
    names = [
        await derived.put(f"WEBVTT\n\n00:00.000 --> 00:01.000\n{text}\n".encode(), "vtt") for text in "ab"
    ]
    derived.path(names[0], "vtt").unlink()
    os.mkfifo(derived.path(names[0], "vtt"))

    def fill(connection: Connection) -> None:
        common = {"size": 1, "mtime_ns": 1}
        connection.execute(insert(folders).values(number=1, path=b"", place="", name_key=b""))
        connection.execute(insert(contents).values(revision="r", fingerprint="f", **common))
        row = {"number": 1, "id": "v", "path": b"", "place": "v", "folder": 1, "revision": "r"}
        keys = {"sort_key": b"", "title": "", "title_key": b"", "signature": "", "added_at": 1}
        connection.execute(insert(videos).values(**row, **keys, **common))
        for name in names:
            track = {"codec": "webvtt", "label": "", "state": "made", "vtt": name}
            connection.execute(insert(subtitles).values(revision="r", track=names.index(name), **track))

    async with open_database(database_url) as database, trio.open_nursery() as nursery:
        writer = Writer(database)
        await nursery.start(writer.run)
        await writer.write(fill)
        cache = SubtitleCache(database, derived)
        leaving = trio.CancelScope()

        async def leave() -> None:
            with leaving:
                await cache.cues("v", f"{PREFIX}{names[1]}")

        async with trio.open_nursery() as asking:
            with open(os.open(derived.path(names[0], "vtt"), os.O_RDWR), "wb") as pipe:
                asking.start_soon(cache.cues, "v", f"{PREFIX}{names[0]}")
                await wait_until(lambda: open_files(tmp_path) == 2, 5, "the pipe to be read")
                asking.start_soon(leave)
                await wait_until(lambda: open_files(tmp_path) == 3, 5, "the other one to be opened")
                leaving.cancel()
                pipe.write(b"WEBVTT\n")
        assert leaving.cancelled_caught
        assert open_files(tmp_path) == 0
        assert isinstance(await cache.cues("v", f"{PREFIX}{names[1]}"), Cues)
        nursery.cancel_scope.cancel()
