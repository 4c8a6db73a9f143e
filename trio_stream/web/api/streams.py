"""The bytes of a video over HTTP, the list of streams, and ending a stream."""

from dataclasses import asdict, replace
from typing import Annotated

from quart import Blueprint
from werkzeug.routing import PathConverter

from trio_stream.accounts.grants import Verb
from trio_stream.errors import StreamNotFound
from trio_stream.http.preconditions import Validators
from trio_stream.http.representation import Representation
from trio_stream.library.folder.catalog import OpenVideo
from trio_stream.library.naming.paths import name_from_url
from trio_stream.streaming.registry import Registry
from trio_stream.web.api.wire.figures import Stream, Streams
from trio_stream.web.api.wire.operations import (
    CACHED_IF_CURRENT,
    FOREIGN,
    STREAMS,
    ByteOperation,
    Operation,
    declares,
    json_of,
    no_content,
    returns_json,
)
from trio_stream.web.api.wire.parts import ID_FORM, SAMPLE, says
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, byte_route
from trio_stream.web.asgi.exchange import Exchange, services

blueprint = Blueprint("streams", __name__)


class VideoConverter(PathConverter):
    """The rest of a URL's path. It matches any character, because file names may even contain line breaks."""

    regex = "(?s:.+)"
    part_isolating = False


VIDEO_BYTES = ByteOperation(
    id="streamVideo",
    summary="Stream a video file",
    noun="video",
    content={"video/*": ()},
    example="part.mp4",
    caching=CACHED_IF_CURRENT,
    size=11665961,
    unavailable="The limit of streams or of open files is reached; try again later.",
    path={
        "name": Annotated[
            str, says("The name of a video, percent-encoded; slashes may stay as they are.", SAMPLE)
        ]
    },
)

ROUTES = (b"/api/stream/", b"/api/stream-range/")


@byte_route(blueprint, "/api/stream/<video:name>", "/api/stream-range/<video:name>")
@declares(
    VIDEO_BYTES,
    replace(VIDEO_BYTES, id="streamVideoRange", summary="Stream a video file (alias)"),
)
async def stream_video(request: DirectRequest, exchange: Exchange) -> DirectResponse:
    """The whole video or the requested ranges; only the headers for HEAD."""
    return await send_video(request, exchange, requested_name(request.raw_path, *ROUTES))


async def send_video(request: DirectRequest, exchange: Exchange, name: str) -> DirectResponse:
    """Send the bytes of the video `name`. Raises `VideoNotFound`, `TooManyFiles`, `TooManyStreams`, ..."""
    video = await exchange.services.catalog.open(name)
    file = exchange.hold(video.file, video.status)
    response = request.respond(
        Representation(
            size=file.content.size,
            validators=validators(video),
            media_type=video.media_type,
            filename=name.rpartition("/")[2],
        ),
        download=request.flag("download"),
    )
    stream = exchange.admit(file, name=name, transport="http") if response.parts else None
    return DirectResponse(response.status, response.headers, stream, response.parts)


@blueprint.get("/api/streams")
@returns_json(
    Operation(
        id="listStreams",
        tag=STREAMS,
        summary="List the running streams",
        verb=Verb.OPERATE,
        returns=(json_of("The running streams.", Streams),),
    )
)
async def list_streams() -> Streams:
    """The running streams."""
    return Streams(streams=running(services().registry))


def running(registry: Registry) -> list[Stream]:
    """The running streams, oldest first."""
    return [Stream(**asdict(stream)) for stream in registry.snapshot()]


@blueprint.delete("/api/streams/<id_>")
@returns_json(
    Operation(
        id="endStream",
        tag=STREAMS,
        summary="End a stream",
        verb=Verb.OPERATE,
        curl="curl -X DELETE {url}",
        returns=(no_content("The stream has ended."),),
        raises=(
            FOREIGN,
            {StreamNotFound: "No such stream is running."},
        ),
        path={"id": Annotated[str, says("The id of the stream.", "8e83768fea6f800f", pattern=ID_FORM)]},
    )
)
async def end_stream(id_: str) -> None:
    """End a stream immediately."""
    services().registry.end(id_, "ended through the API")


def requested_name(raw_path: bytes, *prefixes: bytes) -> str:
    """The name after the first of `prefixes` in the path as the client sent it, percent-decoded once.

    The routing of the framework decodes the path as text, which loses bytes that are not UTF-8.
    """
    start, prefix = min((start, prefix) for prefix in prefixes if (start := raw_path.find(prefix)) >= 0)
    return name_from_url(raw_path[start + len(prefix) :])


def validators(video: OpenVideo) -> Validators:
    """The validators of an open video."""
    return Validators(etag=f'"{video.revision}"', modified=video.status.st_mtime_ns // 1_000_000_000)
