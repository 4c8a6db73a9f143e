"""Pending and finished background jobs, as rows. Each function runs in one transaction.

A content is probed first. Its media info then says whether it needs subtitles and artwork. A permanent failure is
recorded with its reason and not tried again until the content changes.
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
"""Attempts to probe a file: if the server crashes at each of them, the file is not tried again."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job on the content `revision`, which the video `name` has in the state `signature`."""

    revision: str
    name: str
    signature: str
    media_info: MediaInfo | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class SubtitleJob:
    """A subtitle file that must be converted."""

    number: int
    name: str
    signature: str
    codec: str
    language: str | None


@dataclass(slots=True)
class PendingJobs:
    """How many contents and subtitle files of present videos still need a job."""

    to_probe: int = 0
    to_draw: int = 0
    to_extract: int = 0
    unreadable: int = 0
    working: bool = False
    """Whether any job is running. A job that failed through no fault of its file waits for the next attempt."""


def count(connection: Connection) -> PendingJobs:
    """Count the pending jobs."""
    states: Select[Any] = select(func.count()).select_from(contents)
    present = select(videos.c.number).where(
        videos.c.revision == contents.c.revision, videos.c.missing_since.is_(None)
    )
    files = _waiting_files(select(func.count()).select_from(subtitles))

    def number(statement: Select[Any]) -> int:
        return connection.scalar(statement) or 0

    return PendingJobs(
        to_probe=number(states.where(contents.c.state == "new", present.exists())),
        to_draw=number(states.where(_probed(), contents.c.artwork == "waiting", present.exists())),
        to_extract=number(states.where(_probed(), contents.c.texts == "waiting", present.exists()))
        + number(files),
        unreadable=number(states.where(contents.c.state == "unreadable", present.exists())),
    )


def to_probe(connection: Connection, after: str, limit: int) -> list[Job]:
    """The next contents that need a probe, in order, after the revision `after`."""
    return _jobs(connection, select(contents.c.revision).where(contents.c.state == "new"), after, limit)


def to_draw(connection: Connection, after: str, limit: int) -> list[Job]:
    """The next contents that need artwork."""
    waiting = select(contents.c.revision).where(contents.c.artwork == "waiting", _probed())
    return _jobs(connection, waiting, after, limit)


def to_extract(connection: Connection, after: str, limit: int) -> list[Job]:
    """The next contents whose text tracks must be extracted."""
    waiting = select(contents.c.revision).where(contents.c.texts == "waiting", _probed())
    return _jobs(connection, waiting, after, limit)


def to_convert(connection: Connection, after: int, limit: int) -> list[SubtitleJob]:
    """The next subtitle files that must be converted."""
    rows = connection.execute(
        _waiting_files(select(subtitles))
        .where(subtitles.c.number > after)
        .order_by(subtitles.c.number)
        .limit(limit)
    )
    return [
        SubtitleJob(row.number, os.fsdecode(row.path), row.signature, row.codec, row.language) for row in rows
    ]


def _waiting_files(statement: Select[Any]) -> Select[Any]:
    """Limit `statement` to subtitle files to convert. Those of a missing video are left out: they may be gone too."""
    return statement.join(videos, videos.c.number == subtitles.c.video).where(
        subtitles.c.state == "waiting", videos.c.missing_since.is_(None)
    )


def begin_probe(connection: Connection, revisions: Sequence[str]) -> list[str]:
    """Count an attempt at each; returns the contents to skip because the server crashed at every attempt."""
    connection.execute(
        update(contents).where(contents.c.revision.in_(revisions)).values(attempts=contents.c.attempts + 1)
    )
    exhausted = select(contents.c.revision).where(
        contents.c.revision.in_(revisions), contents.c.attempts > ATTEMPTS
    )
    hopeless = list(connection.scalars(exhausted))
    for revision in hopeless:
        store_unreadable(connection, revision, "the server crashed each time it probed this file")
    return hopeless


def forgive_probe(connection: Connection, revision: str) -> None:
    """Take back an attempt that failed through no fault of the file."""
    connection.execute(
        update(contents)
        .where(contents.c.revision == revision, contents.c.attempts > 0)
        .values(attempts=contents.c.attempts - 1)
    )


def store_media_info(connection: Connection, revision: str, media_info: MediaInfo) -> None:
    """Store the result of a probe, and which jobs are pending now."""
    video_track = next(iter(media_info.video), None)
    subtitle_tracks = [track for track in media_info.subtitles if track.text]
    width, height = video_track.shown_size if video_track else (None, None)
    duration = media_info.duration or 0.0
    before = connection.execute(select(contents).where(contents.c.revision == revision)).one_or_none()
    drawn = before is not None and before.artwork == "made" and _has_same_artwork_source(before, media_info)
    connection.execute(
        update(contents)
        .where(contents.c.revision == revision)
        .values(
            state="probed",
            reason=media_info.missing,
            attempts=0,
            facts=json.dumps(media_info.to_json()),
            duration=duration,
            width=width,
            height=height,
            artwork="made" if drawn else "waiting" if video_track or media_info.cover is not None else "none",
            texts="waiting" if subtitle_tracks else "none",
        )
    )
    connection.execute(update(videos).where(videos.c.revision == revision).values(duration=duration))
    connection.execute(subtitles.delete().where(subtitles.c.revision == revision))
    for track in media_info.subtitles:
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
                reason=None if track.text else _unsupported_reason(track),
            )
        )


def _has_same_artwork_source(before: Row[Any], media_info: MediaInfo) -> bool:
    """Whether the artwork of a content still fits its new media info, so none must be generated again."""
    if before.facts is None or before.duration != (media_info.duration or 0.0):
        return False
    old, new = json.loads(before.facts), media_info.to_json()
    return old.get("start", 0.0) == media_info.start and _shown(old) == _shown(new)


def _shown(media_info: dict[str, Any]) -> list[list[Any]]:
    """The properties of the main video track that artwork depends on."""
    names = ("index", "width", "height", "rotation", "pixel_aspect")
    return [[track[name] for name in names] for track in media_info["video"][:1]]


def _unsupported_reason(track: SubtitleTrack) -> str:
    if track.codec == "unknown":
        return "the codec of these subtitles is unknown"
    if track.codec == "ttml":
        return "FFmpeg cannot read TTML subtitles"
    return f"browsers cannot show image subtitles ({track.codec}) unless they are burned into the video"


def store_unreadable(connection: Connection, revision: str, reason: str) -> None:
    """Record why a content cannot be read."""
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
    """Store which artwork a content has; `state` as in `contents.artwork`."""
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


def _jobs(connection: Connection, contents_to_do: Select[Any], after: str, limit: int) -> list[Job]:
    rows: Sequence[Row[Any]] = connection.execute(
        contents_to_do.add_columns(func.min(videos.c.number).label("number"))
        .join(videos, videos.c.revision == contents.c.revision)
        .where(videos.c.missing_since.is_(None), contents.c.revision > after)
        .group_by(contents.c.revision)
        .order_by(contents.c.revision)
        .limit(limit)
    ).all()
    rows_by_number = {
        row.number: row
        for row in connection.execute(
            select(videos.c.number, videos.c.path, videos.c.signature, contents.c.facts)
            .join(contents, contents.c.revision == videos.c.revision)
            .where(videos.c.number.in_([row.number for row in rows]))
        )
    }
    jobs = []
    for row in rows:
        video = rows_by_number[row.number]
        media_info = None if video.facts is None else MediaInfo.from_json(json.loads(video.facts))
        jobs.append(Job(row.revision, os.fsdecode(video.path), video.signature, media_info))
    return jobs
