"""Videos as the API describes them: rows of the database and facts of a probe, as JSON."""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from trio_stream.http.media_types import media_type
from trio_stream.languages import language_of
from trio_stream.library.background.derived import digest
from trio_stream.library.moments import moment
from trio_stream.library.naming.paths import url_path
from trio_stream.library.records.pages import VideoDetails
from trio_stream.library.records.versions import Version
from trio_stream.media.formats.tiles import Grid, thumbnails_vtt
from trio_stream.store import Row

_SURROGATE = re.compile("[\ud800-\udfff]")


def shown(text: str) -> str:
    """Text that has a UTF-8 form: a byte of a name that is none becomes U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


def file(name: str, size: int, mtime_ns: int) -> dict[str, Any]:
    """A file of the library: `size` in bytes, `modified` in ISO 8601."""
    path = url_path(name)
    return {
        "name": name,
        "size": size,
        "modified": moment(mtime_ns // 10**9),
        "content_type": media_type(name) or "application/octet-stream",
        "urls": {
            "stream": f"/api/stream/{path}",
            "download": f"/api/stream/{path}?download=1",
            "websocket": f"/api/ws/stream/{path}",
        },
    }


def item(row: Row[Any]) -> dict[str, Any]:
    """A video of a page; seconds, pixels."""
    name = os.fsdecode(row.path)
    shape = file(name, row.size, row.mtime_ns)
    here = f"/api/videos/{row.id}"
    shape["urls"] |= {
        "self": here,
        "file": f"{here}/file",
        "hls": f"{here}/master.m3u8",
        "dash": f"{here}/manifest.mpd",
    }
    return shape | {
        "id": row.id,
        "title": row.title,
        "revision": row.revision,
        "added": moment(row.added_at / 1000),
        "state": row.state,
        "reason": row.reason,
        "duration": row.duration or None,
        "width": row.width,
        "height": row.height,
        "poster": None if row.poster is None else made(row, f"poster-{row.poster}.jpg"),
        "blurhash": row.blurhash,
        "playhead": playhead(row),
    }


def playhead(row: Row[Any]) -> dict[str, Any] | None:
    """Where the user is in a video of a page."""
    if row.position is None:
        return None
    return {
        "position": row.position,
        "duration": row.duration or row.watched_of,
        "watched": row.watched,
        "plays": row.plays,
        "updated": moment(row.seen_at / 1000),
    }


def details(found: VideoDetails) -> dict[str, Any]:
    """All that is known of a video, and of the files that are the same film."""
    row = found.row
    facts = None if row.facts is None else _facts(row.facts)
    return item(row) | {
        "description": row.description,
        "tags": json.loads(row.tags),
        "facts": facts,
        "subtitles": [_subtitle(row, each) for each in found.subtitles],
        "thumbnails": _thumbnails(row),
        "artwork": {"state": row.artwork, "reason": row.artwork_reason},
        "versions": [_version(each) for each in found.versions],
        "previous": _beside(found.before),
        "next": _beside(found.behind),
    }


def _facts(text: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"start": 0.0, "until": None} | json.loads(text)
    if facts["keyframes"] is not None:
        facts["keyframes"]["count"] = len(facts["keyframes"].pop("times"))
    for track in (*facts["video"], *facts["audio"], *facts["subtitles"]):
        track["language"] = language_of(track["language"])  # earlier versions wrote what the file says: "eng"
    return facts


def made(row: Row[Any], name: str) -> str:
    """The address of a file that was made of the content a video has now, good for ever."""
    return f"/api/videos/{row.id}/r/{row.revision}/{name}"


def grid_of(sprites: dict[str, Any]) -> Grid:
    """The tiles as they lie on their sheets."""
    return Grid(**{each.name: sprites[each.name] for each in fields(Grid)})


def thumbnails(sprites: dict[str, Any], duration: float) -> bytes:
    """The WebVTT track of the preview tiles; sheets are named relative to it."""
    urls = [f"sheet-{each}.jpg" for each in sprites["files"]]
    return thumbnails_vtt(grid_of(sprites), duration, urls).encode()


def _thumbnails(row: Row[Any]) -> dict[str, Any] | None:
    if row.sprites is None:
        return None
    sprites = json.loads(row.sprites)
    track = thumbnails(sprites, row.duration)
    return {
        "track": made(row, f"thumbnails-{digest(track)}.vtt"),
        "sheets": [made(row, f"sheet-{each}.jpg") for each in sprites["files"]],
    } | asdict(grid_of(sprites))


def _version(each: Version) -> dict[str, Any]:
    """A file of a title; bytes, pixels."""
    return {name: getattr(each, name) for name in ("id", "name", "size", "width", "height", "leads")}


def _subtitle(row: Row[Any], each: Row[Any]) -> dict[str, Any]:
    return {
        "language": each.language,
        "label": each.label,
        "codec": each.codec,
        "forced": each.forced,
        "hearing_impaired": each.hearing_impaired,
        "default": each.is_default,
        "track": each.track,
        "name": None if each.path is None else os.fsdecode(each.path),
        "state": each.state,
        "reason": each.reason,
        "url": None if each.vtt is None else made(row, f"subtitle-{each.vtt}.vtt"),
        "original": None if each.original is None else made(row, f"subtitle-{each.original}.ass"),
    }


def _beside(row: Row[Any] | None) -> dict[str, Any] | None:
    return None if row is None else {"id": row.id, "title": row.title, "name": os.fsdecode(row.path)}


def items(rows: Sequence[Row[Any]]) -> dict[str, Any]:
    """Rows of a page as both lists the API has."""
    return {"videos": [os.fsdecode(row.path) for row in rows], "items": [item(row) for row in rows]}


def folder(row: Row[Any]) -> dict[str, Any]:
    """A folder, with how many videos are right in it."""
    name = os.fsdecode(row.path)
    return {"name": name, "title": name.rpartition("/")[2], "videos": row.videos}
