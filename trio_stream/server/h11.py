"""HTTP/1.1 framing around views and spans: h11 frames a body without looking at it, so that nobody copies it.

`h11.Connection.send` joins what it frames into one `bytes`; its `send_with_data_passthrough` hands the body's own
object back, between whatever the framing needs.
"""

import h11
from hypercorn.events import RawData
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.typing import H11SendableEvent

from trio_stream.server.span import FileSpan


class H11(H11Protocol):
    """Hypercorn's HTTP/1.1 protocol, passing bodies that are no `bytes` through."""

    async def _send_h11_event(self, event: H11SendableEvent) -> None:
        if not (isinstance(event, h11.Data) and isinstance(event.data, memoryview | FileSpan)):
            await super()._send_h11_event(event)
            return
        if not isinstance(self.connection, h11.Connection):
            raise TypeError("a WebSocket connection has no HTTP body")
        for piece in self.connection.send_with_data_passthrough(event) or ():
            await self.send(RawData(piece))
