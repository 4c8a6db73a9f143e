"""How a look at the folder changes what the database knows of it.

Each function runs in one transaction of whoever calls it. Nothing is ever deleted here: a video whose file has gone
is kept, marked missing, so that a file that comes back is the video it was, with its id and where people stopped.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, update

from trio_stream.library.folder.content import Content, Identity
from trio_stream.library.folder.subtitle_files import SubtitleFile
from trio_stream.library.folder.title_files import TitleFile
from trio_stream.library.naming.families import Kin
from trio_stream.library.naming.moves import Arrival, Gone, moved_from
from trio_stream.library.naming.paths import place, sort_key
from trio_stream.library.records import grouping
from trio_stream.library.records.grouping import (
    SLICE,
    join,
    kinships,
    lose_title_files,
    regroup,
    take_over_watching,
)
from trio_stream.library.records.title_columns import title_columns
from trio_stream.store.tables import contents, folders, subtitles, upsert, videos

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


def keep_folder(connection: Connection, name: str) -> int:
    """The number of the folder `name`, which is there; it and those around it are made known."""
    key = place(name)
    row = connection.execute(
        select(folders.c.number, folders.c.missing_since).where(folders.c.place == key)
    ).one_or_none()
    if row is not None and row.missing_since is None:
        return int(row.number)
    around, _, last = name.rpartition("/")
    parent = keep_folder(connection, around) if name else None
    values = {
        "path": os.fsencode(name),
        "place": key,
        "parent": parent,
        "name_key": sort_key(last),
        "missing_since": None,
    }
    upsert(connection, folders, values, key=("place",), update=("missing_since",))
    return int(connection.scalars(select(folders.c.number).where(folders.c.place == key)).one())


def lose_folder(connection: Connection, name: str, now: int, since: int) -> tuple[int, int]:
    """Mark the folder `name` missing, and all below it; answers as `lose_videos`, after how many videos that were."""
    number = connection.scalar(select(folders.c.number).where(folders.c.place == place(name)))
    lost: list[int] = []
    away: list[int] = []
    layer = [] if number is None else [int(number)]
    while layer:
        inside: list[int] = []
        for part in _slices(layer):
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
    taken_over = lose_videos(connection, lost, now, since)
    for part in _slices(away):
        lose_title_files(connection, part)
    return len(lost), taken_over


def lose_videos(connection: Connection, numbers: Sequence[int], now: int, since: int) -> int:
    """Mark videos missing; answers how many of them are found to be what was added `since` then elsewhere.

    Both times are in milliseconds. A look that comes by the new place first takes a file that moved for a new one;
    here, where the old place turns out to be empty, the older video takes over what the new one is.
    """
    touched: set[str] = set()
    found_elsewhere: list[int] = []
    for part in _slices(numbers):
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


def take_up(connection: Connection, found: Iterable[Found], now: int) -> Outcome:
    """Make the library know what was found, at `now` in milliseconds. `DigestNeeded`: nothing is changed.

    What can be asked or written for all files at once is: a first scan is little else than this.
    """
    outcome = Outcome()
    found = list(found)
    kin = kinships(connection, [file.name for file in found])
    durations = _keep_contents(connection, found)
    known = _known(connection, found)
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


def keep_title_files(
    connection: Connection, folder: str, changed: Sequence[TitleFile], gone: Sequence[str]
) -> None:
    """Make the title files in `folder` be as they were found."""
    grouping.keep_title_files(connection, keep_folder(connection, folder), changed, gone)


def keep_digests(connection: Connection, digests: Mapping[str, str]) -> None:
    """Write down the digests of contents, by their revisions."""
    for revision, digest in digests.items():
        connection.execute(update(contents).where(contents.c.revision == revision).values(digest=digest))


def keep_subtitles(connection: Connection, video: str, files: Sequence[SubtitleFile]) -> bool:
    """Make the subtitle files beside the video `video` those in `files`; answers whether that changed anything."""
    number = connection.scalar(select(videos.c.number).where(videos.c.place == place(video)))
    if number is None:
        return False
    rows = connection.execute(
        select(subtitles.c.number, subtitles.c.path, subtitles.c.signature).where(subtitles.c.video == number)
    ).all()
    wanted = {(os.fsencode(file.name), file.signature): file for file in files}
    kept = {(row.path, row.signature) for row in rows}
    stale = [row.number for row in rows if (row.path, row.signature) not in wanted]
    if stale:
        connection.execute(subtitles.delete().where(subtitles.c.number.in_(stale)))
    fresh = [file for key, file in wanted.items() if key not in kept]
    for file in fresh:
        connection.execute(
            subtitles.insert().values(
                video=number,
                path=os.fsencode(file.name),
                signature=file.signature,
                codec=file.codec,
                language=file.language,
                label=file.label,
                forced=file.forced,
                hearing_impaired=file.hearing_impaired,
                is_default=file.is_default,
                state="waiting",
            )
        )
    return bool(stale or fresh)


def _keep_contents(connection: Connection, found: Sequence[Found]) -> dict[str, float | None]:
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
        for part in _slices(list(digests))
        for row in connection.execute(there.where(contents.c.revision.in_(part)))
    ]
    undigested = {row.revision for row in kept if row.digest is None}
    keep_digests(connection, {key: each for key, each in digests.items() if each and key in undigested})
    return {row.revision: row.duration for row in kept}


def _known(connection: Connection, found: Sequence[Found]) -> dict[str, Row[int, str, str, int | None]]:
    """The videos that have the names of these files, by place."""
    named = select(videos.c.number, videos.c.place, videos.c.revision, videos.c.missing_since)
    return {
        row.place: row
        for part in _slices([place(file.name) for file in found])
        for row in connection.execute(named.where(videos.c.place.in_(part))).all()
    }


def _lost_fingerprints(connection: Connection, found: Sequence[Found]) -> set[str]:
    """Those fingerprints of these files that missing videos have."""
    return {
        fingerprint
        for part in _slices(list({file.content.fingerprint for file in found}))
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
    """Let a video that has gone be what was added elsewhere; answers the families touched, None if nothing was."""
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
    take_over_watching(connection, new.number, number)
    connection.execute(update(videos).where(videos.c.part_of == new.number).values(part_of=None))
    said = {name: getattr(new, name) for name in ("own_title", "description") if getattr(new, name)}
    if new.tags != "[]":
        said["tags"] = new.tags
    if said:
        connection.execute(update(videos).where(videos.c.number == number).values(**said))
    connection.execute(videos.delete().where(videos.c.number == new.number))
    name = os.fsdecode(new.path)
    touched = _name(connection, number, name, kinships(connection, [name]).get(name))
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


def _put(connection: Connection, number: int, file: Found, kin: Kin | None) -> set[str]:
    """Let the video `number` be the file that was found; answers the families touched."""
    touched = _name(connection, number, file.name, kin)
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


def _name(connection: Connection, number: int, name: str, kin: Kin | None) -> set[str]:
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
            folder=keep_folder(connection, name.rpartition("/")[0]),
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
    numbers = {os.fsencode(name): keep_folder(connection, name) for name in names}
    connection.execute(
        videos.insert(), [video | {"folder": numbers[os.path.dirname(video["path"])]} for video in new]
    )


def _slices[T](rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), SLICE):
        yield rows[start : start + SLICE]
