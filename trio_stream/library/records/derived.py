"""What was made of the contents: which files it is, and what refers to them; how contents are presented."""

import json
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update

from trio_stream.store.tables import contents, presentations, subtitles, upsert, videos


@dataclass(frozen=True, slots=True)
class DerivedSource:
    """The video for which a file was made: when its file changed, in nanoseconds, and how long it is, in seconds.

    `sprites` is what a track of tiles is written from, which is kept nowhere; None for a file that is kept.
    """

    mtime_ns: int
    duration: float
    sprites: dict[str, Any] | None = None


def derived_source(
    connection: Connection, id_: str, revision: str, kind: str, name: str
) -> DerivedSource | None:
    """The video `id_` with the content `revision`, if it has the file `name` of this kind; None if there is no such.

    A file of the kind "thumbnails" has no name here: it is for the caller to compare what it writes.
    """
    video: Any = connection.execute(
        select(videos.c.number, videos.c.mtime_ns, videos.c.duration, contents.c.poster, contents.c.sprites)
        .join(contents, contents.c.revision == videos.c.revision)
        .where(videos.c.id == id_, videos.c.revision == revision, videos.c.missing_since.is_(None))
    ).one_or_none()
    if video is None:
        return None
    found = DerivedSource(video.mtime_ns, video.duration)
    sprites = None if video.sprites is None else json.loads(video.sprites)
    match kind:
        case "poster" if name == video.poster:
            return found
        case "sheet" if sprites is not None and name in sprites["files"]:
            return found
        case "thumbnails" if sprites is not None:
            return DerivedSource(video.mtime_ns, video.duration, sprites)
        case "subtitle":
            text = select(subtitles.c.number).where(
                or_(subtitles.c.video == video.number, subtitles.c.revision == revision),
                or_(subtitles.c.vtt == name, subtitles.c.original == name),
            )
            if connection.scalar(text.limit(1)) is not None:
                return found
    return None


def stored_presentation(connection: Connection, revision: str) -> bytes | None:
    """How a content is presented, as it was kept."""
    return connection.scalar(select(presentations.c.packed).where(presentations.c.revision == revision))


def store_presentation(connection: Connection, revision: str, packed: bytes) -> None:
    """Keep how a content is presented."""
    upsert(connection, presentations, {"revision": revision, "packed": packed}, key=("revision",))


def wanted_files(connection: Connection) -> set[str]:
    """The digests of all files that were made and that something refers to."""
    wanted = set(connection.scalars(select(contents.c.poster).where(contents.c.poster.is_not(None))))
    for column in (subtitles.c.vtt, subtitles.c.original):
        wanted.update(connection.scalars(select(column).where(column.is_not(None))))
    for sprites in connection.scalars(select(contents.c.sprites).where(contents.c.sprites.is_not(None))):
        wanted.update(json.loads(sprites)["files"])
    return {each for each in wanted if each}


def regenerate(connection: Connection, lacking: Container[str]) -> int:
    """Have everything made again that refers to a file of `lacking`; returns how many chores that is."""
    made = select(contents.c.revision, contents.c.poster, contents.c.sprites).where(
        contents.c.artwork == "made"
    )
    drawn = [
        row.revision
        for row in connection.execute(made)
        if row.poster in lacking
        or (row.sprites and any(each in lacking for each in json.loads(row.sprites)["files"]))
    ]
    written = [
        row
        for row in connection.execute(select(subtitles).where(subtitles.c.state == "made"))
        if row.vtt in lacking or row.original in lacking
    ]
    for revision in drawn:
        connection.execute(update(contents).where(contents.c.revision == revision).values(artwork="waiting"))
    for row in written:
        connection.execute(update(subtitles).where(subtitles.c.number == row.number).values(state="waiting"))
        if row.revision is not None:
            connection.execute(
                update(contents).where(contents.c.revision == row.revision).values(texts="waiting")
            )
    return len(drawn) + len(written)


def forget_presentations(connection: Connection) -> None:
    """Delete how contents are presented that no video has which is there: it is found out again when it is wanted."""
    there = select(videos.c.number).where(
        videos.c.revision == presentations.c.revision, videos.c.missing_since.is_(None)
    )
    connection.execute(delete(presentations).where(~there.exists()))
