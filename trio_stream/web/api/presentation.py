"""The tracks that the playlists of a video offer, and the omitted ones with the reasons, as JSON."""

import re
from dataclasses import asdict
from functools import partial

from quart import Blueprint

from trio_stream.errors import Encrypted, Unpackageable, VideoNotFound
from trio_stream.http.json_text import encode_ascii
from trio_stream.http.preconditions import Validators
from trio_stream.http.representation import REVALIDATE, Representation
from trio_stream.packaging import presentation as packaged
from trio_stream.playback.manifests import Written
from trio_stream.web.api.playlists import UNAVAILABLE
from trio_stream.web.api.wire.operations import CACHED_IF_CURRENT, JSON, ByteOperation, declares
from trio_stream.web.api.wire.presentation import OmittedTrack, Presentation, Rendition
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, byte_route, owner_fallback
from trio_stream.web.asgi.exchange import Exchange

blueprint = Blueprint("presentation", __name__)

_PATH = re.compile(rb"/api/videos/([0-9a-f]{16})/presentation\Z")


@byte_route(blueprint, "/api/videos/<id_>/presentation")
@owner_fallback
@declares(
    ByteOperation(
        id="presentation",
        summary="List the offered and the omitted tracks",
        noun="presentation",
        content={JSON: (Presentation,)},
        example="presentation.json",
        caching=CACHED_IF_CURRENT,
        size=512,
        unavailable=UNAVAILABLE,
        description="The tracks of this file that its playlists offer (`renditions`), and the ones that they omit "
        "(`omitted`), each with the reason. Every video and audio track is in one of the two. The status is 200 even "
        "if the file cannot be sent in segments at all: then `reason` says why, and there are no renditions. The first "
        "request may take as long as the one for a playlist.",
    )
)
async def presentation(request: DirectRequest, exchange: Exchange) -> DirectResponse:
    """The tracks of a video that its playlists offer, and the ones that they omit, each with the reason."""
    match = _PATH.search(request.raw_path)
    if match is None:
        raise VideoNotFound("there is no such video")
    offered, mtime_ns = await exchange.run_while_connected(
        partial(exchange.services.offers.presented, match[1].decode())
    )
    text = Written.of(encode_ascii(shape(offered)).decode())
    response = request.respond(
        Representation(
            size=len(text.body),
            validators=Validators(etag=text.etag, modified=mtime_ns // 10**9),
            media_type=JSON,
            filename="presentation.json",
            caching=REVALIDATE,
            parts=(text.body,),
        )
    )
    return DirectResponse.in_memory(response)


def shape(offered: packaged.Presentation | Unpackageable) -> Presentation:
    """The presentation of a video, or why there is none; the duration in seconds."""
    if isinstance(offered, Unpackageable):
        return Presentation(
            duration=None,
            reason=str(offered),
            code="encrypted" if isinstance(offered, Encrypted) else "unpackageable",
            renditions=[],
            omitted=[],
        )
    return Presentation(
        duration=offered.duration,
        reason=None,
        code=None,
        renditions=[_rendition(rendition) for rendition in offered.renditions],
        omitted=[OmittedTrack(**asdict(track)) for track in offered.omitted],
    )


def _rendition(rendition: packaged.Rendition) -> Rendition:
    return Rendition(
        kind=rendition.kind,
        name=rendition.name,
        track=rendition.track,
        codec=rendition.codecs,
        language=rendition.language,
        label=rendition.label,
        default=rendition.default,
    )
