"""Install the guards, all or none.

Hypercorn looks up its classes as module globals when a worker starts serving. The application is imported before that,
so its call of `install` replaces them in time. The guards rely on the internals of one Hypercorn version. With another
version nothing is replaced, a warning says so, and streams are sent as copies instead of views.
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
"""The Hypercorn release line these guards were written for."""

log = structlog.get_logger("trio_stream.server")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may use: `send_timeout` in seconds without progress, `websocket_message` in bytes.

    `zero_copy` lets applications send files with `sendfile`. `h2c` is HTTP/2 without TLS. `http3` is Hypercorn's
    HTTP/3, which buffers without limit for a client that does not read. `connections` limits all connections;
    `connections_per_address` limits those of one address and the HTTP/2 streams on them, except for addresses in
    `unlimited`. A few more connections are accepted for requests to `visited_paths`. `request_body` is in bytes;
    `request_bodies` has other limits for some paths. `ping_interval` is in seconds, for WebSockets.
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
    """Replace Hypercorn's classes with the guarded ones. Return whether it did. A second call changes the limits."""
    found = version("hypercorn")
    if not found.startswith(f"{WRITTEN_FOR}."):
        log.warning(
            "guards not installed: they were written for another version of Hypercorn",
            found=found,
            written_for=WRITTEN_FOR,
            effect="streams are copied, and clients that stop reading do not time out",
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
    # None is Hypercorn's default. Keep any other value: an operator has set it.
    if Config.websocket_ping_interval is None:
        Config.websocket_ping_interval = limits.ping_interval
    HTTPStream.zero_copy = limits.zero_copy and hasattr(os, "sendfile")
    WSStream.message_limit = limits.websocket_message
    hypercorn.trio.run.worker_serve = worker_serve
    # Hypercorn's modules import these names without exporting them, and look them up for each connection.
    hypercorn.trio.tcp_server.TaskGroup = TaskGroup  # type: ignore[attr-defined]
    hypercorn.trio.run.TCPServer = Connection  # type: ignore[attr-defined]
    hypercorn.trio.run.UDPServer = UDPServer if limits.http3 else NoHTTP3  # type: ignore[attr-defined]
    hypercorn.protocol.H2Protocol = H2  # type: ignore[attr-defined]
    hypercorn.protocol.H11Protocol = H11  # type: ignore[attr-defined]
    hypercorn.protocol.h11.HTTPStream = HTTPStream  # type: ignore[attr-defined]
    hypercorn.protocol.h11.WSStream = WSStream  # type: ignore[attr-defined]
    return True
