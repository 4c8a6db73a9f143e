"""What was made of the videos: posters, sheets of tiles and their track, subtitles, at addresses that never change.

An address holds the revision of the video and a digest of the bytes it stands for. It answers with these bytes, or not
at all: there is nothing else it could ever mean.
"""

import json
import re
import time
from functools import partial
from secrets import token_hex
from typing import Any

from quart import Blueprint
from sqlalchemy import Connection, or_, select

from trio_stream.errors import DerivedNotFound
from trio_stream.http.preconditions import Validators
from trio_stream.http.representation import FOR_EVER, Representation, respond
from trio_stream.library.derived import SUFFIXES, digest
from trio_stream.store.tables import contents, subtitles, videos
from trio_stream.web import shapes
from trio_stream.web.direct import Answered, Asked, byte_route
from trio_stream.web.exchange import Exchange

blueprint = Blueprint("made", __name__)

_ADDRESS = re.compile(
    rb"/api/videos/([0-9a-f]{1,64})/r/([0-9a-f]{1,64})/(poster|sheet|thumbnails|subtitle)-([0-9a-f]{32})\.(jpg|vtt|ass)$"
)


@byte_route(blueprint, "/api/videos/<id_>/r/<revision>/<name>")
async def made_file(asked: Asked, exchange: Exchange) -> Answered:
    """A file that was made of a video."""
    parts = _ADDRESS.search(asked.raw_path)
    if parts is None:
        raise DerivedNotFound("there is no such file")
    id_, revision, kind, name, suffix = (part.decode() for part in parts.groups())
    found = await exchange.services.database.read(
        partial(_look_up, id_=id_, revision=revision, kind=kind, name=name)
    )
    if isinstance(found, bytes):
        return _send_track(asked, found, name)
    fd = await exchange.services.derived.open(name, suffix)
    file = exchange.hold(fd)
    answer = respond(
        asked.method,
        asked.fields,
        Representation(
            size=file.content.size,
            validators=Validators(etag=f'"{name}"', modified=file.content.mtime_ns // 10**9),
            media_type=SUFFIXES[suffix],
            filename=f"{kind}.{suffix}",
            caching=FOR_EVER,
        ),
        now=int(time.time()),
        boundary=partial(token_hex, 16),
    )
    stream = exchange.admit(file, name=f"{kind}-{name}.{suffix}", transport="http") if answer.parts else None
    return Answered(answer.status, answer.headers, stream, answer.parts)


def _send_track(asked: Asked, track: bytes, name: str) -> Answered:
    headers = (
        ("Content-Type", SUFFIXES["vtt"]),
        ("Content-Length", str(len(track))),
        ("ETag", f'"{name}"'),
        ("Cache-Control", FOR_EVER),
        ("X-Content-Type-Options", "nosniff"),
    )
    return Answered(200, headers, body=b"" if asked.method == "HEAD" else track)


def _look_up(connection: Connection, id_: str, revision: str, kind: str, name: str) -> bytes | None:
    """That there is such a file of that video; a track of tiles is made here. Raises `DerivedNotFound`."""
    video: Any = connection.execute(
        select(videos.c.number, contents.c.poster, contents.c.sprites, contents.c.duration)
        .join(contents, contents.c.revision == videos.c.revision)
        .where(videos.c.id == id_, videos.c.revision == revision)
    ).one_or_none()
    if video is None:
        raise DerivedNotFound("there is no such file")
    sprites = None if video.sprites is None else json.loads(video.sprites)
    match kind:
        case "poster" if name == video.poster:
            return None
        case "sheet" if sprites is not None and name in sprites["files"]:
            return None
        case "thumbnails" if sprites is not None:
            track = shapes.thumbnails(sprites, video.duration or 0.0)
            if digest(track) == name:
                return track
        case "subtitle":
            found = select(subtitles.c.number).where(
                or_(subtitles.c.video == video.number, subtitles.c.revision == revision),
                or_(subtitles.c.vtt == name, subtitles.c.original == name),
            )
            if connection.scalar(found.limit(1)) is not None:
                return None
    raise DerivedNotFound("there is no such file")
