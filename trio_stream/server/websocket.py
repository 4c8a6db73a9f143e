"""ASGI WebSocket messages: video is not compressed again, and a client's messages are small.

Hypercorn accepts `permessage-deflate` whenever it is offered, and browsers always offer it: every chunk of a film
would go through zlib on the event loop, to come out no smaller.
"""

from typing import ClassVar

from hypercorn.protocol.events import Event, Request, StreamClosed
from hypercorn.protocol.ws_stream import WebsocketBuffer
from hypercorn.protocol.ws_stream import WSStream as PlainWSStream
from hypercorn.typing import WebsocketAcceptEvent
from wsproto.frame_protocol import CloseReason


class WSStream(PlainWSStream):
    """One WebSocket."""

    message_limit: ClassVar[int] = 16 * 1024 * 1024

    async def handle(self, event: Event) -> None:
        """As in Hypercorn, with the limit of this class on a message, and an end to what it refuses.

        A handshake without a key, or bytes before its answer, Hypercorn answers with 400 and then listens no more:
        the connection would stay open for ever, and the application would send to nobody.
        """
        if isinstance(event, Request):
            self.buffer = WebsocketBuffer(self.message_limit)
        was_open = not self.closed
        await super().handle(event)
        if was_open and self.closed and not isinstance(event, StreamClosed):
            if self.app_put is not None:
                await self.app_put(
                    {"type": "websocket.disconnect", "code": CloseReason.ABNORMAL_CLOSURE.value}
                )
            await self.send(StreamClosed(stream_id=self.stream_id))

    async def _accept(self, message: WebsocketAcceptEvent) -> None:
        self.handshake.extensions = None
        await super()._accept(message)
