"""Where people stopped: playheads.

Invariant: playheads and viewings (`history`) are kept for a title. What one watches of any of its files is the playhead
of the one that leads. A video counts as watched from 90 % of it on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, or_, select, union, update

from trio_stream.library.records import history, pages
from trio_stream.store.tables import playheads, upsert, videos, viewings

WATCHED = 0.9
"""The part of a video from which on it has been watched."""

BEGUN = 0.02
"""The part of a video up to which it has hardly been begun."""


LONGEST = 10**7
"""Seconds; no video is longer."""

LOOKED_BACK = 200
"""So many playheads are looked through for what may be gone on with."""


@dataclass(frozen=True, slots=True)
class Playhead:
    """`position` and `duration` in seconds; `watched` None to leave that to the position."""

    position: float
    duration: float | None = None
    watched: bool | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A playhead as it is stored; `updated_at` in milliseconds."""

    position: float
    duration: float | None
    watched: bool
    plays: int
    updated_at: int


def put(connection: Connection, user: str, id_: str, playhead: Playhead, now: int) -> Kept | None:
    """Store where `user` is in the video `id_`, at `now` in milliseconds; None if there is no such video.

    It is part of the history unless `watched` is said: that is a mark, which needs nobody to watch. A video that is
    missing keeps its playhead up to date: whoever streams it when its file goes sees it to the end.
    """
    row = connection.execute(_HERE, {"who": user, "id_": id_}).one_or_none()
    if row is None:
        return None
    duration = row.duration or playhead.duration
    at_end = duration is not None and duration > 0 and playhead.position >= WATCHED * duration
    was_at_end = row.position is not None and duration is not None and row.position >= WATCHED * duration
    watched = playhead.watched if playhead.watched is not None else bool(row.watched) or at_end
    kept = Kept(
        position=playhead.position,
        duration=duration,
        watched=watched,
        plays=(row.plays or 0) + (at_end and not was_at_end),
        updated_at=now,
    )
    keep(connection, user, row.number, kept)
    if playhead.watched is None:
        history.note(connection, user, row.number, playhead.position, now)
    return kept


def forget(connection: Connection, user: str, id_: str) -> bool:
    """Let it be as if `user` had never begun the video; returns whether there is such a video."""
    number = connection.scalar(select(TITLE).where(videos.c.id == id_))
    if number is None:
        return False
    all_of_it = select(videos.c.number).where(or_(videos.c.number == number, videos.c.part_of == number))
    for table in (playheads, viewings):
        connection.execute(delete(table).where(table.c.user == user, table.c.video.in_(all_of_it)))
    return True


def continue_watching(connection: Connection, user: str, limit: int) -> Sequence[Row[Any]]:
    """What `user` has begun and not finished, the last first; in place of what was finished, the next of its folder."""
    rows = connection.execute(
        pages.present(user)
        .where(playheads.c.position.is_not(None))
        .order_by(playheads.c.updated_at.desc(), videos.c.number.desc())
        .limit(LOOKED_BACK)
    ).all()
    found: dict[int, Row[Any]] = {}
    for row in rows:
        here: Row[Any] | None = row
        if is_finished(row):
            here = pages.neighbour(connection, row, user, down=False)
            if here is not None and here.position is not None and (is_finished(here) or _is_begun(here)):
                here = None  # in the list by itself
        elif not _is_begun(row):
            here = None
        if here is not None:
            found.setdefault(here.number, here)
        if len(found) == limit:
            break
    return list(found.values())


def is_finished(row: Row[Any]) -> bool:
    """Whether the playhead of a row of `pages` stands at the end."""
    duration = row.duration or row.watched_of
    if not duration:
        return bool(row.watched)
    return bool(row.position >= WATCHED * duration) or (row.watched and row.position == 0)


def keep(connection: Connection, user: str, number: int, kept: Kept) -> None:
    """Write down a playhead of the video `number`."""
    values = {
        "user": user,
        "video": number,
        "position": kept.position,
        "duration": kept.duration,
        "watched": kept.watched,
        "plays": kept.plays,
        "updated_at": kept.updated_at,
    }
    upsert(connection, playheads, values, key=("user", "video"))


TITLE = func.coalesce(videos.c.part_of, videos.c.number)
"""The video that leads the title of a video: to its row playheads are written."""

# Built once, as it runs with every playhead: to build it takes longer than to run it.
_HERE = (
    select(
        *(TITLE.label("number"), videos.c.duration),
        *(playheads.c.position, playheads.c.watched, playheads.c.plays),
    )
    .outerjoin(playheads, and_(playheads.c.video == TITLE, playheads.c.user == bindparam("who")))
    .where(videos.c.id == bindparam("id_"))
)


def _is_begun(row: Row[Any]) -> bool:
    duration = row.duration or row.watched_of
    return bool(row.position > (BEGUN * duration if duration else 0))


def watched_among(connection: Connection, numbers: Sequence[int]) -> Sequence[int]:
    """Those of the videos of which there is something: they are new, or were away and have what they had then."""
    these = [select(table.c.video).where(table.c.video.in_(numbers)) for table in (playheads, viewings)]
    return connection.scalars(union(*these)).all() if numbers else ()


def take_over(connection: Connection, new: int, number: int) -> None:
    """Let the video `number` have what people watched of `new`; of two playheads the later one."""
    other = playheads.alias()
    same_user = other.c.user == playheads.c.user
    later = select(other.c.user).where(
        other.c.video == new, same_user, other.c.updated_at >= playheads.c.updated_at
    )
    connection.execute(playheads.delete().where(playheads.c.video == number, later.exists()))
    kept = select(other.c.user).where(other.c.video == number, same_user)
    connection.execute(update(playheads).where(playheads.c.video == new, ~kept.exists()).values(video=number))
    connection.execute(playheads.delete().where(playheads.c.video == new))
    connection.execute(update(viewings).where(viewings.c.video == new).values(video=number))


def share(connection: Connection, row: Row[Any], number: int) -> None:
    """Let the video `number` have the playheads of one that led, which keeps them: it may be a film of its own now.

    The history of one whose file has gone, which nobody would see, goes over.
    """
    there = {
        each.user: each.updated_at
        for each in connection.execute(select(playheads).where(playheads.c.video == number))
    }
    later = [
        {**each, "video": number}
        for each in connection.execute(select(playheads).where(playheads.c.video == row.number)).mappings()
        if each["updated_at"] > there.get(each["user"], -1)
    ]
    upsert(connection, playheads, later, key=("user", "video"))
    if row.missing_since is not None:
        connection.execute(update(viewings).where(viewings.c.video == row.number).values(video=number))
