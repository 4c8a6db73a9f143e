"""How the database learns of files that are new, have changed, or came from elsewhere.

Invariant: one video at a place at most. Each function runs in one transaction of whoever calls it.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from trio_stream.library.folder.content import Content, Identity
from trio_stream.library.naming.families import Kin
from trio_stream.library.naming.moves import Arrival, Gone, moved_from
from trio_stream.library.naming.paths import place, sort_key
from trio_stream.library.records.folders import store_folder
from trio_stream.library.records.grouping import (
    SLICE,
    join,
    kinships,
    regroup,
)
from trio_stream.library.records.title_columns import title_columns
from trio_stream.store.tables import contents, upsert, videos

CANDIDATES = 50
"""So many missing videos of one fingerprint are considered as what a new file was."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was looked into; `digest` only where `DigestNeeded` asked for it."""

    name: str
    identity: Identity
    content: Content
    digest: str | None = None


@dataclass(slots=True)
class Outcome:
    """How many videos were new, came from elsewhere, came back, or have other bytes than before."""

    added: int = 0
    moved: int = 0
    returned: int = 0
    changed: int = 0


def add_files(connection: Connection, found: Iterable[Found], now: int) -> Outcome:
    """Make the library know what was found, at `now` in milliseconds. `DigestNeeded`: nothing is changed.

    What can be asked or written for all files at once is: a first scan is little else than this.
    """
    outcome = Outcome()
    found = list(found)
    kin = kinships(connection, [file.name for file in found])
    durations = _store_contents(connection, found)
    known = _existing(connection, found)
    lost = _lost_fingerprints(connection, found)
    new: list[dict[str, Any]] = []
    touched: set[str] = set()
    for file in found:
        row = known.get(place(file.name))
        if row is not None:
            outcome.returned += row.missing_since is not None
            outcome.changed += row.revision != file.content.revision
            touched |= _put(connection, row.number, file, kin.get(file.name))
            continue
        # Where missing videos share a fingerprint and not the content, only a digest of all bytes tells which it was.
        arrival = Arrival(file.name, file.content.revision, file.digest)
        missing = _missing_with(connection, file.content) if file.content.fingerprint in lost else []
        if (gone := moved_from(arrival, missing)) is not None:
            outcome.moved += 1
            known = {
                key: each for key, each in known.items() if each.number != gone.number
            }  # it has left its place
            touched |= _put(connection, gone.number, file, kin.get(file.name))
        else:
            outcome.added += 1
            new.append(_new_video(file, kin.get(file.name), durations.get(file.content.revision) or 0.0, now))
    _add(connection, new)
    touched.update(video["family"] for video in new if video["family"] is not None)
    regroup(connection, touched)
    return outcome


def store_digests(connection: Connection, digests: Mapping[str, str]) -> None:
    """Write down the digests of contents, by their revisions."""
    for revision, digest in digests.items():
        connection.execute(update(contents).where(contents.c.revision == revision).values(digest=digest))


def _store_contents(connection: Connection, found: Sequence[Found]) -> dict[str, float | None]:
    """Make the contents of files known; returns the durations of those that were probed before, by revision."""
    digests = {file.content.revision: file.digest for file in found}
    rows = [
        {
            "revision": file.content.revision,
            "size": file.content.size,
            "mtime_ns": file.content.mtime_ns,
            "fingerprint": file.content.fingerprint,
            "digest": file.digest,
        }
        for file in found
    ]
    upsert(connection, contents, rows, key=("revision",), update=())
    there = select(contents.c.revision, contents.c.duration, contents.c.digest)
    kept = [
        row
        for part in batched(list(digests), SLICE)
        for row in connection.execute(there.where(contents.c.revision.in_(part)))
    ]
    undigested = {row.revision for row in kept if row.digest is None}
    store_digests(connection, {key: each for key, each in digests.items() if each and key in undigested})
    return {row.revision: row.duration for row in kept}


def _existing(connection: Connection, found: Sequence[Found]) -> dict[str, Row[int, str, str, int | None]]:
    """The videos that have the names of these files, by place."""
    named = select(videos.c.number, videos.c.place, videos.c.revision, videos.c.missing_since)
    return {
        row.place: row
        for part in batched([place(file.name) for file in found], SLICE)
        for row in connection.execute(named.where(videos.c.place.in_(part))).all()
    }


def _lost_fingerprints(connection: Connection, found: Sequence[Found]) -> set[str]:
    """Those fingerprints of these files that missing videos have."""
    return {
        fingerprint
        for part in batched(list({file.content.fingerprint for file in found}), SLICE)
        for fingerprint in connection.scalars(
            select(videos.c.fingerprint)
            .where(videos.c.missing_since.is_not(None), videos.c.fingerprint.in_(part))
            .distinct()
        )
    }


