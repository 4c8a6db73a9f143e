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
from dataclasses import replace
from functools import partial
from typing import Any, cast
from urllib.parse import unquote

import trio
from hypercorn.typing import (
    ASGIReceiveCallable,
    ASGISendCallable,
    ASGISendEvent,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    HTTPScope,
    LifespanScope,
    WebsocketScope,
)
from quart import Quart
from quart.asgi import ASGIWebsocketConnection
from quart.wrappers import Response
from quart_trio import QuartTrio
from quart_trio.asgi import TrioASGIHTTPConnection, TrioASGIWebsocketConnection
from werkzeug.wrappers import Response as WerkzeugResponse

from trio_stream.errors import (
    ClientGone,
    ClientStalled,
    PreconditionFailed,
    SettingsError,
    SourceChanged,
    StoreError,
    TrioStreamError,
    first_error,
)
from trio_stream.http.cors import response_headers
from trio_stream.http.paths import normal_path
from trio_stream.http.preconditions import asks_for_a_tag
from trio_stream.ownership import SOCKET
from trio_stream.server.asgi.http import FILE_CHUNKS, LEAVING, VIEWS
from trio_stream.server.local import serve_local
from trio_stream.server.sending.chunks import Chunk
from trio_stream.services import Services, open_services, watched
from trio_stream.streaming.pump import Delivery
from trio_stream.streaming.stream import Ending
from trio_stream.web.asgi.application import Application
from trio_stream.web.asgi.checks import check_request
from trio_stream.web.asgi.direct import DirectResponse, Route, StreamedResponse
from trio_stream.web.asgi.exchange import Exchange, Request, Websocket
from trio_stream.web.asgi.problems import Headers, describe

LAST: HTTPResponseBodyEvent = {"type": "http.response.body", "body": b"", "more_body": False}

CLOSING_TIMEOUT = 10.0
"""Seconds for a client to read what is under way to it and to answer the end of its WebSocket."""


def translate(error: OSError) -> TrioStreamError:
    """What an `OSError` of the sending side means to a stream (`trio_stream.server` says which there are)."""
    if isinstance(error, TimeoutError):
        return ClientStalled(str(error))
    if error.errno == errno.EFAULT:
        return SourceChanged("the file was truncated")
    return ClientGone(str(error))


def spelt_normally[T: (HTTPScope, WebsocketScope)](scope: T) -> T:
    """The scope with the normal form of its path: what routes are found by, and what names are taken from."""
    raw = scope["raw_path"]
    normal = normal_path(raw) if raw.startswith(b"/") else raw
    if normal == raw:
        return scope
    return {**scope, "raw_path": normal, "path": unquote(normal.decode("ascii"))}


