"""Put the guards in place, all or none.

Hypercorn looks its classes up as module globals when a worker starts serving, which is after the application was
imported: that is the moment in which `install` replaces them. The guards lean on the inside of one Hypercorn
version, so another version is left alone, said clearly, and served with copies instead of views.
"""

import os
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

import hypercorn.protocol
import hypercorn.protocol.h11
import hypercorn.trio.run
import hypercorn.trio.tcp_server
import structlog
import trio
from hypercorn.config import Config
from hypercorn.trio.udp_server import UDPServer

from trio_stream.server.asgi.http import HTTPStream
from trio_stream.server.asgi.websocket import WSStream
from trio_stream.server.h11 import H11
from trio_stream.server.http2.receiving import H2
from trio_stream.server.protocol import NoHTTP3
from trio_stream.server.tasks import TaskGroup
from trio_stream.server.tcp.admission import LOOPBACK, Admission, Network
from trio_stream.server.tcp.connection import Connection
from trio_stream.server.tcp.timeouts import Timeouts
from trio_stream.server.tcp.visits import VISITS
from trio_stream.server.worker import worker_serve

WRITTEN_FOR = "0.18"
"""The Hypercorn release line whose inside these guards know."""

log = structlog.get_logger("trio_stream.server")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may cost: `send_timeout` in seconds without progress, `websocket_message` in bytes.

    `zero_copy` offers applications to send files with `sendfile`. `h2c` is HTTP/2 without TLS; `http3` is Hypercorn's,
    which buffers without limit for a client that does not read. `connections` bounds them in all,
    `connections_per_address` those of one address, and as many HTTP/2 streams on all of them, but for the networks of
    `unlimited`; a few more may come to ask for one of `visited_paths`. `request_body` is in bytes, for the paths in
    `request_bodies` as it says there; `ping_interval`, in seconds, of WebSockets.
    """

    send_timeout: float = 60.0
    websocket_message: int = 16 * 1024
    zero_copy: bool = True
    h2c: bool = False
    http3: bool = False
    connections: int = sys.maxsize
    connections_per_address: int = sys.maxsize
    unlimited: tuple[Network, ...] = LOOPBACK
    visited_paths: Collection[str] = ()
    request_body: int = 1024 * 1024
    request_bodies: Mapping[str, int] = field(default_factory=dict)
    ping_interval: float | None = 15.0


def install(limits: Limits) -> bool:
    """Replace Hypercorn's classes by the guarded ones; answers whether it did. Calling it again changes the limits."""
    found = version("hypercorn")
    if not found.startswith(f"{WRITTEN_FOR}."):
        log.warning(
            "guards left out: this is not the Hypercorn they were written for",
            found=found,
            written_for=WRITTEN_FOR,
            effect="streams are copied, and a client that stops reading is not timed out",
        )
        return False
    Connection.send_timeout = H2.send_timeout = limits.send_timeout
    Connection.admission = Admission(limits.connections, limits.connections_per_address, limits.unlimited)
    Connection.visits = Admission(VISITS if limits.visited_paths else 0, 1, limits.unlimited)
    Connection.visited_paths = limits.visited_paths
    H2.admission = Admission(sys.maxsize, limits.connections_per_address, limits.unlimited)
    Connection.idle = Timeouts(trio.CancelScope.cancel)
    Connection.stalled = Timeouts(Connection.give_up)
    H11.h2c = limits.h2c
    HTTPStream.body_limit = limits.request_body
    HTTPStream.body_limits = limits.request_bodies
    # That is the default of Hypercorn; an operator may have set another one.
    if Config.websocket_ping_interval is None:
        Config.websocket_ping_interval = limits.ping_interval
    HTTPStream.zero_copy = limits.zero_copy and hasattr(os, "sendfile")
    WSStream.message_limit = limits.websocket_message
    hypercorn.trio.run.worker_serve = worker_serve
    # Names that Hypercorn's modules have imported, and do not export: they are looked up there at each connection.
    hypercorn.trio.tcp_server.TaskGroup = TaskGroup  # type: ignore[attr-defined]
    hypercorn.trio.run.TCPServer = Connection  # type: ignore[attr-defined]
    hypercorn.trio.run.UDPServer = UDPServer if limits.http3 else NoHTTP3  # type: ignore[attr-defined]
    hypercorn.protocol.H2Protocol = H2  # type: ignore[attr-defined]
    hypercorn.protocol.H11Protocol = H11  # type: ignore[attr-defined]
    hypercorn.protocol.h11.HTTPStream = HTTPStream  # type: ignore[attr-defined]
    hypercorn.protocol.h11.WSStream = WSStream  # type: ignore[attr-defined]
    return True
