"""Marks videos and folders as missing.

No row of a missing video is deleted. So a file that returns is the same video again, with its id and its playheads.
Each function runs in a transaction of its caller.
"""

import os
from collections.abc import Sequence
from itertools import batched

from sqlalchemy import Connection, Select, select, update

from trio_stream.library.naming.paths import place
from trio_stream.library.records.adding import rename
from trio_stream.library.records.grouping import SLICE, memberships_of, regroup, remove_title_files
from trio_stream.library.records.watch_state import take_over
from trio_stream.store.tables import folders, subtitles, videos


def remove_folder(connection: Connection, name: str, now: int, since: int) -> tuple[int, int]:
    """Mark the folder `name` and all below it as missing; returns how many videos, and what `remove_videos` returns."""
    number = connection.scalar(select(folders.c.number).where(folders.c.place == place(name)))
    lost: list[int] = []
    gone: list[int] = []
    level = [] if number is None else [int(number)]
    while level:
        children: list[int] = []
        for part in batched(level, SLICE):
            connection.execute(
                update(folders)
                .where(folders.c.number.in_(part), folders.c.missing_since.is_(None))
                .values(missing_since=now)
            )
            present = select(videos.c.number).where(
                videos.c.folder.in_(part), videos.c.missing_since.is_(None)
            )
            lost += connection.scalars(present.order_by(videos.c.number))
            children += connection.scalars(select(folders.c.number).where(folders.c.parent.in_(part)))
        gone += level
        level = children
    taken_over = remove_videos(connection, lost, now, since)
    for part in batched(gone, SLICE):
        remove_title_files(connection, part)
    return len(lost), taken_over


def remove_videos(connection: Connection, numbers: Sequence[int], now: int, since: int) -> int:
    """Mark videos as missing; returns how many of them were found again as files added elsewhere since `since`.

    Both times are in milliseconds. If a scan reads the new folder of a moved file first, it adds a new video. Now that
    the old path is found empty, the older video takes over from the new one.
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
        found_elsewhere += connection.scalars(_added_elsewhere(part, since))
    taken_over = [_take_over(connection, number, since) for number in found_elsewhere]
    regroup(connection, touched.union(*(families for families in taken_over if families is not None)))
    return sum(families is not None for families in taken_over)


def _added_elsewhere(numbers: Sequence[int], since: int) -> Select[int]:
    """The missing ones of these videos whose fingerprint a present video has that was added at `since` or later."""
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
    """Merge a missing video with the one added elsewhere; returns the affected families, None if there is none."""
    gone = connection.execute(
        select(videos).where(videos.c.number == number, videos.c.missing_since.is_not(None))
    ).one_or_none()
    if gone is None:
        return None
    # In the order of their indexes by `added_at`, so only one row is read, even if many have these bytes.
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
    inherited = {name: getattr(new, name) for name in ("own_title", "description") if getattr(new, name)}
    if new.tags != "[]":
        inherited["tags"] = new.tags
    if inherited:
        connection.execute(update(videos).where(videos.c.number == number).values(**inherited))
    connection.execute(videos.delete().where(videos.c.number == new.number))
    name = os.fsdecode(new.path)
    touched = rename(connection, number, name, memberships_of(connection, [name]).get(name))
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
