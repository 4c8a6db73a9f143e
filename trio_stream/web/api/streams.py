"""The bytes of a video over HTTP; the list of streams and how to end one."""

from dataclasses import asdict
from typing import Any

from quart import Blueprint, Response
from werkzeug.routing import PathConverter

from trio_stream.http.preconditions import Validators
from trio_stream.http.representation import Representation
from trio_stream.library.folder.catalog import OpenVideo
from trio_stream.library.naming.paths import name_from_url
from trio_stream.streaming.registry import Registry
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, byte_route
from trio_stream.web.asgi.exchange import Exchange, services

blueprint = Blueprint("streams", __name__)


class VideoConverter(PathConverter):
    """The rest of a URL's path, whatever stands in it: file names may even hold line breaks."""

    regex = "(?s:.+)"
    part_isolating = False


ROUTES = (b"/api/stream/", b"/api/stream-range/")


@byte_route(blueprint, "/api/stream/<video:name>", "/api/stream-range/<video:name>")
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
async def list_streams() -> dict[str, Any]:
    """What is streaming now."""
    return {"streams": running(services().registry), "status": "ok"}


def running(registry: Registry) -> list[dict[str, Any]]:
    """The streams that run now, the oldest first."""
    return [asdict(each) for each in registry.snapshot()]


@blueprint.delete("/api/streams/<stream_id>")
async def end_stream(stream_id: str) -> Response:
    """End one stream at once."""
    services().registry.end(stream_id, "ended through the API")
    return Response(b"", status=204)


def requested_name(raw_path: bytes, *prefixes: bytes) -> str:
    """The name behind that of `prefixes` which comes first in the path as the client sent it, percent-decoded once.

    The routing of the framework has decoded the path as text, and what is no UTF-8 is lost there.
    """
    at, prefix = min((at, prefix) for prefix in prefixes if (at := raw_path.find(prefix)) >= 0)
    return name_from_url(raw_path[at + len(prefix) :])


def validators(video: OpenVideo) -> Validators:
    """The validators of the content that is open."""
    return Validators(etag=f'"{video.revision}"', modified=video.status.st_mtime_ns // 1_000_000_000)
