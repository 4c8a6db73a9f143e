"""HTTP/3 is off unless it is enabled: Hypercorn buffers everything an application sends, however slow the client is.

Its sockets are bound before this package is loaded. Nothing reads them here, and responses do not advertise them.
"""

import structlog
import trio
from hypercorn.trio.udp_server import UDPServer

log = structlog.get_logger("trio_stream.server")


class NoHTTP3(UDPServer):
    """Replaces the server of one QUIC socket."""

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Log that HTTP/3 is off, and hold the socket until the server stops."""
        log.error(
            "HTTP/3 is off, although Hypercorn says it is on: it would buffer without limit",
            address=self.socket.getsockname(),
            effect="no requests are served there; remove --quic-bind",
        )
        self.config._quic_addresses = []  # noqa: SLF001 - so that responses have no Alt-Svc field
        with self.socket:
            task_status.started()
            await self.context.terminated.wait()
