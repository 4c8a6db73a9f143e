"""ASGI WebSocket messages: video is not compressed again, and a client's messages are small.

Hypercorn accepts `permessage-deflate` whenever it is offered, and browsers always offer it: every chunk of a film
would go through zlib on the event loop, to come out no smaller.
"""

from typing import ClassVar

from hypercorn.protocol.events import Event, Request, StreamClosed
from hypercorn.protocol.ws_stream import WebsocketBuffer
from hypercorn.protocol.ws_stream import WSStream as PlainWSStream
from hypercorn.typing import WebsocketAcceptEvent


class WSStream(PlainWSStream):
    """One WebSocket."""

    message_limit: ClassVar[int] = 16 * 1024 * 1024

    async def handle(self, event: Event) -> None:
        """As in Hypercorn, with the limit of this class on a message, and the end of a connection it refuses."""
        if isinstance(event, Request):
            self.buffer = WebsocketBuffer(self.message_limit)
        await super().handle(event)
        if isinstance(event, Request) and self.closed:
            # Refused as no handshake. Hypercorn stops listening and never closes: nobody else will.
            await self.send(StreamClosed(stream_id=self.stream_id))

    async def _accept(self, message: WebsocketAcceptEvent) -> None:
        self.handshake.extensions = None
        await super()._accept(message)