def _missing_with(connection: Connection, content: Content) -> list[Gone]:
    """Missing videos that may be this content: those of its revision, lost last; else those of its fingerprint."""
    # In the order of `ix_videos_missing_by_content`: however many there are, no more than these are read.
    likely = (
        select(videos.c.number, videos.c.path, videos.c.revision, contents.c.digest)
        .join(contents, contents.c.revision == videos.c.revision)
        .where(videos.c.missing_since.is_not(None), videos.c.fingerprint == content.fingerprint)
        .order_by(videos.c.revision.desc(), videos.c.missing_since.desc(), videos.c.number.desc())
        .limit(CANDIDATES)
    )
    same = likely.where(videos.c.revision == content.revision)
    rows = connection.execute(same).all() or connection.execute(likely).all()
    return [Gone(row.number, os.fsdecode(row.path), row.revision, row.digest) for row in rows]


def _put(connection: Connection, number: int, file: Found, kin: Kin | None) -> set[str]:
    """Let the video `number` be the file that was found; returns the families touched."""
    touched = rename(connection, number, file.name, kin)
    duration = select(contents.c.duration).where(contents.c.revision == file.content.revision)
    connection.execute(
        update(videos)
        .where(videos.c.number == number)
        .values(
            revision=file.content.revision,
            fingerprint=file.content.fingerprint,
            signature=file.identity.signature,
            size=file.content.size,
            mtime_ns=file.content.mtime_ns,
            duration=func.coalesce(duration.scalar_subquery(), 0.0),
            missing_since=None,
        )
    )
    return touched


def rename(connection: Connection, number: int, name: str, kin: Kin | None) -> set[str]:
    """Give the video `number` the name `name`; a missing video that had it keeps everything but place and kin.

    Answers the families touched.
    """
    row = connection.execute(
        select(
            *(videos.c.path, videos.c.place, videos.c.own_title, videos.c.shared_title, videos.c.tags),
            videos.c.family,
        ).where(videos.c.number == number)
    ).one()
    key = place(name)
    if row.place == key:
        return join(connection, number, row.family, kin)
    touched: set[str] = set()
    for other in connection.execute(
        select(videos.c.number, videos.c.family).where(videos.c.place == key, videos.c.number != number)
    ).all():
        touched |= join(connection, other.number, other.family, None)
        connection.execute(update(videos).where(videos.c.number == other.number).values(place=None))
    connection.execute(
        update(videos)
        .where(videos.c.number == number)
        .values(
            path=os.fsencode(name),
            place=key,
            folder=store_folder(connection, name.rpartition("/")[0]),
            sort_key=sort_key(name),
            **title_columns(name, row.own_title, row.shared_title, json.loads(row.tags)),
        )
    )
    return touched | join(connection, number, row.family, kin)


def _new_video(file: Found, kin: Kin | None, duration: float, now: int) -> dict[str, Any]:
    """The row of a video that nobody has seen before, but for its folder."""
    return {
        "id": token_hex(8),
        "path": os.fsencode(file.name),
        "place": place(file.name),
        "sort_key": sort_key(file.name),
        **title_columns(file.name, None, None, ()),
        "revision": file.content.revision,
        "fingerprint": file.content.fingerprint,
        "signature": file.identity.signature,
        "size": file.content.size,
        "mtime_ns": file.content.mtime_ns,
        "duration": duration,
        "added_at": now,
        "family": None if kin is None else kin.family,
        "rank": 0 if kin is None else kin.rank,
    }


def _add(connection: Connection, new: Sequence[dict[str, Any]]) -> None:
    if not new:
        return
    names = {os.fsdecode(os.path.dirname(video["path"])) for video in new}
    numbers = {os.fsencode(name): store_folder(connection, name) for name in names}
    connection.execute(
        videos.insert(), [video | {"folder": numbers[os.path.dirname(video["path"])]} for video in new]
    )


def alike(connection: Connection, after: str, most: int) -> list[tuple[str, str]]:
    """Contents whose fingerprint is not their own and whose digest is not known: revision and a video that has it.

    At most `most` of them, those behind the revision `after`, in order.
    """
    other = contents.alias("other")
    rows = connection.execute(
        select(contents.c.revision, func.min(videos.c.number).label("number"))
        .join(videos, videos.c.revision == contents.c.revision)
        .where(
            contents.c.digest.is_(None),
            contents.c.revision > after,
            videos.c.missing_since.is_(None),
            select(other.c.revision)
            .where(other.c.fingerprint == contents.c.fingerprint, other.c.revision != contents.c.revision)
            .exists(),
        )
        .group_by(contents.c.revision)
        .order_by(contents.c.revision)
        .limit(most)
    ).all()
    paths = {
        row.number: os.fsdecode(row.path)
        for row in connection.execute(
            select(videos.c.number, videos.c.path).where(videos.c.number.in_([row.number for row in rows]))
        )
    }
    return [(row.revision, paths[row.number]) for row in rows]
