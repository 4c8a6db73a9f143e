"""ASGI WebSocket messages. Video is neither compressed again nor copied, and messages from clients are small.

Hypercorn accepts `permessage-deflate` whenever it is offered, and browsers always offer it. Every chunk of a video
would go through zlib on the event loop without getting smaller. Hypercorn also copies each message twice before sending
it, and the copies stay in memory if the client stops reading. A server does not mask its frames (RFC 6455 section 5.1),
so a frame is a short header followed by the bytes of the message, and a `memoryview` is sent unchanged. As with HTTP
(`http.py`), the scope says so under `VIEWS`.
"""

from math import inf
from typing import ClassVar

import trio
from hypercorn.protocol.events import Body, Data, Event, Request, StreamClosed
from hypercorn.protocol.ws_stream import ASGIWebsocketState, FrameTooLargeError, WebsocketBuffer
from hypercorn.protocol.ws_stream import WSStream as PlainWSStream
from hypercorn.typing import ASGISendEvent, WebsocketAcceptEvent
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection, Message, Ping
from wsproto.frame_protocol import CloseReason

from trio_stream.server.asgi.allowance import BYTES_PER_PART, Allowance
from trio_stream.server.asgi.http import VIEWS

FINAL_BINARY = 0x82
"""The first byte of the final frame of a binary message (RFC 6455 section 5.2)."""


class WSStream(PlainWSStream):
    """One WebSocket."""

    message_limit: ClassVar[int] = 16 * 1024 * 1024
    _torn: bool = False  # a message was sent only in part, so no other may follow

    async def handle(self, event: Event) -> None:
        """As in Hypercorn, with this class's limit on a message, and with an end to refused connections.

        If a handshake has no key, or bytes arrive before its response, Hypercorn responds with 400 and then stops
        listening. The connection would stay open forever, the application would send to nobody, and could respond too.
        """
        if isinstance(event, Request):
            self.buffer = WebsocketBuffer(self.message_limit)
            self._pinging = trio.CancelScope()
            self._frames = Allowance()
        was_open = not self.closed
        if isinstance(event, Body | Data) and was_open and not self.handshake.accepted:
            self.closed = True
            await self._send_error_response(400)
        await super().handle(event)
        if isinstance(event, Request) and self.scheme == "ws":
            self.scope["extensions"][VIEWS] = {}
        if was_open and self.closed and not isinstance(event, StreamClosed):
            if self.app_put is not None:
                await self.app_put(
                    {"type": "websocket.disconnect", "code": CloseReason.ABNORMAL_CLOSURE.value}
                )
            await self.send(StreamClosed(stream_id=self.stream_id))
        if self.closed:
            self._pinging.cancel()

    async def app_send(self, message: ASGISendEvent | None) -> None:
        """As in Hypercorn, but a view is not converted to `bytes`, and nothing follows a message sent in part.

        When the application ends, Hypercorn would send a 500 after half a response, which h11 refuses.
        """
        if message is None and self._torn and not self.closed:
            await self.send(StreamClosed(stream_id=self.stream_id))
            return
        try:
            await self._app_send(message)
        except BaseException:
            self._torn = True
            raise

    async def _app_send(self, message: ASGISendEvent | None) -> None:
        if (
            message is None
            or message["type"] != "websocket.send"
            or not isinstance(view := message.get("bytes"), memoryview)
            or self.state is not ASGIWebsocketState.CONNECTED
        ):
            await super().app_send(message)
        elif not self.closed:
            frame = frame_header(len(view)), view
            await self.send(Data(stream_id=self.stream_id, data=frame))

    async def _handle_events(self) -> None:
        """As in Hypercorn, but too many frames without data end the WebSocket."""
        for event in self.connection.events():
            carried = len(event.data) if isinstance(event, Message) else 0
            if not self._frames.spend(carried / BYTES_PER_PART):
                await self.send(StreamClosed(stream_id=self.stream_id))
                return
            if isinstance(event, Message):
                try:
                    self.buffer.extend(event)
                except FrameTooLargeError:
                    await self._send_wsproto_event(CloseConnection(code=CloseReason.MESSAGE_TOO_BIG))
                    return
                if event.message_finished and self.app_put is not None:
                    await self.app_put(self.buffer.to_message())
                    self.buffer.clear()
            elif isinstance(event, Ping):
                await self._send_wsproto_event(event.response())
            elif isinstance(event, CloseConnection):
                if self.connection.state is ConnectionState.REMOTE_CLOSING:
                    await self._send_wsproto_event(event.response())
                await self.send(StreamClosed(stream_id=self.stream_id))

    async def _send_pings(self) -> None:
        """Ping until the WebSocket is closed. Hypercorn keeps a closed one until the next ping is due."""
        with self._pinging:
            while True:
                await trio.sleep(self.config.websocket_ping_interval or inf)
                await self._send_wsproto_event(Ping())

    async def _accept(self, message: WebsocketAcceptEvent) -> None:
        self.handshake.extensions = None
        await super()._accept(message)


def frame_header(length: int) -> bytes:
    """The header of an unmasked binary message of `length` bytes in one frame (RFC 6455 section 5.2)."""
    if length < 126:
        return bytes((FINAL_BINARY, length))
    if length < 1 << 16:
        return bytes((FINAL_BINARY, 126)) + length.to_bytes(2, "big")
    return bytes((FINAL_BINARY, 127)) + length.to_bytes(8, "big")
