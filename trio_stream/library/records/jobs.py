"""What is to be made of the videos, and what has been, as rows: each function runs in one transaction.

A content is probed first; what its facts say is there is made then: subtitles, and pictures. Whatever fails for good is
written down with its reason and never tried again until the content is another one.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, update

from trio_stream.media.formats.media_info import MediaInfo, SubtitleTrack
from trio_stream.store.tables import contents, subtitles, videos

ATTEMPTS = 10
"""A file at which the server ended so often is not tried again."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be made of the content `revision`, which the video `name` has in the state `signature`."""

    revision: str
    name: str
    signature: str
    facts: MediaInfo | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class SubtitleJob:
    """A file of subtitles to be converted."""

    number: int
    name: str
    signature: str
    codec: str
    language: str | None


@dataclass(slots=True)
class PendingJobs:
    """What is still to be made of the videos there are, in contents and subtitle files."""

    to_probe: int = 0
    to_draw: int = 0
    to_extract: int = 0
    unreadable: int = 0
    working: bool = False
    """Whether any of it is being made; what failed through no fault of its file rests until it is tried again."""


def count(connection: Connection) -> PendingJobs:
    """What is left to be made."""
    states: Select[Any] = select(func.count()).select_from(contents)
    there = select(videos.c.number).where(
        videos.c.revision == contents.c.revision, videos.c.missing_since.is_(None)
    )
    files = _waiting_files(select(func.count()).select_from(subtitles))

    def number(statement: Select[Any]) -> int:
        return connection.scalar(statement) or 0

    return PendingJobs(
        to_probe=number(states.where(contents.c.state == "new", there.exists())),
        to_draw=number(states.where(_probed(), contents.c.artwork == "waiting", there.exists())),
        to_extract=number(states.where(_probed(), contents.c.texts == "waiting", there.exists()))
        + number(files),
        unreadable=number(states.where(contents.c.state == "unreadable", there.exists())),
    )


def to_probe(connection: Connection, after: str, most: int) -> list[Job]:
    """The next contents nobody has looked into, in order behind `after`."""
    return _jobs(connection, select(contents.c.revision).where(contents.c.state == "new"), after, most)


def to_draw(connection: Connection, after: str, most: int) -> list[Job]:
    """The next contents without pictures."""
    waiting = select(contents.c.revision).where(contents.c.artwork == "waiting", _probed())
    return _jobs(connection, waiting, after, most)


def to_extract(connection: Connection, after: str, most: int) -> list[Job]:
    """The next contents whose tracks of text are not extracted."""
    waiting = select(contents.c.revision).where(contents.c.texts == "waiting", _probed())
    return _jobs(connection, waiting, after, most)


def to_convert(connection: Connection, after: int, most: int) -> list[SubtitleJob]:
    """The next files of subtitles."""
    rows = connection.execute(
        _waiting_files(select(subtitles))
        .where(subtitles.c.number > after)
        .order_by(subtitles.c.number)
        .limit(most)
    )
    return [
        SubtitleJob(row.number, os.fsdecode(row.path), row.signature, row.codec, row.language) for row in rows
    ]


def _waiting_files(statement: Select[Any]) -> Select[Any]:
    """Those files of subtitles that are to be converted: whether those of a missing video are there, nobody knows."""
    return statement.join(videos, videos.c.number == subtitles.c.video).where(
        subtitles.c.state == "waiting", videos.c.missing_since.is_(None)
    )


def begin_probe(connection: Connection, revisions: Sequence[str]) -> list[str]:
    """Count an attempt at each; returns those that are not to be tried, because the server never survived it."""
    connection.execute(
        update(contents).where(contents.c.revision.in_(revisions)).values(attempts=contents.c.attempts + 1)
    )
    tried = select(contents.c.revision).where(
        contents.c.revision.in_(revisions), contents.c.attempts > ATTEMPTS
    )
    hopeless = list(connection.scalars(tried))
    for revision in hopeless:
        store_unreadable(connection, revision, "the server ended each time it looked into this file")
    return hopeless


def forgive_probe(connection: Connection, revision: str) -> None:
    """Take an attempt back: that it failed was no fault of the file."""
    connection.execute(
        update(contents)
        .where(contents.c.revision == revision, contents.c.attempts > 0)
        .values(attempts=contents.c.attempts - 1)
    )


