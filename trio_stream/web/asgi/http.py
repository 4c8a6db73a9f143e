"""HTTP requests, from ASGI messages to a direct route or to Quart, and back.

Two things differ from Quart-Trio. A streamed body is sent by its stream, in the task of the request, so that all work
for a client ends with it. The last message of a response is sent outside the nursery: Hypercorn reports a disconnect
while it is still finishing the response, and a cancellation at that time would leave the connection neither kept alive
nor closed.
"""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, cast

from hypercorn.typing import (
    ASGIReceiveCallable,
    ASGISendCallable,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    HTTPScope,
)
from quart import Quart
from quart.wrappers import Response
from quart_trio.asgi import TrioASGIHTTPConnection
from werkzeug.wrappers import Response as WerkzeugResponse

from trio_stream.errors import (
    PreconditionFailed,
    TrioStreamError,
)
from trio_stream.http.cors import response_headers
from trio_stream.http.fields import Headers
from trio_stream.http.preconditions import requires_entity_tag
from trio_stream.server.asgi.http import LEAVING
from trio_stream.server.sending.chunks import Chunk
from trio_stream.streaming.stream import Ending
from trio_stream.web.asgi import access
from trio_stream.web.asgi.application import Application
from trio_stream.web.asgi.checks import check_request
from trio_stream.web.asgi.direct import DirectResponse, Route, StreamedResponse
from trio_stream.web.asgi.exchange import Exchange, Request
from trio_stream.web.asgi.problems import describe
from trio_stream.web.asgi.scopes import delivery, translate, with_normal_path

LAST_MESSAGE: HTTPResponseBodyEvent = {"type": "http.response.body", "body": b"", "more_body": False}


class HTTPConnection(TrioASGIHTTPConnection):
    """One HTTP request."""

    app: Application

    def __init__(self, app: Quart, scope: HTTPScope) -> None:
        super().__init__(app, with_normal_path(scope))

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve it. If the client disconnects, all work for it ends."""
        complete = False
        # An early end has been noted by the stream, which logs the reason.
        with (
            Exchange(self.app.services, self.scope, receive) as exchange,
            suppress(OSError, TrioStreamError),
        ):
            complete = await self._serve(exchange, send)
        if complete:
            with suppress(OSError):  # the disconnect of a client may be noticed only now
                await send(LAST_MESSAGE)

    async def _serve(self, exchange: Exchange, send: ASGISendCallable) -> bool:
        """Send everything except the last message; return whether the response is complete."""
        try:
            preflight = check_request(exchange, self.scope, self.app.settings.cors_origins)
        except TrioStreamError as error:
            return await self._send_direct(DirectResponse.of_problem(describe(error)), exchange, send)
        if preflight is not None:
            return await _send_whole(204, preflight, b"", send)
        exchange.grant = access.decide(exchange)
        route = self.app.direct_routes.find(self.scope, exchange.services)
        if route is None:
            return await self._through_quart(exchange, send)
        work = partial(self._directly, route, exchange, send)
        # If `send` raises when the client disconnects, no task must listen for that. Routes that work for long before
        # they send listen themselves (`Exchange.run_while_connected`).
        return await (work() if LEAVING in self.scope["extensions"] else exchange.run_while_connected(work))

    async def _directly(self, route: Route, exchange: Exchange, send: ASGISendCallable) -> bool:
        response = await self.app.direct_routes.respond(route, self.scope, exchange)
        return await self._send_direct(response, exchange, send)

    async def _through_quart(self, exchange: Exchange, send: ASGISendCallable) -> bool:
        try:
            request = cast("Request", self._create_request_from_scope(send))
        except ValueError:  # a request target in absolute form that is not a URL (RFC 9112 section 3.2.2)
            return await _send_whole(400, (("content-length", "0"),), b"", send)
        request.exchange = exchange

        async def work() -> bool:
            return await self._send_quart(await self.app.handle_request(request), exchange, send)

        return await exchange.run_while_connected(work, request.body)

    async def _send_quart(
        self, response: Response | WerkzeugResponse, exchange: Exchange, send: ASGISendCallable
    ) -> bool:
        headers = tuple((name.lower(), value) for name, value in response.headers.items())
        if isinstance(response, StreamedResponse):
            return await self._send_direct(replace(response.direct, headers=headers), exchange, send)
        if (
            response.status_code == 200
            and "ETag" not in response.headers
            and requires_entity_tag(exchange.fields)
        ):
            refusal = DirectResponse.of_problem(describe(PreconditionFailed(())))
            return await self._send_direct(refusal, exchange, send)
        await send(_head(response.status_code, self._with_cors(headers, exchange)))
        async with cast("Response", response).response as body:
            async for data in body:
                await send({"type": "http.response.body", "body": cast("bytes", data), "more_body": True})
        return True

    def _with_cors(self, headers: Headers, exchange: Exchange) -> Headers:
        """The headers of a response, and the CORS headers that every response has, including errors and 304."""
        allowed = self.app.settings.cors_origins
        return (*headers, *response_headers(exchange.fields.get("origin"), allowed)) if allowed else headers

    async def _send_direct(
        self, response: DirectResponse, exchange: Exchange, send: ASGISendCallable
    ) -> bool:
        headers = self._with_cors(response.headers, exchange)
        if response.forwarded is not None:
            async with response.forwarded as forwarded:
                await send(_head(response.status, headers))
                async for data in forwarded:
                    await send({"type": "http.response.body", "body": data, "more_body": True})
            return True
        stream = response.stream
        if stream is None:
            return await _send_whole(response.status, headers, response.body, send)
        await send(_head(response.status, headers))

        async def send_chunk(chunk: Chunk) -> None:
            message: Any = {"type": "http.response.body", "body": chunk, "more_body": True}
            try:
                await send(message)
            except OSError as error:
                raise translate(error) from error

        complete = await stream.run(response.parts, send_chunk, delivery(cast("Any", self.scope)))
        if complete:
            stream.end(Ending.FINISHED)
        return complete


def _head(status: int, headers: Headers) -> HTTPResponseStartEvent:
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": status, "headers": encoded}


async def _send_whole(status: int, headers: Headers, body: bytes, send: ASGISendCallable) -> bool:
    await send(_head(status, headers))
    if body:
        await send({"type": "http.response.body", "body": body, "more_body": True})
    return True
