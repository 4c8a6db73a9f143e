"""Titles are cached for a second, within a budget."""

import os
from pathlib import Path

import pytest
import trio
from sqlalchemy import Connection, insert
from sqlalchemy.engine import URL

from tests.mp4.making import film
from tests.packaging.making import audio_track, video_track
from trio_stream.library.folder.catalog import Catalog
from trio_stream.playback import offers
from trio_stream.playback.indexes import Indexes
from trio_stream.playback.offers import Offers
from trio_stream.playback.presentations import Presentations
from trio_stream.playback.video_names import Names
from trio_stream.store.database import open_database
from trio_stream.store.tables import contents, folders, videos
from trio_stream.store.writer import Writer

NAMES = ("a.mp4", "b.mp4")


def fill(connection: Connection) -> None:
    common = {"size": 1, "mtime_ns": 1}
    connection.execute(insert(folders).values(number=1, path=b"", place="", name_key=b""))
    for name in NAMES:
        connection.execute(insert(contents).values(revision=name, fingerprint=name, **common))
        row = {"id": name[0], "path": os.fsencode(name), "place": name, "folder": 1, "revision": name}
        keys = {"sort_key": b"", "title": "", "title_key": b"", "signature": "", "added_at": 1}
        connection.execute(insert(videos).values(**row, **keys, **common))


@pytest.mark.parametrize(("budget", "stays"), [(1 << 20, True), (1, False)])
async def test_titles_are_cached_within_a_budget(
    tmp_path: Path, database_url: URL, monkeypatch: pytest.MonkeyPatch, budget: int, stays: bool
) -> None:
    monkeypatch.setattr(offers, "BUDGET", budget)
    monkeypatch.setattr(offers, "LIFETIME", 60.0)
    for length, name in enumerate(NAMES):
        (tmp_path / name).write_bytes(film(video_track(100 + length), audio_track(4)))
    async with open_database(database_url) as database, trio.open_nursery() as nursery:
        writer, indexes = Writer(database), Indexes()
        presentations = Presentations(database, indexes, lambda: None, lambda: None)
        await nursery.start(writer.run)
        await nursery.start(indexes.serve)
        await nursery.start(presentations.serve)
        await writer.write(fill)
        found = Offers(Catalog(tmp_path), Names(database), database, indexes, presentations)
        first = await found.offer("a")
        assert found.offered("a") is first
        second = await found.offer("b")
        assert (found.offered("a") is first) is stays
        assert found.offered("b") is second
        nursery.cancel_scope.cancel()
