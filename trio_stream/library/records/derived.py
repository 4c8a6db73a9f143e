"""The derived files of contents and what refers to them; stored presentations."""

import json
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update

from trio_stream.store.tables import contents, presentations, subtitles, upsert, videos


@dataclass(frozen=True, slots=True)
class DerivedSource:
    """The video a file was derived from: its modification time in nanoseconds and its duration in seconds.

    `sprites` describes the trickplay sheets. The thumbnail track is generated from it and never stored; None for a
    stored file.
    """

    mtime_ns: int
    duration: float
    sprites: dict[str, Any] | None = None


def derived_source(
    connection: Connection, id_: str, revision: str, kind: str, name: str
) -> DerivedSource | None:
    """The video `id_` with the content `revision`, if it has the file `name` of this kind; else None.

    A file of the kind "thumbnails" has no name here: the caller compares the name with what it generates.
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
            subtitle = select(subtitles.c.number).where(
                or_(subtitles.c.video == video.number, subtitles.c.revision == revision),
                or_(subtitles.c.vtt == name, subtitles.c.original == name),
            )
            if connection.scalar(subtitle.limit(1)) is not None:
                return found
    return None


def stored_presentation(connection: Connection, revision: str) -> bytes | None:
    """The stored presentation of a content, serialized."""
    return connection.scalar(select(presentations.c.packed).where(presentations.c.revision == revision))


def store_presentation(connection: Connection, revision: str, serialized: bytes) -> None:
    """Store the serialized presentation of a content."""
    upsert(connection, presentations, {"revision": revision, "packed": serialized}, key=("revision",))


def wanted_files(connection: Connection) -> set[str]:
    """The digests of all derived files that a row refers to."""
    wanted = set(connection.scalars(select(contents.c.poster).where(contents.c.poster.is_not(None))))
    for column in (subtitles.c.vtt, subtitles.c.original):
        wanted.update(connection.scalars(select(column).where(column.is_not(None))))
    for sprites in connection.scalars(select(contents.c.sprites).where(contents.c.sprites.is_not(None))):
        wanted.update(json.loads(sprites)["files"])
    return {digest for digest in wanted if digest}


def regenerate(connection: Connection, missing: Container[str]) -> int:
    """Schedule a job for everything that refers to a file in `missing`; returns how many jobs that is."""
    with_artwork = select(contents.c.revision, contents.c.poster, contents.c.sprites).where(
        contents.c.artwork == "made"
    )
    revisions = [
        row.revision
        for row in connection.execute(with_artwork)
        if row.poster in missing
        or (row.sprites and any(digest in missing for digest in json.loads(row.sprites)["files"]))
    ]
    converted = [
        row
        for row in connection.execute(select(subtitles).where(subtitles.c.state == "made"))
        if row.vtt in missing or row.original in missing
    ]
    for revision in revisions:
        connection.execute(update(contents).where(contents.c.revision == revision).values(artwork="waiting"))
    for row in converted:
        connection.execute(update(subtitles).where(subtitles.c.number == row.number).values(state="waiting"))
        if row.revision is not None:
            connection.execute(
                update(contents).where(contents.c.revision == row.revision).values(texts="waiting")
            )
    return len(revisions) + len(converted)


def remove_unused_presentations(connection: Connection) -> None:
    """Delete the presentations of contents that no present video has. They are generated again on request."""
    present = select(videos.c.number).where(
        videos.c.revision == presentations.c.revision, videos.c.missing_since.is_(None)
    )
    connection.execute(delete(presentations).where(~present.exists()))
