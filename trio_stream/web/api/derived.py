"""What was made of the videos: posters, sheets of tiles and their track, subtitles, at addresses that never change.

An address holds the revision of the video and a digest of the bytes it stands for. It answers with these bytes, or not
at all: there is nothing else it could ever mean.
"""

import re
from functools import partial
from typing import Annotated

from quart import Blueprint

from trio_stream.errors import DerivedNotFound
from trio_stream.http.bodies import Part
from trio_stream.http.preconditions import Validators
from trio_stream.http.representation import IMMUTABLE, FileResponse, Representation
from trio_stream.library.background.derived import SUFFIXES, digest
from trio_stream.library.records.derived import derived_source
from trio_stream.web.api import shapes
from trio_stream.web.api.wire.operations import KEPT_FOR_EVER, Sends, declares
from trio_stream.web.api.wire.parts import MADE, REVISION, VideoId, says
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, byte_route
from trio_stream.web.asgi.exchange import Exchange

blueprint = Blueprint("made", __name__)

_ADDRESS = re.compile(rb"/api/videos/([0-9a-f]{16})/r/([0-9a-f]{24})/([a-z]+)-([0-9a-f]{32})\.([a-z]+)\Z")

KINDS = {"poster": {"jpg"}, "sheet": {"jpg"}, "thumbnails": {"vtt"}, "subtitle": {"vtt", "ass"}}
"""What there may be, and as which files."""


@byte_route(blueprint, "/api/videos/<id_>/r/<revision>/<name>")
@declares(
    Sends(
        id="derivedFile",
        summary="A file that was made of a video",
        noun="file",
        content=dict.fromkeys(SUFFIXES.values(), ()),
        example="poster.jpg",
        caching=KEPT_FOR_EVER,
        size=31415,
        full="Too many files are open, or the videos are away; ask again later.",
        description="Posters, sheets of preview tiles with their WebVTT track, and subtitles. Take the addresses from "
        "the video: each stands for these bytes and no others, and answers 404 once the video has other bytes. These "
        "files take no place of a stream.",
        places={
            "id": VideoId,
            "revision": Annotated[str, says("The revision of the video it was made of.", REVISION)],
            "name": Annotated[str, says("Its kind, and a digest of its bytes.", f"poster-{MADE}.jpg")],
        },
    )
)
async def derived_file(asked: DirectRequest, exchange: Exchange) -> DirectResponse:
    """A file that was made of a video."""
    parts = _ADDRESS.search(asked.raw_path)
    if parts is None:
        raise DerivedNotFound("there is no such file")
    id_, revision, kind, name, suffix = (part.decode() for part in parts.groups())
    if suffix not in KINDS.get(kind, ()):
        raise DerivedNotFound("there is no such file")
    found = await exchange.services.database.read(
        partial(derived_source, id_=id_, revision=revision, kind=kind, name=name)
    )
    if found is None:
        raise DerivedNotFound("there is no such file")
    if found.sprites is not None:
        return _send_track(asked, shapes.thumbnails(found.sprites, found.duration), found.mtime_ns, name)
    file = exchange.hold(await exchange.services.derived.open(name, suffix))
    answer = _respond(asked, name, suffix, file.content.size, file.content.mtime_ns)
    if not answer.parts:
        return DirectResponse(answer.status, answer.headers)
    # Whoever has a place to watch a video needs its subtitles too, and no place besides.
    stream = exchange.admit(file, name=f"{kind}-{name}.{suffix}", transport="http", free=True)
    return DirectResponse(answer.status, answer.headers, stream, answer.parts)


def _respond(
    asked: DirectRequest,
    name: str,
    suffix: str,
    size: int,
    mtime_ns: int,
    parts: tuple[Part, ...] | None = None,
) -> FileResponse:
    return asked.respond(
        Representation(
            size=size,
            validators=Validators(etag=f'"{name}"', modified=mtime_ns // 10**9),
            media_type=SUFFIXES[suffix],
            filename=f"{name}.{suffix}",
            caching=IMMUTABLE,
            parts=parts,
        ),
        download=asked.flag("download"),
    )


def _send_track(asked: DirectRequest, track: bytes, mtime_ns: int, name: str) -> DirectResponse:
    """A track of tiles, which is kept nowhere: it is written anew, and is the same or not what was asked for."""
    if digest(track) != name:
        raise DerivedNotFound("there is no such file")
    answer = _respond(asked, name, "vtt", len(track), mtime_ns, (track,))
    return DirectResponse.in_memory(answer)
