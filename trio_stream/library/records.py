"""How a look at the folder changes what the database knows of it.

Each function runs in one transaction of whoever calls it. Nothing is ever deleted here: a video whose file has gone
is kept, marked missing, so that a file that comes back is the video it was, with its id and where people stopped.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from secrets import token_hex

from sqlalchemy import Connection, func, select, update

from trio_stream.library import grouping
from trio_stream.library.content import Content, Identity
from trio_stream.library.families import Kin
from trio_stream.library.grouping import SLICE, join, kinships, lose_title_files, regroup, take_over_watching
from trio_stream.library.known import place
from trio_stream.library.moves import Arrival, Gone, moved_from
from trio_stream.library.naming import sort_key
from trio_stream.library.subtitle_files import SubtitleFile
from trio_stream.library.title_files import TitleFile
from trio_stream.library.titling import called
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
    taken_over = [_take_over(connection, number, since) for number in numbers]
    regroup(connection, touched.union(*(families for families in taken_over if families is not None)))
    return sum(families is not None for families in taken_over)


def take_up(connection: Connection, found: Iterable[Found], now: int) -> Outcome:
    """Make the library know what was found, at `now` in milliseconds. `DigestNeeded`: nothing is changed."""
    outcome = Outcome()
    found = list(found)
    kin = kinships(connection, [file.name for file in found])
    touched: set[str] = set()
    for file in found:
        _keep_content(connection, file)
        row = connection.execute(
            select(videos.c.number, videos.c.revision, videos.c.missing_since).where(
                videos.c.place == place(file.name)
            )
        ).one_or_none()
        if row is not None:
            outcome.returned += row.missing_since is not None
            outcome.changed += row.revision != file.content.revision
            touched |= _put(connection, row.number, file, kin.get(file.name))
            continue
        arrival = Arrival(file.name, file.content.revision, file.digest)
        if (gone := moved_from(arrival, _missing_with(connection, file.content))) is not None:
            outcome.moved += 1
            touched |= _put(connection, gone.number, file, kin.get(file.name))
        else:
            outcome.added += 1
            touched |= _add(connection, file, kin.get(file.name), now)
    regroup(connection, touched)
    return outcome


def keep_title_files(
    connection: Connection, folder: str, changed: Sequence[TitleFile], gone: Sequence[str]
) -> None:
    """Make the title files in `folder` be as they were found."""
    grouping.keep_title_files(connection, keep_folder(connection, folder), changed, gone)


def keep_digest(connection: Connection, revision: str, digest: str) -> None:
    """Write down the digest of a content."""
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


def _keep_content(connection: Connection, file: Found) -> None:
    content = file.content
    values = {
        "revision": content.revision,
        "size": content.size,
        "mtime_ns": content.mtime_ns,
        "fingerprint": content.fingerprint,
    }
    upsert(connection, contents, values, key=("revision",), update=())
    if file.digest is not None:
        keep_digest(connection, content.revision, file.digest)


def _missing_with(connection: Connection, content: Content) -> list[Gone]:
    rows = connection.execute(
        select(videos.c.number, videos.c.path, videos.c.revision, contents.c.digest)
        .join(contents, contents.c.revision == videos.c.revision)
        .where(
            contents.c.fingerprint == content.fingerprint,
            contents.c.size == content.size,
            videos.c.missing_since.is_not(None),
        )
        .order_by(videos.c.missing_since.desc(), videos.c.number)
        .limit(CANDIDATES)
    )
    return [Gone(row.number, os.fsdecode(row.path), row.revision, row.digest) for row in rows]


def _take_over(connection: Connection, number: int, since: int) -> set[str] | None:
    """Let a video that has gone be what was added elsewhere; answers the families touched, None if nothing was."""
    gone = connection.execute(
        select(videos, contents.c.fingerprint)
        .join(contents, contents.c.revision == videos.c.revision)
        .where(videos.c.number == number, videos.c.missing_since.is_not(None))
    ).one_or_none()
    if gone is None:
        return None
    new = connection.execute(
        select(videos)
        .join(contents, contents.c.revision == videos.c.revision)
        .where(
            contents.c.fingerprint == gone.fingerprint,
            videos.c.missing_since.is_(None),
            videos.c.added_at >= since,
            videos.c.number != number,
        )
        .order_by((videos.c.revision == gone.revision).desc(), videos.c.number)
        .limit(1)
    ).one_or_none()
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
            **called(name, row.own_title, row.shared_title, json.loads(row.tags)),
        )
    )
    return touched | join(connection, number, row.family, kin)


def _add(connection: Connection, file: Found, kin: Kin | None, now: int) -> set[str]:
    duration = select(contents.c.duration).where(contents.c.revision == file.content.revision)
    connection.execute(
        videos.insert().values(
            id=token_hex(8),
            path=os.fsencode(file.name),
            place=place(file.name),
            folder=keep_folder(connection, file.name.rpartition("/")[0]),
            sort_key=sort_key(file.name),
            **called(file.name, None, None, ()),
            revision=file.content.revision,
            signature=file.identity.signature,
            size=file.content.size,
            mtime_ns=file.content.mtime_ns,
            duration=func.coalesce(duration.scalar_subquery(), 0.0),
            added_at=now,
            family=None if kin is None else kin.family,
            rank=0 if kin is None else kin.rank,
        )
    )
    return set() if kin is None else {kin.family}


def _slices[T](rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), SLICE):
        yield rows[start : start + SLICE]
