"""Playheads: how far each user has watched.

Invariant: playheads and viewings (`history`) belong to a title. Watching any of its files moves the playhead of its
leader. A video counts as watched at 90 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, or_, select, union, update

from trio_stream.library.records import history, pages
from trio_stream.store.tables import playheads, upsert, videos, viewings

WATCHED = 0.9
"""The part of a video after which it counts as watched."""

STARTED = 0.02
"""The part of a video after which it counts as started."""


LONGEST = 10**7
"""Seconds; no video is longer."""

MAX_SEARCHED = 200
"""The most playheads that are searched for videos to continue."""


@dataclass(frozen=True, slots=True)
class Playhead:
    """`position` and `duration` in seconds; if `watched` is None, the position decides."""

    position: float
    duration: float | None = None
    watched: bool | None = None


@dataclass(frozen=True, slots=True)
class StoredPlayhead:
    """A stored playhead; `updated_at` in milliseconds."""

    position: float
    duration: float | None
    watched: bool
    plays: int
    updated_at: int


def put(connection: Connection, user: str, id_: str, playhead: Playhead, now: int) -> StoredPlayhead | None:
    """Store the playhead of `user` in the video `id_`, at `now` in milliseconds; None if there is no such video.

    It becomes part of the history unless `watched` is set: marking a video is not watching it. The playhead of a
    missing video can still change, because a stream that is open when the file is removed continues to its end.
    """
    row = connection.execute(_CURRENT, {"viewer": user, "id_": id_}).one_or_none()
    if row is None:
        return None
    duration = row.duration or playhead.duration
    is_at_end = duration is not None and duration > 0 and playhead.position >= WATCHED * duration
    was_at_end = row.position is not None and duration is not None and row.position >= WATCHED * duration
    watched = playhead.watched if playhead.watched is not None else bool(row.watched) or is_at_end
    stored = StoredPlayhead(
        position=playhead.position,
        duration=duration,
        watched=watched,
        plays=(row.plays or 0) + (is_at_end and not was_at_end),
        updated_at=now,
    )
    store(connection, user, row.number, stored)
    if playhead.watched is None:
        history.record_position(connection, user, row.number, playhead.position, now)
    return stored


def forget(connection: Connection, user: str, id_: str) -> bool:
    """Delete the watch state of `user` for the video; returns whether there is such a video."""
    number = connection.scalar(select(TITLE).where(videos.c.id == id_))
    if number is None:
        return False
    all_of_it = select(videos.c.number).where(or_(videos.c.number == number, videos.c.part_of == number))
    for table in (playheads, viewings):
        connection.execute(delete(table).where(table.c.user == user, table.c.video.in_(all_of_it)))
    return True


def continue_watching(connection: Connection, user: str, limit: int) -> Sequence[Row[Any]]:
    """What `user` has started and not finished, newest first. The next video of the folder replaces a finished one."""
    rows = connection.execute(
        pages.present(user)
        .where(playheads.c.position.is_not(None))
        .order_by(playheads.c.updated_at.desc(), videos.c.number.desc())
        .limit(MAX_SEARCHED)
    ).all()
    found: dict[int, Row[Any]] = {}
    for row in rows:
        candidate: Row[Any] | None = row
        if is_finished(row):
            candidate = pages.neighbour(connection, row, user, descending=False)
            if (
                candidate is not None
                and candidate.position is not None
                and (is_finished(candidate) or _is_started(candidate))
            ):
                candidate = None  # listed on its own, if at all
        elif not _is_started(row):
            candidate = None
        if candidate is not None:
            found.setdefault(candidate.number, candidate)
        if len(found) == limit:
            break
    return list(found.values())


def is_finished(row: Row[Any]) -> bool:
    """Whether the playhead of a row of `pages` is at the end."""
    duration = row.duration or row.watched_of
    if not duration:
        return bool(row.watched)
    return bool(row.position >= WATCHED * duration) or (row.watched and row.position == 0)


def store(connection: Connection, user: str, number: int, stored: StoredPlayhead) -> None:
    """Store a playhead of the video `number`."""
    values = {
        "user": user,
        "video": number,
        "position": stored.position,
        "duration": stored.duration,
        "watched": stored.watched,
        "plays": stored.plays,
        "updated_at": stored.updated_at,
    }
    upsert(connection, playheads, values, key=("user", "video"))


TITLE = func.coalesce(videos.c.part_of, videos.c.number)
"""The leader of the title of a video, whose row holds the playheads."""

# Built once, because it runs with every playhead update, and building it takes longer than running it.
_CURRENT = (
    select(
        *(TITLE.label("number"), videos.c.duration),
        *(playheads.c.position, playheads.c.watched, playheads.c.plays),
    )
    .outerjoin(playheads, and_(playheads.c.video == TITLE, playheads.c.user == bindparam("viewer")))
    .where(videos.c.id == bindparam("id_"))
)


def _is_started(row: Row[Any]) -> bool:
    duration = row.duration or row.watched_of
    return bool(row.position > (STARTED * duration if duration else 0))


def videos_with_watch_state(connection: Connection, numbers: Sequence[int]) -> Sequence[int]:
    """Those of the videos that have watch state: they joined the title, or were missing and still have theirs."""
    these = [select(table.c.video).where(table.c.video.in_(numbers)) for table in (playheads, viewings)]
    return connection.scalars(union(*these)).all() if numbers else ()


def take_over(connection: Connection, new: int, number: int) -> None:
    """Move the watch state of the video `new` to the video `number`; of two playheads, the later one wins."""
    other = playheads.alias()
    same_user = other.c.user == playheads.c.user
    newer = select(other.c.user).where(
        other.c.video == new, same_user, other.c.updated_at >= playheads.c.updated_at
    )
    connection.execute(playheads.delete().where(playheads.c.video == number, newer.exists()))
    stored = select(other.c.user).where(other.c.video == number, same_user)
    connection.execute(
        update(playheads).where(playheads.c.video == new, ~stored.exists()).values(video=number)
    )
    connection.execute(playheads.delete().where(playheads.c.video == new))
    connection.execute(update(viewings).where(viewings.c.video == new).values(video=number))


def copy_playheads(connection: Connection, row: Row[Any], number: int) -> None:
    """Copy the playheads of a former leader to the video `number`. The leader keeps them, as it may lead a title now.

    The history of a missing leader, which is not shown anywhere, is moved.
    """
    updated_at = {
        stored_row.user: stored_row.updated_at
        for stored_row in connection.execute(select(playheads).where(playheads.c.video == number))
    }
    newer = [
        {**stored_row, "video": number}
        for stored_row in connection.execute(
            select(playheads).where(playheads.c.video == row.number)
        ).mappings()
        if stored_row["updated_at"] > updated_at.get(stored_row["user"], -1)
    ]
    upsert(connection, playheads, newer, key=("user", "video"))
    if row.missing_since is not None:
        connection.execute(update(viewings).where(viewings.c.video == row.number).values(video=number))