class HTTPConnection(TrioASGIHTTPConnection):
    """One HTTP request."""

    app: Application

    def __init__(self, app: Quart, scope: HTTPScope) -> None:
        super().__init__(app, spelt_normally(scope))

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve it; a client that leaves ends what works for it."""
        whole = False
        # What ends early has been noted by its stream, which logs why.
        with (
            Exchange(self.app.services, self.scope, receive) as exchange,
            suppress(OSError, TrioStreamError),
        ):
            whole = await self._serve(exchange, send)
        if whole:
            with suppress(OSError):  # a client that left may be learnt of only now
                await send(LAST)

    async def _serve(self, exchange: Exchange, send: ASGISendCallable) -> bool:
        """Send all but the message that says that the response is whole; return whether it is."""
        try:
            preflight = check_request(exchange, self.scope, self.app.settings.cors_origins)
        except TrioStreamError as error:
            return await self._send_direct(DirectResponse.of_problem(describe(error)), exchange, send)
        if preflight is not None:
            return await _send_whole(204, preflight, b"", send)
        route = self.app.direct_routes.find(self.scope, exchange.services)
        if route is None:
            return await self._through_quart(exchange, send)
        work = partial(self._directly, route, exchange, send)
        # Where a send ends when its client leaves, nobody has to listen meanwhile. Routes that work long before there
        # is something to send listen themselves (`Exchange.attend`).
        return await (work() if LEAVING in self.scope["extensions"] else exchange.attend(work))

    async def _directly(self, route: Route, exchange: Exchange, send: ASGISendCallable) -> bool:
        response = await self.app.direct_routes.respond(route, self.scope, exchange)
        return await self._send_direct(response, exchange, send)

    async def _through_quart(self, exchange: Exchange, send: ASGISendCallable) -> bool:
        try:
            request = cast("Request", self._create_request_from_scope(send))
        except ValueError:  # a request target in absolute form that is no URL (RFC 9112 section 3.2.2)
            return await _send_whole(400, (("content-length", "0"),), b"", send)
        request.exchange = exchange

        async def work() -> bool:
            return await self._send_quart(await self.app.handle_request(request), exchange, send)

        return await exchange.attend(work, request.body)

    async def _send_quart(
        self, response: Response | WerkzeugResponse, exchange: Exchange, send: ASGISendCallable
    ) -> bool:
        headers = tuple((name.lower(), value) for name, value in response.headers.items())
        if isinstance(response, StreamedResponse):
            return await self._send_direct(replace(response.direct, headers=headers), exchange, send)
        if response.status_code == 200 and "ETag" not in response.headers and asks_for_a_tag(exchange.fields):
            refusal = DirectResponse.of_problem(describe(PreconditionFailed(())))
            return await self._send_direct(refusal, exchange, send)
        await send(_head(response.status_code, self._with_shared(headers, exchange)))
        async with cast("Response", response).response as body:
            async for data in body:
                await send({"type": "http.response.body", "body": cast("bytes", data), "more_body": True})
        return True

    def _with_shared(self, headers: Headers, exchange: Exchange) -> Headers:
        """The headers of a response with those that every response has, errors and 304 included."""
        allowed = self.app.settings.cors_origins
        return (*headers, *response_headers(exchange.fields.get("origin"), allowed)) if allowed else headers

    async def _send_direct(
        self, response: DirectResponse, exchange: Exchange, send: ASGISendCallable
    ) -> bool:
        headers = self._with_shared(response.headers, exchange)
        if response.passed is not None:
            async with response.passed as passed:
                await send(_head(response.status, headers))
                async for data in passed:
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

        whole = await stream.run(response.parts, send_chunk, delivery(cast("Any", self.scope)))
        if whole:
            stream.end(Ending.FINISHED)
        return whole


def _head(status: int, headers: Headers) -> HTTPResponseStartEvent:
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": status, "headers": encoded}


async def _send_whole(status: int, headers: Headers, body: bytes, send: ASGISendCallable) -> bool:
    await send(_head(status, headers))
    if body:
        await send({"type": "http.response.body", "body": body, "more_body": True})
    return True


def delivery(scope: Mapping[str, Any]) -> Delivery:
    """In what form the connection of `scope` takes the bytes of a file."""
    extensions = scope.get("extensions") or {}
    if FILE_CHUNKS in extensions:
        return Delivery.RANGES
    return Delivery.VIEWS if VIEWS in extensions else Delivery.COPIES


class WebsocketConnection(TrioASGIWebsocketConnection):
    """One WebSocket."""

    app: Application

    def __init__(self, app: QuartTrio, scope: WebsocketScope) -> None:
        super().__init__(app, spelt_normally(scope))

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve it; a client that leaves cancels what is served."""
        torn = cut = False

        async def send_or_tear(message: ASGISendEvent) -> None:
            nonlocal torn, cut
            if cut:  # whoever answers an error would be answered with another one
                raise ClientGone("the client is gone")
            try:
                await send(message)
            except OSError as error:
                cut = True  # for good, although Hypercorn takes a second close without a word
                raise translate(error) from error
            except BaseException:
                torn = True  # perhaps: in the middle of a frame nothing that follows arrives
                raise
            torn = False  # on a torn connection the first send raises

        websocket = cast("Websocket", self._create_websocket_from_scope(send_or_tear))
        websocket.exchange = Exchange(self.app.services, self.scope)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._receive, websocket, receive, nursery.cancel_scope)
                with websocket.exchange:
                    try:  # noqa: SIM105 - the same
                        await ASGIWebsocketConnection.handle_websocket(self, websocket, send_or_tear)
                    except (OSError, TrioStreamError):
                        pass  # it ended early: the stream has noted and logs why
                self.receive_channel.close()
                if self._accepted and not (torn or cut):
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

    def __init__(self, app: Application, scope: LifespanScope) -> None:
        self.app = app

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Open them, say so, and close them when told."""
        await receive()
        begun, failure = False, ""
        try:
            async with open_services(self.app.settings) as services:
                self.app.services = services
                async with self.app.app_context():
                    for begin in self.app.before_serving_funcs:
                        await self.app.ensure_async(begin)()
                async with trio.open_nursery() as nursery:
                    door = partial(self._open_local_door, services)
                    if services.owner.mine:
                        await nursery.start(watched, services.health, "local door", door)
                    else:
                        nursery.start_soon(watched, services.health, "local door", door)
                    await send({"type": "lifespan.startup.complete"})
                    begun = True
                    await receive()
                    nursery.cancel_scope.cancel()
        except* (SettingsError, StoreError) as group:
            if begun:
                raise
            failure = str(first_error(group))
        if failure:
            await send({"type": "lifespan.startup.failed", "message": failure})
        else:
            await send({"type": "lifespan.shutdown.complete"})

    async def _open_local_door(
        self, services: Services, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Let other processes of this machine reach the owner of the data, once this is it. Raises `SettingsError`."""
        await services.owner.appointed.wait()
        try:
            with services.owner.ownership.socket_path() as path:
                await serve_local(self.app, path, task_status=task_status)
        except OSError as error:
            where = services.settings.data / SOCKET
            raise SettingsError(f"the socket {where} cannot be made: {error.strerror or error}") from error
