"""Where people stopped, what they have seen, and when: playheads, and viewings as the history.

Both are kept for a title: what one watches of any of its files is the playhead of the one that leads.

A video counts as watched from 90 % of it on. A playhead that is written again within half an hour continues the
viewing it belongs to; later it begins another one.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, case, delete, func, insert, or_, select, update

from trio_stream.errors import BadRequest
from trio_stream.http.numbers import whole_number
from trio_stream.library.moments import milliseconds, moment
from trio_stream.library.naming.paths import LONGEST_NAME, place
from trio_stream.library.records import pages
from trio_stream.library.records.pages import Page
from trio_stream.store.tables import contents, playheads, upsert, videos, viewings

WATCHED = 0.9
"""The part of a video from which on it has been watched."""

BEGUN = 0.02
"""The part of a video up to which it has hardly been begun."""

CONTINUED = 30 * 60 * 1000
"""Milliseconds within which a viewing goes on."""

LONGEST = 10**7
"""Seconds; no video is longer."""

LOOKED_BACK = 200
"""So many playheads are looked through for what may be gone on with."""

MOST_PLAYS = 10**9

EXPORT = 1
"""The version of what `export` answers."""

_FINGERPRINT = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class Playhead:
    """`position` and `duration` in seconds; `watched` None to leave that to the position."""

    position: float
    duration: float | None = None
    watched: bool | None = None

    @classmethod
    def read(cls, data: object) -> "Playhead":
        """From JSON. Raises `BadRequest`."""
        if not isinstance(data, dict) or not {"position"} <= data.keys() <= {
            "position",
            "duration",
            "watched",
        }:
            raise BadRequest('a playhead is {"position": seconds}, with "duration" and "watched" if you like')
        watched, duration = data.get("watched"), data.get("duration")
        if watched is not None and not isinstance(watched, bool):
            raise BadRequest("watched is true or false")
        known = (
            None if duration is None else _seconds(duration) or None
        )  # a player that knows nothing yet says 0
        return cls(_seconds(data["position"]), known, watched)


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
    _keep(connection, user, row.number, kept)
    if playhead.watched is None:
        _note_viewing(connection, user, row.number, playhead.position, now)
    return kept


def forget(connection: Connection, user: str, id_: str) -> bool:
    """Let it be as if `user` had never begun the video; answers whether there is such a video."""
    number = connection.scalar(select(_TITLE).where(videos.c.id == id_))
    if number is None:
        return False
    all_of_it = select(videos.c.number).where(or_(videos.c.number == number, videos.c.part_of == number))
    for table in (playheads, viewings):
        connection.execute(delete(table).where(table.c.user == user, table.c.video.in_(all_of_it)))
    return True


def forget_history(connection: Connection, user: str) -> None:
    """Forget when `user` watched what; playheads stay."""
    connection.execute(delete(viewings).where(viewings.c.user == user))


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


def history(connection: Connection, user: str, limit: int, after: str | None) -> Page:
    """What `user` watched, the last first: rows of `pages` with `started_at`, `ended_at`, `first` and `last`."""
    statement = (
        pages.present(user)
        .add_columns(
            viewings.c.number.label("viewing"),
            viewings.c.started_at,
            viewings.c.updated_at.label("ended_at"),
            viewings.c.first,
            viewings.c.last,
        )
        .join(viewings, viewings.c.video == videos.c.number)
        .where(viewings.c.user == user)
    )
    if after is not None:
        when, number = pages.read_cursor(after, "history")
        statement = statement.where(
            or_(
                viewings.c.updated_at < when,
                and_(viewings.c.updated_at == when, viewings.c.number < number),
            )
        )
    rows = connection.execute(
        statement.order_by(viewings.c.updated_at.desc(), viewings.c.number.desc()).limit(limit + 1)
    ).all()
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, pages.cursor("history", rows[-1].ended_at, rows[-1].viewing) if more else None)


def export(connection: Connection, user: str) -> dict[str, Any]:
    """All playheads of `user` as JSON holds them, by names and contents: ids are those of one database."""
    rows = connection.execute(
        select(videos.c.path, contents.c.fingerprint, contents.c.size, playheads)
        .join(videos, videos.c.number == playheads.c.video)
        .join(contents, contents.c.revision == videos.c.revision)
        .where(playheads.c.user == user)
        .order_by(videos.c.sort_key, videos.c.number)
    )
    return {
        "version": EXPORT,
        "entries": [
            {
                "name": os.fsdecode(row.path),
                "fingerprint": row.fingerprint,
                "position": row.position,
                "duration": row.duration,
                "watched": row.watched,
                "plays": row.plays,
                "updated": moment(row.updated_at / 1000),
            }
            for row in rows
        ],
    }


@dataclass(frozen=True, slots=True)
class Entry:
    """A playhead of an export."""

    name: str
    fingerprint: str
    kept: Kept


def read_export(data: object) -> list[Entry]:
    """The entries of an export. Raises `BadRequest`, which names the first one that is none."""
    match data:
        case {"version": version} if (number := whole_number(version)) not in (None, EXPORT):
            raise BadRequest(f"this is an export of version {number}; version {EXPORT} is understood")
        case {"version": version, "entries": list(entries), **more} if whole_number(version) and not more:
            pass
        case _:
            raise BadRequest('an export is {"version": 1, "entries": [...]}')
    return [_entry(number, entry) for number, entry in enumerate(entries)]


def import_entries(connection: Connection, user: str, entries: Sequence[Entry]) -> dict[str, int]:
    """Keep what is newer than what there is. Counts what was `imported`, what `older`, and videos `unknown` here."""
    counts = {"imported": 0, "older": 0, "unknown": 0}
    for entry in entries:
        number = _find(connection, entry)
        if number is None:
            counts["unknown"] += 1
            continue
        there = connection.scalar(
            select(playheads.c.updated_at).where(playheads.c.user == user, playheads.c.video == number)
        )
        if there is not None and there >= entry.kept.updated_at:
            counts["older"] += 1
            continue
        _keep(connection, user, number, entry.kept)
        counts["imported"] += 1
    return counts


def _keep(connection: Connection, user: str, number: int, kept: Kept) -> None:
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


def _note_viewing(connection: Connection, user: str, number: int, position: float, now: int) -> None:
    seen = {"who": user, "seen": number, "at": now, "position": position}
    if not connection.execute(_GOES_ON, seen | {"since": now - CONTINUED}).rowcount:
        connection.execute(
            insert(viewings),
            {
                "user": user,
                "video": number,
                "started_at": now,
                "updated_at": now,
                "first": position,
                "last": position,
            },
        )


# Statements that run all the time are built once: that takes longer than to run them.
_TITLE = func.coalesce(videos.c.part_of, videos.c.number)
_HERE = (
    select(
        *(_TITLE.label("number"), videos.c.duration),
        *(playheads.c.position, playheads.c.watched, playheads.c.plays),
    )
    .outerjoin(playheads, and_(playheads.c.video == _TITLE, playheads.c.user == bindparam("who")))
    .where(videos.c.id == bindparam("id_"))
)
_GOES_ON = (
    update(viewings)
    .where(
        viewings.c.number
        == select(func.max(viewings.c.number))
        .where(viewings.c.user == bindparam("who"), viewings.c.video == bindparam("seen"))
        .scalar_subquery(),
        viewings.c.updated_at > bindparam("since"),
    )
    .values(updated_at=bindparam("at"), last=bindparam("position"))
)


def _is_begun(row: Row[Any]) -> bool:
    duration = row.duration or row.watched_of
    return bool(row.position > (BEGUN * duration if duration else 0))


def _find(connection: Connection, entry: Entry) -> int | None:
    """The video of an entry: the one of that name if it has these bytes, else another that has, else that name."""
    here = videos.c.place == place(entry.name)
    same = contents.c.fingerprint == entry.fingerprint
    found = connection.scalar(
        select(_TITLE)
        .join(contents, contents.c.revision == videos.c.revision)
        .where(or_(here, same))
        .order_by(
            case((and_(here, same), 0), (same, 1), else_=2),
            videos.c.missing_since.is_not(None),
            videos.c.number,
        )
        .limit(1)
    )
    return None if found is None else int(found)


def _entry(number: int, data: object) -> Entry:
    match data:
        case {
            "name": str(name),
            "fingerprint": str(fingerprint),
            "position": position,
            "duration": duration,
            "watched": bool(watched),
            "plays": plays,
            "updated": str(updated),
            **more,
        } if (
            not more
            and 0 < len(name) <= LONGEST_NAME
            and "\0" not in name
            and _FINGERPRINT.fullmatch(fingerprint)
            and (count := whole_number(plays)) is not None
            and 0 <= count <= MOST_PLAYS
        ):
            try:
                at = milliseconds(updated)
                os.fsencode(name)  # raises for what no name of a file decodes to
                playhead = Playhead.read({"position": position, "duration": duration})
            except (ValueError, BadRequest) as error:
                raise BadRequest(f"entry {number} is no playhead: {error}") from None
            return Entry(name, fingerprint, Kept(playhead.position, playhead.duration, watched, count, at))
        case _:
            raise BadRequest(f"entry {number} is no playhead: see the description of the API for what it has")


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest("positions and durations are numbers of seconds")
    if not 0 <= value <= LONGEST:
        raise BadRequest(f"positions and durations are 0 to {LONGEST} seconds")
    return float(value)
