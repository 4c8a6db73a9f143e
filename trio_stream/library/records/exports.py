"""Exports and imports of playheads. Videos are identified by name and content, because ids differ between databases."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, or_, select

from trio_stream.library.naming.paths import place
from trio_stream.library.records.watch_state import TITLE, StoredPlayhead, store
from trio_stream.store.tables import contents, playheads, videos

MAX_PLAYS = 10**9


@dataclass(frozen=True, slots=True)
class Entry:
    """A playhead of an export. The video is identified by its name and the fingerprint of its content."""

    name: str
    fingerprint: str
    playhead: StoredPlayhead


def export(connection: Connection, user: str) -> list[Entry]:
    """All playheads of `user`."""
    rows = connection.execute(
        select(videos.c.path, contents.c.fingerprint, contents.c.size, playheads)
        .join(videos, videos.c.number == playheads.c.video)
        .join(contents, contents.c.revision == videos.c.revision)
        .where(playheads.c.user == user)
        .order_by(videos.c.sort_key, videos.c.number)
    )
    return [
        Entry(
            os.fsdecode(row.path),
            row.fingerprint,
            StoredPlayhead(row.position, row.duration, row.watched, row.plays, row.updated_at),
        )
        for row in rows
    ]


def import_entries(connection: Connection, user: str, entries: Sequence[Entry]) -> dict[str, int]:
    """Store the newer playheads. Returns how many were `imported`, `older` than stored ones, or of `unknown` videos."""
    counts = {"imported": 0, "older": 0, "unknown": 0}
    for entry in entries:
        number = _find(connection, entry)
        if number is None:
            counts["unknown"] += 1
            continue
        existing = connection.scalar(
            select(playheads.c.updated_at).where(playheads.c.user == user, playheads.c.video == number)
        )
        if existing is not None and existing >= entry.playhead.updated_at:
            counts["older"] += 1
            continue
        store(connection, user, number, entry.playhead)
        counts["imported"] += 1
    return counts


def _find(connection: Connection, entry: Entry) -> int | None:
    """The video of an entry: one with its name and content, else one with its content, else one with its name."""
    same_name = videos.c.place == place(entry.name)
    same_content = contents.c.fingerprint == entry.fingerprint
    found = connection.scalar(
        select(TITLE)
        .join(contents, contents.c.revision == videos.c.revision)
        .where(or_(same_name, same_content))
        .order_by(
            case((and_(same_name, same_content), 0), (same_content, 1), else_=2),
            videos.c.missing_since.is_not(None),
            videos.c.number,
        )
        .limit(1)
    )
    return None if found is None else int(found)
