"""Adds new, changed and moved files to the database.

Invariant: no two videos have the same path. Each function runs in a transaction of its caller.
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
from trio_stream.library.naming.families import Membership
from trio_stream.library.naming.moves import MissingVideo, NewFile, moved_from
from trio_stream.library.naming.paths import place, sort_key
from trio_stream.library.records.folders import store_folder
from trio_stream.library.records.grouping import (
    SLICE,
    change_family,
    memberships_of,
    regroup,
)
from trio_stream.library.records.title_columns import title_columns
from trio_stream.store.tables import contents, upsert, videos

MAX_CANDIDATES = 50
"""The most missing videos of one fingerprint that are compared with a new file."""


@dataclass(frozen=True, slots=True)
class ExaminedFile:
    """An examined file; `digest` only for small files, or if `DigestNeeded` requested it."""

    name: str
    identity: Identity
    content: Content
    digest: str | None = None


@dataclass(slots=True)
class Outcome:
    """How many videos are new, were moved, have returned, or have changed bytes."""

    added: int = 0
    moved: int = 0
    returned: int = 0
    changed: int = 0


def add_files(connection: Connection, found: Iterable[ExaminedFile], now: int) -> Outcome:
    """Store the files that were found, at `now` in milliseconds. Raises `DigestNeeded`; then nothing is changed.

    Queries and writes cover all files at once where possible: a first scan does little else.
    """
    outcome = Outcome()
    found = list(found)
    memberships = memberships_of(connection, [file.name for file in found])
    durations = _store_contents(connection, found)
    existing = _existing(connection, found)
    lost = _lost_fingerprints(connection, found)
    new: list[dict[str, Any]] = []
    touched: set[str] = set()
    for file in found:
        row = existing.get(place(file.name))
        if row is not None:
            outcome.returned += row.missing_since is not None
            outcome.changed += row.revision != file.content.revision
            touched |= _assign(connection, row.number, file, memberships.get(file.name))
            continue
        # If missing videos share a fingerprint but not the content, only a digest of all bytes identifies the file.
        new_file = NewFile(file.name, file.content.revision, file.digest)
        missing = _missing_with(connection, file.content) if file.content.fingerprint in lost else []
        if (gone := moved_from(new_file, missing)) is not None:
            outcome.moved += 1
            existing = {
                key: row for key, row in existing.items() if row.number != gone.number
            }  # it has moved away
            touched |= _assign(connection, gone.number, file, memberships.get(file.name))
        else:
            outcome.added += 1
            new.append(
                _new_video(file, memberships.get(file.name), durations.get(file.content.revision) or 0.0, now)
            )
    _add(connection, new)
    touched.update(video["family"] for video in new if video["family"] is not None)
    regroup(connection, touched)
    return outcome


def store_digests(connection: Connection, digests: Mapping[str, str]) -> None:
    """Store the digests of contents, by their revisions."""
    for revision, digest in digests.items():
        connection.execute(update(contents).where(contents.c.revision == revision).values(digest=digest))


def _store_contents(connection: Connection, found: Sequence[ExaminedFile]) -> dict[str, float | None]:
    """Store the contents of files; returns the durations of those that were probed before, by revision."""
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
    existing_contents = select(contents.c.revision, contents.c.duration, contents.c.digest)
    stored = [
        row
        for part in batched(list(digests), SLICE)
        for row in connection.execute(existing_contents.where(contents.c.revision.in_(part)))
    ]
    without_digest = {row.revision for row in stored if row.digest is None}
    store_digests(
        connection, {key: digest for key, digest in digests.items() if digest and key in without_digest}
    )
    return {row.revision: row.duration for row in stored}


def _existing(
    connection: Connection, found: Sequence[ExaminedFile]
) -> dict[str, Row[int, str, str, int | None]]:
    """The videos that have the names of these files, by place."""
    named = select(videos.c.number, videos.c.place, videos.c.revision, videos.c.missing_since)
    return {
        row.place: row
        for part in batched([place(file.name) for file in found], SLICE)
        for row in connection.execute(named.where(videos.c.place.in_(part))).all()
    }


def _lost_fingerprints(connection: Connection, found: Sequence[ExaminedFile]) -> set[str]:
    """The fingerprints that these files share with missing videos."""
    return {
        fingerprint
        for part in batched(list({file.content.fingerprint for file in found}), SLICE)
        for fingerprint in connection.scalars(
            select(videos.c.fingerprint)
            .where(videos.c.missing_since.is_not(None), videos.c.fingerprint.in_(part))
            .distinct()
        )
    }


def _missing_with(connection: Connection, content: Content) -> list[MissingVideo]:
    """Missing videos that may be this content: those of its revision, most recent first; else of its fingerprint."""
    # In the order of `ix_videos_missing_by_content`, so that no more rows are read than returned.
    candidates = (
        select(videos.c.number, videos.c.path, videos.c.revision, contents.c.digest)
        .join(contents, contents.c.revision == videos.c.revision)
        .where(videos.c.missing_since.is_not(None), videos.c.fingerprint == content.fingerprint)
        .order_by(videos.c.revision.desc(), videos.c.missing_since.desc(), videos.c.number.desc())
        .limit(MAX_CANDIDATES)
    )
    same = candidates.where(videos.c.revision == content.revision)
    rows = connection.execute(same).all() or connection.execute(candidates).all()
    return [MissingVideo(row.number, os.fsdecode(row.path), row.revision, row.digest) for row in rows]


def _assign(
    connection: Connection, number: int, file: ExaminedFile, membership: Membership | None
) -> set[str]:
    """Assign the file to the video `number`; returns the affected families."""
    touched = rename(connection, number, file.name, membership)
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


def rename(connection: Connection, number: int, name: str, membership: Membership | None) -> set[str]:
    """Rename the video `number` to `name`; a missing video of that name keeps everything except place and family.

    Returns the affected families.
    """
    row = connection.execute(
        select(
            *(videos.c.path, videos.c.place, videos.c.own_title, videos.c.shared_title, videos.c.tags),
            videos.c.family,
        ).where(videos.c.number == number)
    ).one()
    key = place(name)
    if row.place == key:
        return change_family(connection, number, row.family, membership)
    touched: set[str] = set()
    for other in connection.execute(
        select(videos.c.number, videos.c.family).where(videos.c.place == key, videos.c.number != number)
    ).all():
        touched |= change_family(connection, other.number, other.family, None)
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
    return touched | change_family(connection, number, row.family, membership)


def _new_video(
    file: ExaminedFile, membership: Membership | None, duration: float, now: int
) -> dict[str, Any]:
    """The row of a new video, without its folder."""
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
        "family": None if membership is None else membership.family,
        "rank": 0 if membership is None else membership.rank,
    }


def _add(connection: Connection, new: Sequence[dict[str, Any]]) -> None:
    if not new:
        return
    names = {os.fsdecode(os.path.dirname(video["path"])) for video in new}
    numbers = {os.fsencode(name): store_folder(connection, name) for name in names}
    connection.execute(
        videos.insert(), [video | {"folder": numbers[os.path.dirname(video["path"])]} for video in new]
    )


def contents_to_digest(connection: Connection, after: str, limit: int) -> list[tuple[str, str]]:
    """Contents that share a fingerprint with others and have no digest yet: the revision and a file that has it.

    At most `limit`, in order, after the revision `after`.
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
        .limit(limit)
    ).all()
    paths = {
        row.number: os.fsdecode(row.path)
        for row in connection.execute(
            select(videos.c.number, videos.c.path).where(videos.c.number.in_([row.number for row in rows]))
        )
    }
    return [(row.revision, paths[row.number]) for row in rows]
