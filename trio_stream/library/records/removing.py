"""How the database learns that files have gone.

Nothing is ever deleted: a video whose file has gone is kept, marked missing, so that a file that comes back is the
video it was, with its id and where people stopped. Each function runs in one transaction of whoever calls it.
"""

import os
from collections.abc import Sequence
from itertools import batched

from sqlalchemy import Connection, Select, select, update

from trio_stream.library.naming.paths import place
from trio_stream.library.records.adding import rename
from trio_stream.library.records.grouping import SLICE, kinships, regroup, remove_title_files
from trio_stream.library.records.watch_state import take_over
from trio_stream.store.tables import folders, subtitles, videos


def remove_folder(connection: Connection, name: str, now: int, since: int) -> tuple[int, int]:
    """Mark the folder `name` missing, and all below it; returns as `remove_videos`, after how many videos that were."""
    number = connection.scalar(select(folders.c.number).where(folders.c.place == place(name)))
    lost: list[int] = []
    away: list[int] = []
    layer = [] if number is None else [int(number)]
    while layer:
        inside: list[int] = []
        for part in batched(layer, SLICE):
            connection.execute(
                update(folders)
                .where(folders.c.number.in_(part), folders.c.missing_since.is_(None))
                .values(missing_since=now)
            )
            there = select(videos.c.number).where(videos.c.folder.in_(part), videos.c.missing_since.is_(None))
            lost += connection.scalars(there.order_by(videos.c.number))
            inside += connection.scalars(select(folders.c.number).where(folders.c.parent.in_(part)))
        away += layer
        layer = inside
    taken_over = remove_videos(connection, lost, now, since)
    for part in batched(away, SLICE):
        remove_title_files(connection, part)
    return len(lost), taken_over


def remove_videos(connection: Connection, numbers: Sequence[int], now: int, since: int) -> int:
    """Mark videos missing; returns how many of them are found to be what was added `since` then elsewhere.

    Both times are in milliseconds. A look that comes by the new place first takes a file that moved for a new one;
    here, where the old place turns out to be empty, the older video takes over what the new one is.
    """
    touched: set[str] = set()
    found_elsewhere: list[int] = []
    for part in batched(numbers, SLICE):
        connection.execute(
            update(videos)
            .where(videos.c.number.in_(part), videos.c.missing_since.is_(None))
            .values(missing_since=now)
        )
        touched.update(
            connection.scalars(
                select(videos.c.family).where(videos.c.number.in_(part), videos.c.family.is_not(None))
            )
        )
        found_elsewhere += connection.scalars(_with_bytes_added(part, since))
    taken_over = [_take_over(connection, number, since) for number in found_elsewhere]
    regroup(connection, touched.union(*(families for families in taken_over if families is not None)))
    return sum(families is not None for families in taken_over)


def _with_bytes_added(numbers: Sequence[int], since: int) -> Select[int]:
    """Those of the videos whose bytes another one has that was added `since` then."""
    new = videos.alias()
    added = select(new.c.number).where(
        new.c.fingerprint == videos.c.fingerprint,
        new.c.missing_since.is_(None),
        new.c.added_at >= since,
    )
    return (
        select(videos.c.number)
        .where(videos.c.number.in_(numbers), videos.c.missing_since.is_not(None), added.exists())
        .order_by(videos.c.number)
    )


def _take_over(connection: Connection, number: int, since: int) -> set[str] | None:
    """Let a video that has gone be what was added elsewhere; returns the families touched, None if nothing was."""
    gone = connection.execute(
        select(videos).where(videos.c.number == number, videos.c.missing_since.is_not(None))
    ).one_or_none()
    if gone is None:
        return None
    # In the order of their indexes by `added_at`: one row is read, however many have these bytes.
    added = (
        select(videos)
        .where(
            videos.c.missing_since.is_(None),
            videos.c.added_at >= since,
            videos.c.number != number,
        )
        .order_by(videos.c.added_at, videos.c.number)
        .limit(1)
    )
    new = (
        connection.execute(added.where(videos.c.revision == gone.revision)).one_or_none()
        or connection.execute(added.where(videos.c.fingerprint == gone.fingerprint)).one_or_none()
    )
    if new is None:
        return None
    connection.execute(update(subtitles).where(subtitles.c.video == new.number).values(video=number))
    take_over(connection, new.number, number)
    connection.execute(update(videos).where(videos.c.part_of == new.number).values(part_of=None))
    said = {name: getattr(new, name) for name in ("own_title", "description") if getattr(new, name)}
    if new.tags != "[]":
        said["tags"] = new.tags
    if said:
        connection.execute(update(videos).where(videos.c.number == number).values(**said))
    connection.execute(videos.delete().where(videos.c.number == new.number))
    name = os.fsdecode(new.path)
    touched = rename(connection, number, name, kinships(connection, [name]).get(name))
    connection.execute(
        update(videos)
        .where(videos.c.number == number)
        .values(
            revision=new.revision,
            fingerprint=new.fingerprint,
            signature=new.signature,
            size=new.size,
            mtime_ns=new.mtime_ns,
            duration=new.duration,
            missing_since=None,
        )
    )
    return touched