def store_media_info(connection: Connection, revision: str, facts: MediaInfo) -> None:
    """Write down what a probe found, and what is to be made now."""
    picture = next(iter(facts.video), None)
    texts = [track for track in facts.subtitles if track.text]
    width, height = picture.shown_size if picture else (None, None)
    duration = facts.duration or 0.0
    before = connection.execute(select(contents).where(contents.c.revision == revision)).one_or_none()
    drawn = before is not None and before.artwork == "made" and _look_alike(before, facts)
    connection.execute(
        update(contents)
        .where(contents.c.revision == revision)
        .values(
            state="probed",
            reason=facts.missing,
            attempts=0,
            facts=json.dumps(facts.to_json()),
            duration=duration,
            width=width,
            height=height,
            artwork="made" if drawn else "waiting" if picture or facts.cover is not None else "none",
            texts="waiting" if texts else "none",
        )
    )
    connection.execute(update(videos).where(videos.c.revision == revision).values(duration=duration))
    connection.execute(subtitles.delete().where(subtitles.c.revision == revision))
    for track in facts.subtitles:
        connection.execute(
            subtitles.insert().values(
                revision=revision,
                track=track.index,
                codec=track.codec,
                language=track.language,
                label=track.title or "",
                forced=track.forced,
                hearing_impaired=track.hearing_impaired,
                is_default=track.default,
                state="waiting" if track.text else "failed",
                reason=None if track.text else _why_not(track),
            )
        )


def _look_alike(before: Row[Any], facts: MediaInfo) -> bool:
    """Whether pictures that were made of a content are those that its facts ask for: nothing is drawn anew then."""
    if before.facts is None or before.duration != (facts.duration or 0.0):
        return False
    known, now = json.loads(before.facts), facts.to_json()
    return known.get("start", 0.0) == facts.start and _shown(known) == _shown(now)


def _shown(facts: dict[str, Any]) -> list[list[Any]]:
    """What pictures depend on, of the track that is played."""
    names = ("index", "width", "height", "rotation", "pixel_aspect")
    return [[track[name] for name in names] for track in facts["video"][:1]]


def _why_not(track: SubtitleTrack) -> str:
    if track.codec == "unknown":
        return "nobody here knows how these subtitles are coded"
    if track.codec == "ttml":
        return "they are TTML, which FFmpeg cannot read"
    return f"they are pictures ({track.codec}), which a browser shows only where they are drawn into the film"


def store_unreadable(connection: Connection, revision: str, reason: str) -> None:
    """Write down why a content cannot be read."""
    connection.execute(
        update(contents)
        .where(contents.c.revision == revision)
        .values(state="unreadable", reason=reason, artwork="none", texts="none")
    )


def store_artwork(
    connection: Connection,
    revision: str,
    *,
    state: str,
    reason: str | None = None,
    poster: str | None = None,
    blurhash: str | None = None,
    sprites: Mapping[str, Any] | None = None,
) -> None:
    """Write down which pictures there are of a content; `state` as in `contents.artwork`."""
    connection.execute(
        update(contents)
        .where(contents.c.revision == revision)
        .values(
            artwork=state,
            artwork_reason=reason,
            poster=poster,
            blurhash=blurhash,
            sprites=None if sprites is None else json.dumps(sprites),
        )
    )


def _probed() -> Any:
    return contents.c.state == "probed"


def _jobs(connection: Connection, which: Select[Any], after: str, most: int) -> list[Job]:
    rows: Sequence[Row[Any]] = connection.execute(
        which.add_columns(func.min(videos.c.number).label("number"))
        .join(videos, videos.c.revision == contents.c.revision)
        .where(videos.c.missing_since.is_(None), contents.c.revision > after)
        .group_by(contents.c.revision)
        .order_by(contents.c.revision)
        .limit(most)
    ).all()
    found = {
        row.number: row
        for row in connection.execute(
            select(videos.c.number, videos.c.path, videos.c.signature, contents.c.facts)
            .join(contents, contents.c.revision == videos.c.revision)
            .where(videos.c.number.in_([row.number for row in rows]))
        )
    }
    chores = []
    for row in rows:
        video = found[row.number]
        facts = None if video.facts is None else MediaInfo.from_json(json.loads(video.facts))
        chores.append(Job(row.revision, os.fsdecode(video.path), video.signature, facts))
    return chores
