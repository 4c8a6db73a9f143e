"""What a video offers in segments, and what not and why, as JSON: the reasons behind its playlists."""

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
from trio_stream.web.api.playlists import FULL
from trio_stream.web.api.wire.operations import JSON, KEPT_AND_CHECKED, Sends, declares
from trio_stream.web.api.wire.presentation import OmittedTrack, Presentation, Rendition
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, byte_route, owner_fallback
from trio_stream.web.asgi.exchange import Exchange

blueprint = Blueprint("presentation", __name__)

_PATH = re.compile(rb"/api/videos/([0-9a-f]{16})/presentation\Z")


@byte_route(blueprint, "/api/videos/<id_>/presentation")
@owner_fallback
@declares(
    Sends(
        id="presentation",
        summary="What a video offers in segments, and what not and why",
        noun="description",
        content={JSON: (Presentation,)},
        example="presentation.json",
        caching=KEPT_AND_CHECKED,
        size=512,
        full=FULL,
        description="The tracks of this file that its playlists offer (`renditions`), and those that they leave out "
        "(`omitted`), each with the reason: no track of pictures or sound is in neither. A file that cannot be sent in "
        "segments at all is answered with 200, too: `reason` says why, and there are no renditions. It is found out as "
        "for a playlist, so the first time it may take as long.",
    )
)
async def presentation(asked: DirectRequest, exchange: Exchange) -> DirectResponse:
    """The tracks of a video that its playlists offer, and those that they leave out, each with the reason."""
    found = _PATH.search(asked.raw_path)
    if found is None:
        raise VideoNotFound("there is no such video")
    offered, mtime_ns = await exchange.run_while_connected(
        partial(exchange.services.offers.presented, found[1].decode())
    )
    text = Written.of(encode_ascii(shape(offered)).decode())
    answer = asked.respond(
        Representation(
            size=len(text.body),
            validators=Validators(etag=text.etag, modified=mtime_ns // 10**9),
            media_type=JSON,
            filename="presentation.json",
            caching=REVALIDATE,
            parts=(text.body,),
        )
    )
    return DirectResponse.in_memory(answer)


def shape(offered: packaged.Presentation | Unpackageable) -> Presentation:
    """How a video is presented, or why it is not; the duration in seconds."""
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
        renditions=[_rendition(each) for each in offered.renditions],
        omitted=[OmittedTrack(**asdict(each)) for each in offered.omitted],
    )


def _rendition(each: packaged.Rendition) -> Rendition:
    return Rendition(
        kind=each.kind,
        name=each.name,
        track=each.track,
        codec=each.codecs,
        language=each.language,
        label=each.label,
        default=each.default,
    )
