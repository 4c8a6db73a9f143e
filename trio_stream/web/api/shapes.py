"""Shapes of the wire, made of rows of the database and of what the library and the streams say of themselves."""

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


def shown(text: str) -> str:
    """Text that has a UTF-8 form: a byte of a name that is none becomes U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


def video(name: str, size: int, mtime_ns: int) -> Video:
    """A file of the library."""
    return Video(**_file(name, size, mtime_ns), urls=VideoUrls(**_urls(name)))


def item(row: Row[Any]) -> LibraryVideo:
    """A video of a page."""
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
    """The members of a video of a page."""
    name = os.fsdecode(row.path)
    here = f"/api/videos/{row.id}"
    return _file(name, row.size, row.mtime_ns) | {
        "urls": LibraryVideoUrls(
            **_urls(name),
            here=here,
            file=f"{here}/file",
            hls=f"{here}/master.m3u8",
            dash=f"{here}/manifest.mpd",
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
    """Where the user is in a video of a page."""
    if row.position is None:
        return None
    return Playhead(
        position=row.position,
        duration=row.duration or row.watched_of,
        watched=row.watched,
        plays=row.plays,
        updated=timestamp(row.seen_at / 1000),
    )


def details(found: pages.VideoDetails) -> VideoDetails:
    """All that is known of a video, and of the files that are the same film."""
    row = found.row
    return VideoDetails(
        **_item(row),
        description=row.description,
        tags=json.loads(row.tags),
        facts=None if row.facts is None else _media_info(row.facts),
        subtitles=[_subtitle(row, each) for each in found.subtitles],
        thumbnails=_thumbnails(row),
        artwork=Artwork(state=row.artwork, reason=row.artwork_reason),
        versions=[_version(each) for each in found.versions],
        previous=_beside(found.previous),
        next=_beside(found.next),
    )


def _media_info(text: str) -> MediaInfo:
    """The facts of a probe, kept as JSON. Earlier versions knew less, and wrote languages as files do: "eng"."""
    kept: dict[str, Any] = {"start": 0.0, "until": None, "recoded": False} | json.loads(text)
    for track in (*kept["video"], *kept["audio"], *kept["subtitles"]):
        track["language"] = language_of(track["language"])
    keyframes = kept["keyframes"]
    return MediaInfo(
        **kept
        | {
            "video": [VideoTrack(**each) for each in kept["video"]],
            "audio": [AudioTrack(**each) for each in kept["audio"]],
            "subtitles": [SubtitleTrack(**each) for each in kept["subtitles"]],
            "chapters": [Chapter(**each) for each in kept["chapters"]],
            "keyframes": keyframes and _keyframes(**keyframes),
        }
    )


def _keyframes(track: int, times: list[float], until: float | None) -> Keyframes:
    return Keyframes(track=track, count=len(times), until=until)


def derived_url(row: Row[Any], name: str) -> str:
    """The address of a file that was made of the content a video has now, good for ever."""
    return f"/api/videos/{row.id}/r/{row.revision}/{name}"


def _grid(sprites: dict[str, Any]) -> Grid:
    """The tiles as they lie on their sheets."""
    return Grid(**{each.name: sprites[each.name] for each in fields(Grid)})


def thumbnails(sprites: dict[str, Any], duration: float) -> bytes:
    """The WebVTT track of the preview tiles; sheets are named relative to it."""
    urls = [f"sheet-{each}.jpg" for each in sprites["files"]]
    return thumbnails_vtt(_grid(sprites), duration, urls).encode()


def _thumbnails(row: Row[Any]) -> Thumbnails | None:
    if row.sprites is None:
        return None
    sprites = json.loads(row.sprites)
    track = thumbnails(sprites, row.duration)
    return Thumbnails(
        track=derived_url(row, f"thumbnails-{digest(track)}.vtt"),
        sheets=[derived_url(row, f"sheet-{each}.jpg") for each in sprites["files"]],
        **asdict(_grid(sprites)),
    )


def _version(each: versions.Version) -> Version:
    return Version(
        id=each.id, name=each.name, size=each.size, width=each.width, height=each.height, leads=each.leads
    )


def _subtitle(row: Row[Any], each: Row[Any]) -> Subtitle:
    return Subtitle(
        language=each.language,
        label=each.label,
        codec=each.codec,
        forced=each.forced,
        hearing_impaired=each.hearing_impaired,
        default=each.is_default,
        track=each.track,
        name=None if each.path is None else os.fsdecode(each.path),
        state=each.state,
        reason=each.reason,
        url=None if each.vtt is None else derived_url(row, f"subtitle-{each.vtt}.vtt"),
        original=None if each.original is None else derived_url(row, f"subtitle-{each.original}.ass"),
    )


def _beside(row: Row[Any] | None) -> Neighbour | None:
    return None if row is None else Neighbour(id=row.id, title=row.title, name=os.fsdecode(row.path))


def names(rows: Sequence[Row[Any]]) -> list[str]:
    """The names of the videos of a page."""
    return [os.fsdecode(row.path) for row in rows]


def items(rows: Sequence[Row[Any]]) -> list[LibraryVideo]:
    """The videos of a page."""
    return [item(row) for row in rows]


def folder(row: Row[Any]) -> Folder:
    """A folder, with how many videos are right in it."""
    name = os.fsdecode(row.path)
    return Folder(name=name, title=name.rpartition("/")[2], videos=row.videos)


def progress_of(state: progress.Progress) -> dict[str, Any]:
    """The members of `Progress`."""
    return {
        "look": _look(state.scan),
        "last_full": _look(state.last_full),
        "watching": Watching(**asdict(state.watching)),
        "keeping": PendingJobs(**asdict(state.pending_jobs)),
        "idle": state.idle,
    }


def _look(look: progress.ScanRun) -> ScanRun:
    found = asdict(look)
    for name in ("started", "ended"):
        at = found.pop(f"{name}_at")
        found[name] = None if at is None else timestamp(at / 1000)
    return ScanRun(**found)
