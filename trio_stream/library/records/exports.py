"""Playheads as a file that another server can read: by names and contents, as ids are those of one database."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, case, or_, select

from trio_stream.errors import BadRequest
from trio_stream.http.numbers import whole_number
from trio_stream.library.moments import milliseconds, moment
from trio_stream.library.naming.paths import LONGEST_NAME, place
from trio_stream.library.records.watch_state import TITLE, Kept, Playhead, keep
from trio_stream.store.tables import contents, playheads, videos

MOST_PLAYS = 10**9


EXPORT = 1
"""The version of what `export` returns."""


_FINGERPRINT = re.compile(r"[0-9a-f]{24}")


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
        keep(connection, user, number, entry.kept)
        counts["imported"] += 1
    return counts


def _find(connection: Connection, entry: Entry) -> int | None:
    """The video of an entry: the one of that name if it has these bytes, else another that has, else that name."""
    here = videos.c.place == place(entry.name)
    same = contents.c.fingerprint == entry.fingerprint
    found = connection.scalar(
        select(TITLE)
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
