"""HTTP/1.1 framing around views and spans: h11 frames a body without looking at it, so that nobody copies it.

`h11.Connection.send` joins what it frames into one `bytes`; its `send_with_data_passthrough` hands the body's own
object back, between whatever the framing needs.
"""

from typing import ClassVar

import h11
from hypercorn.events import Closed, RawData
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.typing import H11SendableEvent

from trio_stream.server.span import FileSpan


class _HTTP2(Exception):
    """The client took HTTP/2 for granted (RFC 9113 section 3.3)."""


class H11(H11Protocol):
    """Hypercorn's HTTP/1.1 protocol, passing bodies that are no `bytes` through.

    A connection stays what it was, unless `h2c`: HTTP/2 needs TLS, in which both sides have agreed on it.
    """

    h2c: ClassVar[bool] = True

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

    async def _send_h11_event(self, event: H11SendableEvent) -> None:
        if not (isinstance(event, h11.Data) and isinstance(event.data, memoryview | FileSpan)):
            await super()._send_h11_event(event)
            return
        if not isinstance(self.connection, h11.Connection):
            raise TypeError("a WebSocket connection has no HTTP body")
        for piece in self.connection.send_with_data_passthrough(event) or ():
            await self.send(RawData(piece))
