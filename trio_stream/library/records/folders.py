"""The folders of the library as rows, and what is recorded about one before it is scanned.

Each function runs in a transaction of its caller.
"""

import os
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from trio_stream.library.naming.paths import place, sort_key
from trio_stream.store.tables import folders, subtitles, title_files, upsert, videos


@dataclass(frozen=True, slots=True)
class RecordedVideo:
    """A video as the database records it; `missing` if the last scan did not find its file.

    `family` is as in `library.naming.families`.
    """

    number: int
    name: str
    signature: str
    missing: bool
    family: str | None


@dataclass(frozen=True, slots=True)
class RecordedFolder:
    """A folder as the database records it: its videos by name, and the names of its present subfolders.

    It is `missing` if the last scan did not find it. `subtitles` has the names and signatures of the subtitle files by
    the name of their video, `titles` the signatures of the title files by their names.
    """

    number: int
    missing: bool
    videos: dict[str, RecordedVideo]
    subfolders: frozenset[str]
    subtitles: dict[str, frozenset[tuple[str, str]]]
    titles: dict[str, str]


def recorded_folder(connection: Connection, name: str) -> RecordedFolder | None:
    """What is recorded about the folder `name` (empty for the library itself); None if it has no row."""
    folder = connection.execute(
        select(folders.c.number, folders.c.missing_since).where(folders.c.place == place(name))
    ).one_or_none()
    if folder is None:
        return None
    number = folder.number
    rows = connection.execute(
        select(
            videos.c.number, videos.c.path, videos.c.signature, videos.c.missing_since, videos.c.family
        ).where(videos.c.folder == number, videos.c.place.is_not(None))
    )
    recorded = {
        (path := os.fsdecode(row.path)): RecordedVideo(
            row.number, path, row.signature, row.missing_since is not None, row.family
        )
        for row in rows
    }
    subfolders = connection.scalars(
        select(folders.c.path).where(folders.c.parent == number, folders.c.missing_since.is_(None))
    )
    titles = connection.execute(
        select(title_files.c.path, title_files.c.signature).where(title_files.c.folder == number)
    )
    return RecordedFolder(
        number,
        folder.missing_since is not None,
        recorded,
        frozenset(os.fsdecode(path) for path in subfolders),
        _recorded_subtitles(connection, number),
        {os.fsdecode(row.path): row.signature for row in titles},
    )


def _recorded_subtitles(connection: Connection, folder: int) -> dict[str, frozenset[tuple[str, str]]]:
    rows = connection.execute(
        select(videos.c.path.label("video"), subtitles.c.path, subtitles.c.signature)
        .join(videos, videos.c.number == subtitles.c.video)
        .where(videos.c.folder == folder, videos.c.place.is_not(None))
    )
    found: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(os.fsdecode(row.video), set()).add((os.fsdecode(row.path), row.signature))
    return {name: frozenset(files) for name, files in found.items()}


def count(connection: Connection) -> dict[str, int]:
    """The numbers of titles (as `videos`), of folders, and of missing videos."""
    found = select(func.count()).select_from(videos)
    listed = found.where(videos.c.missing_since.is_(None), videos.c.part_of.is_(None))
    present = select(func.count()).select_from(folders).where(folders.c.missing_since.is_(None))
    return {
        "videos": connection.scalar(listed) or 0,
        "missing": connection.scalar(found.where(videos.c.missing_since.is_not(None))) or 0,
        "folders": connection.scalar(present) or 0,
    }


def store_folder(connection: Connection, name: str) -> int:
    """Store the existing folder `name` and its parents; returns its number."""
    key = place(name)
    row = connection.execute(
        select(folders.c.number, folders.c.missing_since).where(folders.c.place == key)
    ).one_or_none()
    if row is not None and row.missing_since is None:
        return int(row.number)
    around, _, last = name.rpartition("/")
    parent = store_folder(connection, around) if name else None
    values = {
        "path": os.fsencode(name),
        "place": key,
        "parent": parent,
        "name_key": sort_key(last),
        "missing_since": None,
    }
    upsert(connection, folders, values, key=("place",), update=("missing_since",))
    return int(connection.scalars(select(folders.c.number).where(folders.c.place == key)).one())
