"""What a video offers in segments, and what not and why, as JSON: the reasons behind its playlists."""

import json
import re
from functools import partial
from typing import Any

from quart import Blueprint

from trio_stream.errors import Unpackageable, VideoNotFound
from trio_stream.http.preconditions import Validators
from trio_stream.http.representation import ASK_FIRST, Representation
from trio_stream.packaging.presentation import Omission, Presentation, Rendition
from trio_stream.playback.manifests import Written
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, byte_route, or_by_the_owner
from trio_stream.web.asgi.exchange import Exchange

blueprint = Blueprint("presentation", __name__)

MEDIA_TYPE = "application/json"

_PATH = re.compile(rb"/api/videos/([0-9a-f]{16})/presentation\Z")


@byte_route(blueprint, "/api/videos/<id_>/presentation")
@or_by_the_owner
async def presentation(asked: DirectRequest, exchange: Exchange) -> DirectResponse:
    """The tracks of a video that its playlists offer, and those that they leave out, each with the reason."""
    found = _PATH.search(asked.raw_path)
    if found is None:
        raise VideoNotFound("there is no such video")
    offered, mtime_ns = await exchange.attend(partial(exchange.services.titles.presented, found[1].decode()))
    text = Written.of(json.dumps(shape(offered)))
    answer = asked.respond(
        Representation(
            size=len(text.body),
            validators=Validators(etag=text.etag, modified=mtime_ns // 10**9),
            media_type=MEDIA_TYPE,
            filename="presentation.json",
            caching=ASK_FIRST,
            parts=(text.body,),
        )
    )
    return DirectResponse.at_hand(answer)


def shape(offered: Presentation | Unpackageable) -> dict[str, Any]:
    """How a video is presented, or why it is not, as JSON; the duration in seconds."""
    if isinstance(offered, Unpackageable):
        return {
            "duration": None,
            "reason": str(offered),
            "code": offered.code,
            "renditions": [],
            "omitted": [],
        }
    return {
        "duration": offered.duration,
        "reason": None,
        "code": None,
        "renditions": [_rendition(each) for each in offered.renditions],
        "omitted": [_omission(each) for each in offered.omitted],
    }


def _rendition(each: Rendition) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "name": each.name,
        "track": each.track,
        "codec": each.codecs,
        "language": each.language,
        "label": each.label,
        "default": each.default,
    }


def _omission(each: Omission) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "track": each.track,
        "codec": each.codec,
        "language": each.language,
        "label": each.label,
        "reason": each.reason,
        "code": each.code,
    }
