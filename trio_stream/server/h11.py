"""HTTP/1.1 framing around views and byte ranges. h11 frames a body without reading it, so no copy is made.

`h11.Connection.send` joins everything into one `bytes`. Its `send_with_data_passthrough` returns the body's own object
with the framing around it.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar, cast

import h11
from hypercorn.events import Closed, RawData
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.events import StreamClosed
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.typing import H11SendableEvent

from trio_stream.server.sending.chunks import Chunk


class _HTTP2(Exception):
    """The client uses HTTP/2 with prior knowledge (RFC 9113 section 3.3)."""


class H11(H11Protocol):
    """Hypercorn's HTTP/1.1 protocol, which also sends bodies that are not `bytes`.

    Unless `h2c` is set, a connection stays HTTP/1.1: HTTP/2 needs TLS, where both sides agree on it.
    """

    h2c: ClassVar[bool] = True
    _head: bytes = b""  # of a response, until the first part of its body

    async def _handle_events(self) -> None:
        try:
            await super()._handle_events()
        except _HTTP2:
            await self._send_error_response(505)
            await self.send(Closed())

    async def _check_protocol(self, event: h11.Request) -> None:
        if self.h2c:
            await super()._check_protocol(event)
        elif event.method == b"PRI":
            raise _HTTP2

    async def stream_send(self, event: StreamEvent) -> None:
        """As in Hypercorn, but the head is also sent if the application ended before it sent a body."""
        if isinstance(event, StreamClosed) and self._head:
            head, self._head = self._head, b""
            with suppress(OSError):
                await self.send(RawData(head))
        await super().stream_send(event)

    async def _send_h11_event(self, event: H11SendableEvent) -> None:
        """Send the framing of the event, and the event's own bytes unchanged.

        The head of a response is sent with the first part of its body, as ASGI allows. That makes one packet and one
        turn of the event loop instead of two.
        """
        if not isinstance(self.connection, h11.Connection):
            await super()._send_h11_event(event)  # the response to a WebSocket handshake
            return
        try:
            framed: Sequence[Chunk] = self.connection.send_with_data_passthrough(event) or ()
        except h11.LocalProtocolError:
            if self.connection.their_state != h11.ERROR:
                raise
            return
        if isinstance(event, h11.Response):
            self._head = b"".join(cast("Sequence[bytes]", framed))
            return
        head, self._head = self._head, b""
        chunks = (head, *framed) if head else tuple(framed)  # the framing, if any, and the body's own object
        if chunks:
            # Hypercorn declares `bytes`; our connection accepts chunks (`sending/chunks.py`).
            await self.send(RawData(chunks))  # type: ignore[arg-type]
