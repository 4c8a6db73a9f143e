"""HTTP/3 is not spoken unless asked for: Hypercorn buffers whatever an application sends, however slow the client.

Its sockets are bound before anything of this package is loaded; here nobody reads them, and responses do not say
that they are there.
"""

import structlog
import trio
from hypercorn.trio.udp_server import UDPServer

log = structlog.get_logger("trio_stream.server")


class NoHTTP3(UDPServer):
    """Takes the place of the server of one QUIC socket."""

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Say that it is off, and hold the socket until the server stops."""
        log.error(
            "HTTP/3 is off, whatever Hypercorn says: it would buffer without limit",
            address=self.socket.getsockname(),
            effect="nothing answers there; leave --quic-bind out",
        )
        self.config._quic_addresses = []  # noqa: SLF001 - so there is no Alt-Svc field
        with self.socket:
            task_status.started()
            await self.context.terminated.wait()
