"""A library that exists only as rows, without a folder, for tests of database queries."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.engine import URL

from trio_stream.library.folder.content import Content, Identity
from trio_stream.library.naming.paths import place
from trio_stream.library.records import adding, removing
from trio_stream.library.records.adding import ExaminedFile
from trio_stream.store.engines import address, writing_engine
from trio_stream.store.tables import contents, videos


@contextmanager
def opened(url: URL) -> Iterator[Engine]:
    """An engine for the database at `url`, disposed after the block."""
    engine = writing_engine(address(url))
    try:
        yield engine
    finally:
        engine.dispose()


def found(name: str, *, size: int = 1, mtime_ns: int = 0, bytes_: str | None = None) -> ExaminedFile:
    """A file. Files of one size and time have the same content if their `bytes_` are equal (by default, the name)."""
    text = f"{size} {name if bytes_ is None else bytes_}"
    mark = blake2b(text.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
    return ExaminedFile(name, Identity(1, 1, size, mtime_ns, 0), Content(size, mtime_ns, mark))


def add(
    connection: Connection, *names: str, added: int = 1000, duration: float = 0.0, **more: Any
) -> list[str]:
    """Add files of these names; returns the ids of their videos."""
    adding.add_files(connection, [found(name, **more) for name in names], added)
    places = [place(name) for name in names]
    if duration:
        these = videos.c.place.in_(places)
        connection.execute(update(videos).where(these).values(duration=duration))
        revisions = select(videos.c.revision).where(these)
        connection.execute(
            update(contents)
            .where(contents.c.revision.in_(revisions))
            .values(duration=duration, state="probed")
        )
    ids = {row.place: row.id for row in connection.execute(select(videos.c.place, videos.c.id))}
    return [ids[each] for each in places]


def lose(connection: Connection, *names: str, now: int = 5000) -> None:
    """Mark the videos of these names as missing."""
    numbers = connection.scalars(select(videos.c.number).where(videos.c.place.in_(map(place, names)))).all()
    removing.remove_videos(connection, numbers, now, now)
