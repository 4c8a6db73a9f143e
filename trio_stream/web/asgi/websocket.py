"""WebSockets, from ASGI messages to Quart and back.

One thing differs from Quart-Trio. A WebSocket waits for the client's half of the closing handshake, because closing a
socket with unread input can discard data that the client has not read yet (RFC 6455 section 7.1.1, RFC 9112 section
9.6).
"""

from contextlib import suppress
from typing import cast

import trio
from hypercorn.typing import (
    ASGIReceiveCallable,
    ASGISendCallable,
    ASGISendEvent,
    WebsocketScope,
)
from quart.asgi import ASGIWebsocketConnection
from quart_trio import QuartTrio
from quart_trio.asgi import TrioASGIWebsocketConnection

from trio_stream.errors import (
    ClientGone,
    TrioStreamError,
)
from trio_stream.web.asgi.application import Application
from trio_stream.web.asgi.exchange import Exchange, Websocket
from trio_stream.web.asgi.scopes import translate, with_normal_path

CLOSING_TIMEOUT = 10.0
"""Seconds for a client to read what was sent, and to finish the closing handshake."""


class WebsocketConnection(TrioASGIWebsocketConnection):
    """One WebSocket."""

    app: Application

    def __init__(self, app: QuartTrio, scope: WebsocketScope) -> None:
        super().__init__(app, with_normal_path(scope))

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve it. If the client disconnects, that is cancelled."""
        torn = failed = False

        async def guarded_send(message: ASGISendEvent) -> None:
            nonlocal torn, failed
            if failed:  # an error handler that sends again gets the same error
                raise ClientGone("the client is gone")
            try:
                await send(message)
            except OSError as error:
                failed = True  # permanently, although Hypercorn silently accepts a second close
                raise translate(error) from error
            except BaseException:
                torn = True  # possibly: after an interrupted frame, nothing else can be sent
                raise
            torn = False  # on a torn connection the first send raises

        websocket = cast("Websocket", self._create_websocket_from_scope(guarded_send))
        websocket.exchange = Exchange(self.app.services, self.scope)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._receive, websocket, receive, nursery.cancel_scope)
                with websocket.exchange:
                    try:  # noqa: SIM105 - a context manager's frame would keep the error
                        await ASGIWebsocketConnection.handle_websocket(self, websocket, guarded_send)
                    except (OSError, TrioStreamError):
                        pass  # it ended early: the stream has noted the reason and logs it
                self.receive_channel.close()
                if self._accepted and not (torn or failed):
                    with trio.move_on_after(CLOSING_TIMEOUT):
                        await trio.sleep_forever()  # until the disconnect
                nursery.cancel_scope.cancel()
        except* (OSError, TrioStreamError):
            pass  # it ended early: the stream has noted the reason and logs it

    async def _receive(
        self, websocket: Websocket, receive: ASGIReceiveCallable, scope: trio.CancelScope
    ) -> None:
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                break
            if event["type"] == "websocket.receive":
                data, text = event.get("bytes"), event.get("text")
                with suppress(trio.BrokenResourceError):  # no task listens after the end
                    await self.send_channel.send(data if data is not None else text or "")
        websocket.exchange.client_left()
        scope.cancel()
