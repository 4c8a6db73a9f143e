"""The subtitles of a video as rows: its text tracks, and the subtitle files next to it."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from trio_stream.library.folder.subtitle_files import SubtitleFile
from trio_stream.library.naming.paths import place
from trio_stream.store.tables import contents, subtitles, videos


def store_subtitle_files(connection: Connection, video: str, files: Sequence[SubtitleFile]) -> bool:
    """Replace the subtitle files of the video `video` with `files`; returns whether that changed anything."""
    number = connection.scalar(select(videos.c.number).where(videos.c.place == place(video)))
    if number is None:
        return False
    rows = connection.execute(
        select(subtitles.c.number, subtitles.c.path, subtitles.c.signature).where(subtitles.c.video == number)
    ).all()
    found = {(os.fsencode(file.name), file.signature): file for file in files}
    stored = {(row.path, row.signature) for row in rows}
    stale = [row.number for row in rows if (row.path, row.signature) not in found]
    if stale:
        connection.execute(subtitles.delete().where(subtitles.c.number.in_(stale)))
    new_files = [file for key, file in found.items() if key not in stored]
    for file in new_files:
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
    return bool(stale or new_files)


def store_subtitle_tracks(
    connection: Connection,
    revision: str,
    tracks: Mapping[int, tuple[str, str | None]],
    reason: str,
) -> None:
    """Store the digests of the WebVTT and of the original for each track; `reason` is why the others have none."""
    unfailed = select(subtitles.c.track).where(
        subtitles.c.revision == revision, subtitles.c.state != "failed"
    )
    track_indexes = list(connection.scalars(unfailed))
    for track in track_indexes:
        here = update(subtitles).where(subtitles.c.revision == revision, subtitles.c.track == track)
        if track in tracks:
            vtt, original = tracks[track]
            connection.execute(here.values(state="made", vtt=vtt, original=original, reason=None))
        else:
            connection.execute(here.values(state="failed", reason=reason))
    state = "made" if tracks else "failed"
    connection.execute(update(contents).where(contents.c.revision == revision).values(texts=state))


def store_subtitle(
    connection: Connection, number: int, vtt: str | None, original: str | None, reason: str | None = None
) -> None:
    """Store the outcome of converting a subtitle file."""
    connection.execute(
        update(subtitles)
        .where(subtitles.c.number == number)
        .values(state="made" if vtt else "failed", vtt=vtt, original=original, reason=reason)
    )


def converted_subtitles(connection: Connection, id_: str) -> Sequence[Row[Any]]:
    """The subtitles of a video that were converted to WebVTT, each once. `content` is the revision of the video.

    Subtitles from files next to the video come first.
    """
    rows = connection.execute(
        select(subtitles, videos.c.revision.label("content"))
        .join(videos, or_(subtitles.c.video == videos.c.number, subtitles.c.revision == videos.c.revision))
        .where(videos.c.id == id_, subtitles.c.state == "made", subtitles.c.vtt.is_not(None))
        .order_by(subtitles.c.video.is_(None), subtitles.c.number)
    ).all()
    return list({row.vtt: row for row in reversed(rows)}.values())[::-1]  # identical ones count once
