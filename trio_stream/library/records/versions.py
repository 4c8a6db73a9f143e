"""The versions of a title: its files."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from trio_stream.library.naming.families import title_and_height
from trio_stream.store.tables import contents, videos


@dataclass(frozen=True, slots=True)
class Version:
    """A file of a title: `height` in lines, from its video track or else from its name; `size` in bytes.

    The one that `leads` represents the title in the library.
    """

    id: str
    revision: str
    name: str
    height: int | None
    width: int | None
    size: int
    leads: bool


def versions(connection: Connection, id_: str) -> Sequence[Version]:
    """All files of the title of a video, the leader first; empty if there is only one."""
    own = connection.execute(
        select(videos.c.number, videos.c.part_of, videos.c.family).where(
            videos.c.id == id_, videos.c.missing_since.is_(None)
        )
    ).one_or_none()
    if own is None or own.family is None:
        return ()
    leader = own.part_of or own.number
    rows = connection.execute(
        select(
            *(videos.c.number, videos.c.id, videos.c.revision, videos.c.path, videos.c.size),
            *(contents.c.width, contents.c.height),
        )
        .join(contents, contents.c.revision == videos.c.revision)
        .where(
            or_(videos.c.number == leader, videos.c.part_of == leader),
            videos.c.family == own.family,
            videos.c.missing_since.is_(None),
        )
        .order_by(videos.c.rank, videos.c.number)
    ).all()
    if len(rows) < 2:
        return ()
    return [
        Version(
            id=row.id,
            revision=row.revision,
            name=(name := os.fsdecode(row.path)),
            height=row.height or _height_in_name(name),
            width=row.width,
            size=row.size,
            leads=row.number == leader,
        )
        for row in rows
    ]


def _height_in_name(name: str) -> int | None:
    parsed = title_and_height(name)
    return None if parsed is None else parsed[1]
