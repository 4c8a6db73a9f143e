"""From ASGI messages to Quart and back.

Three things differ from Quart-Trio. A streamed body is sent by its stream, in the task of the request, so that what
works for a client ends with it. The last message of a response is sent outside the nursery: Hypercorn announces a
disconnect while it still finishes the response, and a cancellation at that moment would leave the connection neither
kept alive nor closed. And a WebSocket waits for the client's half of the closing handshake, because closing a socket
with unread input takes away from the client what it has not read yet (RFC 6455 section 7.1.1, RFC 9112 section 9.6).
"""

import errno
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import trio
from hypercorn.typing import (
    ASGIReceiveCallable,
    ASGISendCallable,
    ASGISendEvent,
    HTTPResponseBodyEvent,
    LifespanScope,
)
from quart.asgi import ASGIHTTPConnection, ASGIWebsocketConnection
from quart.utils import encode_headers
from quart.wrappers import Response
from quart_trio.asgi import TrioASGIHTTPConnection, TrioASGIWebsocketConnection
from werkzeug.wrappers import Response as WerkzeugResponse

from trio_stream.errors import ClientGone, ClientStalled, SettingsError, SourceChanged, TrioStreamError
from trio_stream.http.bodies import Part, Window
from trio_stream.server.http import VIEWS, ZEROCOPY
from trio_stream.services import open_services
from trio_stream.streaming.pump import Chunk, Delivery
from trio_stream.streaming.stream import Ending, Stream
from trio_stream.web.exchange import Exchange, Request, Websocket

if TYPE_CHECKING:
    from trio_stream.app import TrioStream

LAST: HTTPResponseBodyEvent = {"type": "http.response.body", "body": b"", "more_body": False}

CLOSING_TIMEOUT = 10.0
"""Seconds for a client to read what is under way to it and to answer the end of its WebSocket."""


class StreamedResponse(Response):
    """A response whose body is sent by `stream`."""

    def __init__(self, status: int, stream: Stream, parts: tuple[Part, ...]) -> None:
        super().__init__(b"", status=status)
        self.stream = stream
        self.parts = parts


def translate(error: OSError) -> TrioStreamError:
    """What an `OSError` of the sending side means to a stream (`trio_stream.server` says which there are)."""
    if isinstance(error, TimeoutError):
        return ClientStalled(str(error))
    if error.errno == errno.EFAULT:
        return SourceChanged("the file was truncated")
    return ClientGone(str(error))


class HTTPConnection(TrioASGIHTTPConnection):
    """One HTTP request."""

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answer it; a client that leaves cancels the answer."""
        try:
            request = cast("Request", self._create_request_from_scope(send))
        except ValueError:  # a request target in absolute form that is no URL (RFC 9112 section 3.2.2)
            await send({"type": "http.response.start", "status": 400, "headers": [(b"content-length", b"0")]})
            await send(LAST)
            return
        whole = False
        with Exchange() as request.exchange:
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._watch, request, receive, nursery.cancel_scope)
                    response = await self.app.handle_request(request)
                    whole = await self._send_all_but_last(response, send)
                    nursery.cancel_scope.cancel()
            except* (OSError, TrioStreamError):
                pass  # it ended early: the stream has noted and logs why
        if whole:
            await send(LAST)

    async def _watch(self, request: Request, receive: ASGIReceiveCallable, scope: trio.CancelScope) -> None:
        await ASGIHTTPConnection.handle_messages(self, request, receive)
        request.exchange.client_left()
        scope.cancel()

    async def _send_all_but_last(self, response: Response | WerkzeugResponse, send: ASGISendCallable) -> bool:
        """Answers whether the response is whole but for the message that says so."""
        await send(
            {
                "type": "http.response.start",
                "status": response.status_code,
                "headers": encode_headers(response.headers),
            }
        )

        if isinstance(response, StreamedResponse):
            return await self._send_stream(response, send)
        async with cast("Response", response).response as body:
            async for data in body:
                await send({"type": "http.response.body", "body": cast("bytes", data), "more_body": True})
        return True

    async def _send_stream(self, response: StreamedResponse, send: ASGISendCallable) -> bool:
        stream = response.stream

        async def send_chunk(chunk: Chunk) -> None:
            message: Any = {"type": "http.response.body", "body": chunk, "more_body": True}
            if isinstance(chunk, Window):
                where = {"file": stream.file.fd, "offset": chunk.offset, "count": chunk.length}
                message = {"type": ZEROCOPY, **where, "more_body": True}
            try:
                await send(message)
            except OSError as error:
                raise translate(error) from error

        whole = await stream.run(response.parts, send_chunk, delivery(cast("Any", self.scope)))
        if whole:
            stream.end(Ending.FINISHED)
        return whole


def delivery(scope: Mapping[str, Any]) -> Delivery:
    """In what form the connection of `scope` takes the bytes of a file."""
    extensions = scope.get("extensions") or {}
    if ZEROCOPY in extensions:
        return Delivery.SPANS
    return Delivery.VIEWS if VIEWS in extensions else Delivery.COPIES


class WebsocketConnection(TrioASGIWebsocketConnection):
    """One WebSocket."""

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve it; a client that leaves cancels what is served."""
        torn = False

        async def send_or_tear(message: ASGISendEvent) -> None:
            nonlocal torn
            try:
                await send(message)
            except BaseException:
                torn = True  # in the middle of a frame: nothing that follows arrives
                raise

        websocket = cast("Websocket", self._create_websocket_from_scope(send_or_tear))
        websocket.exchange = Exchange()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._receive, websocket, receive, nursery.cancel_scope)
                with websocket.exchange:
                    await ASGIWebsocketConnection.handle_websocket(self, websocket, send_or_tear)
                self.receive_channel.close()
                if self._accepted and not torn:
                    with trio.move_on_after(CLOSING_TIMEOUT):
                        await trio.sleep_forever()  # until the disconnect
                nursery.cancel_scope.cancel()
        except* (OSError, TrioStreamError):
            pass  # it ended early: the stream has noted and logs why

    async def _receive(
        self, websocket: Websocket, receive: ASGIReceiveCallable, scope: trio.CancelScope
    ) -> None:
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                break
            if event["type"] == "websocket.receive":
                data, text = event.get("bytes"), event.get("text")
                with suppress(trio.BrokenResourceError):  # nobody listens after the end
                    await self.send_channel.send(data if data is not None else text or "")
        websocket.exchange.client_left()
        scope.cancel()


class Lifespan:
    """The services, from the start of the worker to its end, opened and closed by one task."""

    def __init__(self, app: "TrioStream", scope: LifespanScope) -> None:
        self.app = app

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Open them, say so, and close them when told."""
        await receive()
        try:
            async with open_services(self.app.settings) as services:
                self.app.services = services
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except SettingsError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.shutdown.complete"})
