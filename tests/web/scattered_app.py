"""Run by `test_segments.py`: the server with a route that sends the bodies of `tests.scattered`."""

import time
from functools import partial
from secrets import token_hex

from quart import Blueprint

from tests.scattered import body
from trio_stream.app import create_app
from trio_stream.http.bodies import body_length
from trio_stream.http.representation import Representation, respond
from trio_stream.web.api.streams import validators
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, byte_route
from trio_stream.web.asgi.exchange import Exchange

blueprint = Blueprint("scattered", __name__)


@byte_route(blueprint, "/parts/<video>/<name>")
async def send_parts(request: DirectRequest, exchange: Exchange) -> DirectResponse:
    """Send the parts of a video that have this name in `tests.scattered`."""
    *_, name, body_name = request.raw_path.decode().split("/")
    video = await exchange.services.catalog.open(name)
    file = exchange.hold(video.file, video.status)
    parts = body(body_name, file.content.size)
    response = respond(
        request.method,
        request.fields,
        Representation(body_length(parts), validators(video), "video/mp4", "1.m4s", parts=parts),
        now=int(time.time()),
        boundary=partial(token_hex, 16),
    )
    stream = exchange.admit(file, name=name, transport="http") if response.parts else None
    return DirectResponse(response.status, response.headers, stream, response.parts)


app = create_app()
app.register_blueprint(blueprint)
