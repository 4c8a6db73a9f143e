"""The bytes of a video over HTTP; the list of streams and how to end one."""

from dataclasses import asdict, replace
from typing import Annotated

from quart import Blueprint
from werkzeug.routing import PathConverter

from trio_stream.errors import StreamNotFound
from trio_stream.http.preconditions import Validators
from trio_stream.http.representation import Representation
from trio_stream.library.folder.catalog import OpenVideo
from trio_stream.library.naming.paths import name_from_url
from trio_stream.streaming.registry import Registry
from trio_stream.web.api.wire.figures import Stream, Streams
from trio_stream.web.api.wire.operations import (
    FOREIGN,
    KEPT_AND_CHECKED,
    STREAMS,
    Operation,
    Sends,
    declares,
    json_of,
    nothing,
    returns_json,
)
from trio_stream.web.api.wire.parts import ID_FORM, SAMPLE, says
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, byte_route
from trio_stream.web.asgi.exchange import Exchange, services

blueprint = Blueprint("streams", __name__)


class VideoConverter(PathConverter):
    """The rest of a URL's path, whatever stands in it: file names may even hold line breaks."""

    regex = "(?s:.+)"
    part_isolating = False


VIDEO_BYTES = Sends(
    id="streamVideo",
    summary="The bytes of a video",
    noun="video",
    content={"video/*": ()},
    example="part.mp4",
    caching=KEPT_AND_CHECKED,
    size=11665961,
    full="All places are taken, or too many files are open; ask again later.",
    places={
        "name": Annotated[str, says("The name of a video, percent-encoded; its slashes may stay.", SAMPLE)]
    },
)

ROUTES = (b"/api/stream/", b"/api/stream-range/")


@byte_route(blueprint, "/api/stream/<video:name>", "/api/stream-range/<video:name>")
@declares(
    VIDEO_BYTES,
    replace(VIDEO_BYTES, id="streamVideoRange", summary="The same bytes under another path"),
)
async def stream_video(asked: DirectRequest, exchange: Exchange) -> DirectResponse:
    """The video, whole or in the ranges asked for; HEAD its headers."""
    return await send_video(asked, exchange, requested_name(asked.raw_path, *ROUTES))


async def send_video(asked: DirectRequest, exchange: Exchange, name: str) -> DirectResponse:
    """Answer with the bytes of the video `name`. Raises `VideoNotFound`, `TooManyFiles`, `TooManyStreams`, ..."""
    video = await exchange.services.catalog.open(name)
    file = exchange.hold(video.file, video.status)
    answer = asked.respond(
        Representation(
            size=file.content.size,
            validators=validators(video),
            media_type=video.media_type,
            filename=name.rpartition("/")[2],
        ),
        download=asked.flag("download"),
    )
    stream = exchange.admit(file, name=name, transport="http") if answer.parts else None
    return DirectResponse(answer.status, answer.headers, stream, answer.parts)


@blueprint.get("/api/streams")
@returns_json(
    Operation(
        id="listStreams",
        tag=STREAMS,
        summary="What is streaming now",
        returns=(json_of("All running streams.", Streams),),
    )
)
async def list_streams() -> Streams:
    """What is streaming now."""
    return Streams(streams=running(services().registry))


def running(registry: Registry) -> list[Stream]:
    """The streams that run now, the oldest first."""
    return [Stream(**asdict(each)) for each in registry.snapshot()]


@blueprint.delete("/api/streams/<id_>")
@returns_json(
    Operation(
        id="endStream",
        tag=STREAMS,
        summary="End a stream at once",
        curl="curl -X DELETE {url}",
        returns=(nothing("It has ended."),),
        raises=(
            FOREIGN,
            {StreamNotFound: "No such stream is running."},
        ),
        places={"id": Annotated[str, says("The id of the stream.", "8e83768fea6f800f", pattern=ID_FORM)]},
    )
)
async def end_stream(id_: str) -> None:
    """End one stream at once."""
    services().registry.end(id_, "ended through the API")


def requested_name(raw_path: bytes, *prefixes: bytes) -> str:
    """The name behind that of `prefixes` which comes first in the path as the client sent it, percent-decoded once.

    The routing of the framework has decoded the path as text, and what is no UTF-8 is lost there.
    """
    at, prefix = min((at, prefix) for prefix in prefixes if (at := raw_path.find(prefix)) >= 0)
    return name_from_url(raw_path[at + len(prefix) :])


def validators(video: OpenVideo) -> Validators:
    """The validators of the content that is open."""
    return Validators(etag=f'"{video.revision}"', modified=video.status.st_mtime_ns // 1_000_000_000)
