"""Derived files: posters, trickplay sheets and their track, and subtitles, at addresses whose content never changes.

An address contains the revision of the video and a digest of the content. It returns exactly these bytes, or 404.
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
from trio_stream.web.api.wire.operations import CACHED_FOREVER, ByteOperation, declares
from trio_stream.web.api.wire.parts import DIGEST, REVISION, VideoId, says
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, byte_route
from trio_stream.web.asgi.exchange import Exchange

blueprint = Blueprint("derived", __name__)

_ADDRESS = re.compile(rb"/api/videos/([0-9a-f]{16})/r/([0-9a-f]{24})/([a-z]+)-([0-9a-f]{32})\.([a-z]+)\Z")

KINDS = {"poster": {"jpg"}, "sheet": {"jpg"}, "thumbnails": {"vtt"}, "subtitle": {"vtt", "ass"}}
"""The kinds of derived files, and the suffixes of each."""


@byte_route(blueprint, "/api/videos/<id_>/r/<revision>/<name>")
@declares(
    ByteOperation(
        id="derivedFile",
        summary="Get a derived file",
        noun="file",
        content=dict.fromkeys(SUFFIXES.values(), ()),
        example="poster.jpg",
        caching=CACHED_FOREVER,
        size=31415,
        unavailable="Too many files are open, or the videos cannot be read; try again later.",
        description="Posters, trickplay sheets with their WebVTT track, and subtitles. Take the addresses from the "
        "video. The content of an address never changes; it returns 404 once the video has another revision. These "
        "files do not count as streams.",
        path={
            "id": VideoId,
            "revision": Annotated[str, says("The revision of the video it is derived from.", REVISION)],
            "name": Annotated[str, says("Its kind, and a digest of its bytes.", f"poster-{DIGEST}.jpg")],
        },
    )
)
async def derived_file(request: DirectRequest, exchange: Exchange) -> DirectResponse:
    """A file that is derived from a video."""
    match = _ADDRESS.search(request.raw_path)
    if match is None:
        raise DerivedNotFound("there is no such file")
    id_, revision, kind, name, suffix = (part.decode() for part in match.groups())
    if suffix not in KINDS.get(kind, ()):
        raise DerivedNotFound("there is no such file")
    source = await exchange.services.database.read(
        partial(derived_source, id_=id_, revision=revision, kind=kind, name=name)
    )
    if source is None:
        raise DerivedNotFound("there is no such file")
    if source.sprites is not None:
        return _send_track(request, shapes.thumbnails(source.sprites, source.duration), source.mtime_ns, name)
    file = exchange.hold(await exchange.services.derived.open(name, suffix))
    response = _respond(request, name, suffix, file.content.size, file.content.mtime_ns)
    if not response.parts:
        return DirectResponse(response.status, response.headers)
    # A client that watches a video needs its subtitles, too, which must not count as a second stream.
    stream = exchange.admit(file, name=f"{kind}-{name}.{suffix}", transport="http", free=True)
    return DirectResponse(response.status, response.headers, stream, response.parts)


def _respond(
    request: DirectRequest,
    name: str,
    suffix: str,
    size: int,
    mtime_ns: int,
    parts: tuple[Part, ...] | None = None,
) -> FileResponse:
    return request.respond(
        Representation(
            size=size,
            validators=Validators(etag=f'"{name}"', modified=mtime_ns // 10**9),
            media_type=SUFFIXES[suffix],
            filename=f"{name}.{suffix}",
            caching=IMMUTABLE,
            parts=parts,
        ),
        download=request.flag("download"),
    )


def _send_track(request: DirectRequest, track: bytes, mtime_ns: int, name: str) -> DirectResponse:
    """A track of thumbnails. It is not stored but generated again; if its digest differs, it is not found."""
    if digest(track) != name:
        raise DerivedNotFound("there is no such file")
    return DirectResponse.in_memory(_respond(request, name, "vtt", len(track), mtime_ns, (track,)))
