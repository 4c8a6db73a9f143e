"""What a server promises of its data, looked up in the database and among the files it made."""

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
from trio_stream.library.background.derived import MAKING
from trio_stream.services import DATABASE, DERIVED
from trio_stream.store.database import migrate, open_database
from trio_stream.store.engines import sqlite_address
from trio_stream.store.tables import contents, playheads, subtitles, videos, viewings
from trio_stream.store.writer import Writer


class Broken(Exception):
    """A promise was not kept."""


@dataclass(frozen=True)
class Stored:
    """The playheads there are: by the id of their video, and by where each of its viewings began."""

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
    """The data folder of a server, and its database, in the folder unless `database_url` is another one."""

    folder: Path
    database_url: str | None = None

    @property
    def url(self) -> str:
        return self.database_url or sqlite_address(self.folder / DATABASE).render_as_string()

    def check_file(self) -> None:
        """That SQLite finds its file whole, as the server left it. Raises `Broken`."""
        path = self.folder / DATABASE
        if self.database_url or not path.exists():
            return
        with closing(sqlite3.connect(path)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        if found != ["ok"] or broken:
            raise Broken(f"the database is damaged: {found} {broken}")

    async def check(self) -> Stored | None:
        """That the index of words and the files that were made are right; return the playheads, if there is a database.

        Nobody else may write meanwhile. Raises `Broken`.
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
            wanted = await database.read(made_files)
            nursery.cancel_scope.cancel()
        self._check_made(wanted)
        return stored

    async def stored(self) -> Stored:
        """The playheads, while a server works with the database."""
        async with open_database(self.url) as database:
            return await database.read(Stored.read)

    async def unreadable(self) -> list[tuple[str, str]]:
        """The contents that could not be read, with the reason."""
        async with open_database(self.url) as database:
            return await database.read(_unreadable)

    def half_made(self) -> list[Path]:
        """Files that were begun and that nothing refers to."""
        return [path for path in (self.folder / DERIVED).rglob("*") if path.name.endswith(MAKING)]

    def _check_made(self, wanted: set[tuple[str, str]]) -> None:
        for name, suffix in wanted:
            path = self.folder / DERIVED / name[:2] / f"{name}.{suffix}"
            if not path.exists():
                raise Broken(f"{path.name} is written down and not there")
            if blake2b(path.read_bytes(), digest_size=16).hexdigest() != name:
                raise Broken(f"{path.name} has other bytes than its name says")


def check_shown(client: httpx.Client, item: dict[str, Any]) -> None:
    """That all was made of a good video. Raises `Broken`."""
    if item["state"] != "probed":
        raise Broken(f"{item['name']} is {item['state']}: {item['reason']}")
    details = client.get(item["urls"]["self"]).json()
    urls = [details["poster"], *(details["thumbnails"] or {}).get("sheets", [None])]
    urls += [(details["thumbnails"] or {}).get("track")]
    urls += [each["url"] for each in details["subtitles"]]
    inside = [each for each in details["subtitles"] if each["track"] is not None]
    if None in urls or len(inside) != 1:
        raise Broken(f"not all was made of {item['name']}: {details}")
    for url in urls:
        answer = client.get(url)
        digest = blake2b(answer.content, digest_size=16).hexdigest()
        if answer.status_code != 200 or answer.headers["ETag"] != f'"{digest}"':
            raise Broken(f"{url} answers {answer.status_code}, {len(answer.content)} bytes")


def check_position(item: dict[str, Any], position: float | None) -> None:
    """That a video stands at `position` or later, if there is one. Raises `Broken`."""
    if position is not None and (item["playhead"] or {}).get("position", -1.0) < position:
        raise Broken(f"{item['name']} was acknowledged at {position} and is shown at {item['playhead']}")


def made_files(connection: Connection) -> set[tuple[str, str]]:
    """Digest and suffix of each file the database refers to."""
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
    """Raises when the index of words does not say what the table says."""
    connection.exec_driver_sql(
        "INSERT INTO videos_search (videos_search, rank) VALUES ('integrity-check', 1)"
    )


def run(work: Callable[[], Awaitable[None]]) -> None:
    """Run it on Trio; a promise that was broken somewhere within is what is raised."""
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
