"""ASGI WebSocket messages: video is neither compressed again nor copied, and a client's messages are small.

Hypercorn accepts `permessage-deflate` whenever it is offered, and browsers always offer it: every chunk of a film
would go through zlib on the event loop, to come out no smaller. And it copies each message twice before it is sent,
which for a client that stops reading stays in memory. A server does not mask its frames (RFC 6455 section 5.1), so
a frame is a short header and then the very bytes of the message: a `memoryview` goes out as it is. As with HTTP
(`http.py`) the scope says under `VIEWS` where that is so.
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

from trio_stream.server.asgi.allowance import BYTES_OF_A_PART, Allowance
from trio_stream.server.asgi.http import VIEWS

FINAL_BINARY = 0x82
"""The first byte of a frame: the final one of a binary message (RFC 6455 section 5.2)."""


class WSStream(PlainWSStream):
    """One WebSocket."""

    message_limit: ClassVar[int] = 16 * 1024 * 1024
    _torn: bool = False  # a message of the application did not get out whole, so none may follow

    async def handle(self, event: Event) -> None:
        """As in Hypercorn, with the limit of this class on a message, and an end to what it refuses.

        A handshake without a key, or bytes before its answer, Hypercorn answers with 400 and then listens no more:
        the connection would stay open for ever, and the application would send to nobody. Meanwhile the application
        could answer as well.
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
        """As in Hypercorn, but a view is not turned into `bytes`, and nothing follows what did not get out whole.

        Hypercorn would answer 500 behind half an answer, when the application ends, which h11 does not let it do.
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
        """As in Hypercorn, for as many frames that carry nothing as a client may send; then the WebSocket ends."""
        for event in self.connection.events():
            carried = len(event.data) if isinstance(event, Message) else 0
            if not self._frames.spend(carried / BYTES_OF_A_PART):
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
        """Ping until the WebSocket is closed; Hypercorn keeps a closed one until the next ping is due."""
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
