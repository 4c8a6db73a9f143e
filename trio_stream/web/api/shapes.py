"""Conversion of database rows, and of the state of the library, to the types of the wire."""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from trio_stream.http.media_types import media_type
from trio_stream.languages import language_of
from trio_stream.library.background.derived import digest
from trio_stream.library.naming.paths import url_path
from trio_stream.library.records import pages, versions
from trio_stream.library.scan import progress
from trio_stream.library.timestamps import timestamp
from trio_stream.media.formats.trickplay import Grid, thumbnails_vtt
from trio_stream.store import Row
from trio_stream.web.api.wire.library import PendingJobs, ScanRun, Watching
from trio_stream.web.api.wire.media_info import (
    AudioTrack,
    Chapter,
    Keyframes,
    MediaInfo,
    SubtitleTrack,
    VideoTrack,
)
from trio_stream.web.api.wire.videos import (
    Artwork,
    Folder,
    LibraryVideo,
    LibraryVideoUrls,
    Neighbour,
    Playhead,
    Subtitle,
    Thumbnails,
    Version,
    Video,
    VideoDetails,
    VideoUrls,
)

_SURROGATE = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    """Text that can be encoded as UTF-8: a byte of a name that is not UTF-8 becomes U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


def video(name: str, size: int, mtime_ns: int) -> Video:
    """A file in the folder."""
    return Video(**_file(name, size, mtime_ns), urls=VideoUrls(**_urls(name)))


def item(row: Row[Any]) -> LibraryVideo:
    """A video of the library."""
    return LibraryVideo(**_item(row))


def _file(name: str, size: int, mtime_ns: int) -> dict[str, Any]:
    return {
        "name": name,
        "size": size,
        "modified": timestamp(mtime_ns // 10**9),
        "content_type": media_type(name) or "application/octet-stream",
    }


def _urls(name: str) -> dict[str, str]:
    path = url_path(name)
    return {
        "stream": f"/api/stream/{path}",
        "download": f"/api/stream/{path}?download=1",
        "websocket": f"/api/ws/stream/{path}",
    }


def _item(row: Row[Any]) -> dict[str, Any]:
    """The members of `LibraryVideo`."""
    name = os.fsdecode(row.path)
    url = f"/api/videos/{row.id}"
    return _file(name, row.size, row.mtime_ns) | {
        "urls": LibraryVideoUrls(
            **_urls(name),
            details=url,
            file=f"{url}/file",
            hls=f"{url}/master.m3u8",
            dash=f"{url}/manifest.mpd",
        ),
        "id": row.id,
        "title": row.title,
        "revision": row.revision,
        "added": timestamp(row.added_at / 1000),
        "state": row.state,
        "reason": row.reason,
        "duration": row.duration or None,
        "width": row.width,
        "height": row.height,
        "poster": None if row.poster is None else derived_url(row, f"poster-{row.poster}.jpg"),
        "blurhash": row.blurhash,
        "playhead": _playhead(row),
    }


def _playhead(row: Row[Any]) -> Playhead | None:
    """The playhead of the user."""
    if row.position is None:
        return None
    return Playhead(
        position=row.position,
        duration=row.duration or row.watched_of,
        watched=row.watched,
        plays=row.plays,
        updated=timestamp(row.seen_at / 1000),
    )


def details(video: pages.VideoDetails) -> VideoDetails:
    """All details of a video, with the versions of its title."""
    row = video.row
    return VideoDetails(
        **_item(row),
        description=row.description,
        tags=json.loads(row.tags),
        facts=None if row.facts is None else _media_info(row.facts),
        subtitles=[_subtitle(row, subtitle) for subtitle in video.subtitles],
        thumbnails=_thumbnails(row),
        artwork=Artwork(state=row.artwork, reason=row.artwork_reason),
        versions=[_version(version) for version in video.versions],
        previous=_neighbour(video.previous),
        next=_neighbour(video.next),
    )


def _media_info(text: str) -> MediaInfo:
    """The media info of a probe, stored as JSON. Earlier versions stored less, and languages as in the file: "eng"."""
    stored: dict[str, Any] = {"start": 0.0, "until": None, "recoded": False} | json.loads(text)
    for track in (*stored["video"], *stored["audio"], *stored["subtitles"]):
        track["language"] = language_of(track["language"])
    keyframes = stored["keyframes"]
    return MediaInfo(
        **stored
        | {
            "video": [VideoTrack(**track) for track in stored["video"]],
            "audio": [AudioTrack(**track) for track in stored["audio"]],
            "subtitles": [SubtitleTrack(**track) for track in stored["subtitles"]],
            "chapters": [Chapter(**chapter) for chapter in stored["chapters"]],
            "keyframes": keyframes and _keyframes(**keyframes),
        }
    )


def _keyframes(track: int, times: list[float], until: float | None) -> Keyframes:
    return Keyframes(track=track, count=len(times), until=until)


def derived_url(row: Row[Any], name: str) -> str:
    """The address of a file that is derived from the current revision of a video."""
    return f"/api/videos/{row.id}/r/{row.revision}/{name}"


def _grid(sprites: dict[str, Any]) -> Grid:
    """The layout of the thumbnails on their sheets."""
    return Grid(**{field.name: sprites[field.name] for field in fields(Grid)})


def thumbnails(sprites: dict[str, Any], duration: float) -> bytes:
    """The WebVTT track of the thumbnails; the addresses of the sheets are relative to it."""
    urls = [f"sheet-{name}.jpg" for name in sprites["files"]]
    return thumbnails_vtt(_grid(sprites), duration, urls).encode()


def _thumbnails(row: Row[Any]) -> Thumbnails | None:
    if row.sprites is None:
        return None
    sprites = json.loads(row.sprites)
    track = thumbnails(sprites, row.duration)
    return Thumbnails(
        track=derived_url(row, f"thumbnails-{digest(track)}.vtt"),
        sheets=[derived_url(row, f"sheet-{name}.jpg") for name in sprites["files"]],
        **asdict(_grid(sprites)),
    )


def _version(version: versions.Version) -> Version:
    return Version(
        id=version.id,
        name=version.name,
        size=version.size,
        width=version.width,
        height=version.height,
        leads=version.leads,
    )


def _subtitle(video: Row[Any], row: Row[Any]) -> Subtitle:
    return Subtitle(
        language=row.language,
        label=row.label,
        codec=row.codec,
        forced=row.forced,
        hearing_impaired=row.hearing_impaired,
        default=row.is_default,
        track=row.track,
        name=None if row.path is None else os.fsdecode(row.path),
        state=row.state,
        reason=row.reason,
        url=None if row.vtt is None else derived_url(video, f"subtitle-{row.vtt}.vtt"),
        original=None if row.original is None else derived_url(video, f"subtitle-{row.original}.ass"),
    )


def _neighbour(row: Row[Any] | None) -> Neighbour | None:
    return None if row is None else Neighbour(id=row.id, title=row.title, name=os.fsdecode(row.path))


def names(rows: Sequence[Row[Any]]) -> list[str]:
    """The names of the videos of a page."""
    return [os.fsdecode(row.path) for row in rows]


def items(rows: Sequence[Row[Any]]) -> list[LibraryVideo]:
    """The videos of a page."""
    return [item(row) for row in rows]


def folder(row: Row[Any]) -> Folder:
    """A folder, with the number of videos directly in it."""
    name = os.fsdecode(row.path)
    return Folder(name=name, title=name.rpartition("/")[2], videos=row.videos)


def progress_of(state: progress.Progress) -> dict[str, Any]:
    """The members of `Progress`."""
    return {
        "look": _scan_run(state.scan),
        "last_full": _scan_run(state.last_full),
        "watching": Watching(**asdict(state.watching)),
        "keeping": PendingJobs(**asdict(state.pending_jobs)),
        "idle": state.idle,
    }


def _scan_run(run: progress.ScanRun) -> ScanRun:
    members = asdict(run)
    for name in ("started", "ended"):
        milliseconds = members.pop(f"{name}_at")
        members[name] = None if milliseconds is None else timestamp(milliseconds / 1000)
    return ScanRun(**members)
