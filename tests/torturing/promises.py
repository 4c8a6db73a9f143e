"""What a server promises about its data, checked in the database and in the derived files."""

import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import httpx
import trio
from sqlalchemy import Connection, select

from trio_stream.errors import StoreError
from trio_stream.library.background.derived import PARTIAL
from trio_stream.services import DATABASE, DERIVED
from trio_stream.store.database import migrate, open_database
from trio_stream.store.engines import sqlite_address
from trio_stream.store.tables import contents, playheads, subtitles, videos, viewings
from trio_stream.store.writer import Writer


class Broken(Exception):
    """A promise was broken."""


@dataclass(frozen=True)
class Stored:
    """The stored playheads, by the id of their video, and by the first position of each of its viewings."""

    positions: dict[str, float | None]
    of_viewings: dict[float, float | None]

    @classmethod
    def read(cls, connection: Connection) -> "Stored":
        by_id = select(videos.c.id, playheads.c.position).outerjoin(
            playheads, playheads.c.video == videos.c.number
        )
        by_viewing = select(viewings.c.first, playheads.c.position).outerjoin(
            playheads, playheads.c.video == viewings.c.video
        )
        return cls(
            {row.id: row.position for row in connection.execute(by_id)},
            {row.first: row.position for row in connection.execute(by_viewing)},
        )


@dataclass(frozen=True)
class Data:
    """The data folder of a server, and its database, which is in the folder unless `database_url` is given."""

    folder: Path
    database_url: str | None = None

    @property
    def url(self) -> str:
        return self.database_url or sqlite_address(self.folder / DATABASE).render_as_string()

    def check_file(self) -> None:
        """Check that the SQLite file is intact, as the server left it. Raises `Broken`."""
        path = self.folder / DATABASE
        if self.database_url or not path.exists():
            return
        with closing(sqlite3.connect(path)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        if found != ["ok"] or broken:
            raise Broken(f"the database is damaged: {found} {broken}")

    async def check(self) -> Stored | None:
        """Check the search index and the derived files; return the playheads, if there is a database.

        No other process may write during the check. Raises `Broken`.
        """
        if not self.folder.exists():
            return None
        await migrate(self.url)
        async with open_database(self.url) as database, trio.open_nursery() as nursery:
            writer = Writer(database)
            await nursery.start(writer.run)
            if database.dialect == "sqlite":
                await writer.write(_check_index)
            stored = await database.read(Stored.read)
            expected = await database.read(derived_files)
            nursery.cancel_scope.cancel()
        self._check_derived(expected)
        return stored

    async def stored(self) -> Stored:
        """The playheads, while a server uses the database."""
        async with open_database(self.url) as database:
            return await database.read(Stored.read)

    async def unreadable(self) -> list[tuple[str, str]]:
        """The revisions of unreadable contents, each with the reason."""
        async with open_database(self.url) as database:
            return await database.read(_unreadable)

    def unfinished(self) -> list[Path]:
        """Unfinished files, which nothing refers to."""
        return [path for path in (self.folder / DERIVED).rglob("*") if path.name.endswith(PARTIAL)]

    def _check_derived(self, expected: set[tuple[str, str]]) -> None:
        for name, suffix in expected:
            path = self.folder / DERIVED / name[:2] / f"{name}.{suffix}"
            if not path.exists():
                raise Broken(f"{path.name} is in the database but does not exist")
            if blake2b(path.read_bytes(), digest_size=16).hexdigest() != name:
                raise Broken(f"{path.name} does not have the hash that is its name")


def check_derived_of(client: httpx.Client, item: dict[str, Any]) -> None:
    """Check that a good video has all its derived files. Raises `Broken`."""
    if item["state"] != "probed":
        raise Broken(f"{item['name']} is {item['state']}: {item['reason']}")
    details = client.get(item["urls"]["self"]).json()
    urls = [details["poster"], *(details["thumbnails"] or {}).get("sheets", [None])]
    urls += [(details["thumbnails"] or {}).get("track")]
    urls += [each["url"] for each in details["subtitles"]]
    embedded = [each for each in details["subtitles"] if each["track"] is not None]
    if None in urls or len(embedded) != 1:
        raise Broken(f"{item['name']} does not have all derived files: {details}")
    for url in urls:
        response = client.get(url)
        digest = blake2b(response.content, digest_size=16).hexdigest()
        if response.status_code != 200 or response.headers["ETag"] != f'"{digest}"':
            raise Broken(f"{url} returned {response.status_code} with {len(response.content)} bytes")


def check_position(item: dict[str, Any], position: float | None) -> None:
    """Check that the playhead of a video is at `position` or later, if there is one. Raises `Broken`."""
    if position is not None and (item["playhead"] or {}).get("position", -1.0) < position:
        raise Broken(
            f"the playhead of {item['name']} was acknowledged at {position} and is {item['playhead']}"
        )


def derived_files(connection: Connection) -> set[tuple[str, str]]:
    """Digest and suffix of each file that the database refers to."""
    found = {(poster, "jpg") for poster in connection.scalars(select(contents.c.poster)) if poster}
    for sprites in connection.scalars(select(contents.c.sprites)):
        found |= {(name, "jpg") for name in json.loads(sprites or '{"files": []}')["files"]}
    for row in connection.execute(select(subtitles.c.vtt, subtitles.c.original)):
        found |= {(name, suffix) for name, suffix in ((row.vtt, "vtt"), (row.original, "ass")) if name}
    return found


def _unreadable(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.execute(
        select(contents.c.revision, contents.c.reason).where(contents.c.state == "unreadable")
    )
    return [(row.revision, row.reason) for row in rows]


def _check_index(connection: Connection) -> None:
    """Raise if the search index does not match the table."""
    connection.exec_driver_sql(
        "INSERT INTO videos_search (videos_search, rank) VALUES ('integrity-check', 1)"
    )


def run(work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` on Trio; if a promise is broken in one of its tasks, raise that exception alone."""
    found: BaseException
    try:
        trio.run(work)
    except (BaseExceptionGroup, StoreError) as error:
        found = error
        while isinstance(found, BaseExceptionGroup):
            found = (found.subgroup((Broken, StoreError)) or found).exceptions[0]
        if isinstance(found, StoreError):
            raise Broken(f"the database cannot be used: {found}") from error
        if isinstance(found, Broken | KeyboardInterrupt):
            raise found from None
        raise
