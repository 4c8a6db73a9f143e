"""The bytes of a video over HTTP; the list of streams and how to end one."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from secrets import token_hex
from typing import Any

from quart import Blueprint, Response, request
from werkzeug.datastructures import Headers
from werkzeug.routing import PathConverter

from trio_stream.http.preconditions import Validators
from trio_stream.http.representation import Representation, respond
from trio_stream.library.naming import name_from_url
from trio_stream.streaming.maps import MappedFile
from trio_stream.web.asgi import StreamedResponse
from trio_stream.web.exchange import exchange, services
from trio_stream.web.problems import problem

blueprint = Blueprint("streams", __name__)


class VideoConverter(PathConverter):
    """The rest of a URL's path, whatever stands in it: file names may even hold line breaks."""

    regex = "(?s:.+)"
    part_isolating = False


ROUTES = ("/api/stream/", "/api/stream-range/")


@blueprint.get("/api/stream/<video:name>")
@blueprint.get("/api/stream-range/<video:name>")
async def stream_video(name: str) -> Response:
    """The video, whole or in the ranges asked for; HEAD its headers."""
    name = requested_name(request.scope["raw_path"], *ROUTES)
    video = await services().catalog.open(name)
    file = exchange().hold(video.fd)
    answer = respond(
        request.method,
        combined(request.headers),
        Representation(
            size=file.content.size,
            validators=validators(file),
            media_type=video.media_type,
            filename=name.rpartition("/")[2],
        ),
        now=int(time.time()),
        boundary=token_hex(16),
        download=request.args.get("download", "") not in ("", "0"),
    )
    if answer.status == 412:
        return problem(412, "precondition-failed", "The video is not the one you have.", answer.headers)
    response: Response
    if answer.parts:
        stream = exchange().admit(file, name=name, transport="http")
        response = StreamedResponse(answer.status, stream, answer.parts)
    else:
        response = Response(b"", status=answer.status)
    response.headers.clear()
    response.headers.extend(answer.headers)
    return response


@blueprint.get("/api/streams")
async def list_streams() -> dict[str, Any]:
    """What is streaming now."""
    return {"streams": [asdict(each) for each in services().registry.snapshot()], "status": "ok"}


@blueprint.delete("/api/streams/<stream_id>")
async def end_stream(stream_id: str) -> Response:
    """End one stream at once."""
    services().registry.end(stream_id, "ended through the API")
    return Response(b"", status=204)


def requested_name(raw_path: bytes, *prefixes: str) -> str:
    """The name behind that of `prefixes` which comes first in the path as the client sent it, percent-decoded once.

    The routing of the framework has decoded the path as text, and what is no UTF-8 is lost there.
    """
    found = [raw_path.find(prefix.encode()) for prefix in prefixes]
    at, prefix = min((at, prefix) for at, prefix in zip(found, prefixes, strict=True) if at >= 0)
    return name_from_url(raw_path[at + len(prefix) :])


def combined(headers: Headers) -> Mapping[str, str]:
    """Header fields by lower-case name, repeated lines as one list (RFC 9110 section 5.3)."""
    fields: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        fields[key] = f"{fields[key]}, {value}" if key in fields else value
    return fields


def validators(file: MappedFile) -> Validators:
    """The validators of the content that is open."""
    return Validators(etag=f'"{file.content.revision}"', modified=file.content.mtime_ns // 1_000_000_000)
