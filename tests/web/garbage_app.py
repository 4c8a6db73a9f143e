"""Run by `test_garbage.py`: a server in this process, clients that connect and disconnect, and then the collector.

The clients run in another process, which gets its commands over a pipe, so that their garbage is not counted.
"""

import gc
import json
import multiprocessing
import socket
import ssl
import struct
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection

import h2.config
import h2.connection
import trio
import trio.testing
from h2.errors import ErrorCodes
from h2.events import DataReceived, StreamEnded
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config

from tests.support import wait_until
from trio_stream.app import app
from trio_stream.server.worker import worker_serve

LARGE = b"GET /api/stream/large.mp4 HTTP/1.1\r\nHost: t\r\n%s\r\n"
SMALL = b"GET /api/stream/small.mp4 HTTP/1.1\r\nHost: t\r\n%s\r\n"


UPGRADE = (
    b"GET /api/ws/stream/%s HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
CLOSE = b"\x88\x82\0\0\0\0\x03\xe8"
"""The closing frame of a client, for the code 1000."""

LIST = b"GET /api/videos HTTP/1.1\r\nHost: t\r\n%s\r\n"
WRITE = b"PUT /api/watch-state HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n{}"
LAST = b"Connection: close\r\n"


@dataclass(frozen=True)
class Ports:
    """The ports of the server."""

    plain: int
    tls: int


def trusting(protocol: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    return context


async def connected(port: int, protocol: str | None) -> tuple[trio.abc.Stream, trio.SocketStream]:
    """A stream, over TLS if a protocol is given, and the transport below it."""
    plain = await trio.open_tcp_stream("127.0.0.1", port)
    if protocol is None:
        return plain, plain
    return trio.SSLStream(plain, trusting(protocol), server_hostname="localhost"), plain


async def leave(stream: trio.abc.Stream, plain: trio.SocketStream, reset: bool) -> None:
    if reset:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await trio.aclose_forcefully(stream)
    else:
        await stream.aclose()


async def ask(
    ports: Ports,
    request: bytes,
    *,
    whole: bool = False,
    reset: bool = False,
    tls: bool = False,
    then: bytes = b"",
) -> None:
    """Read some data, or everything, send `then`, and disconnect."""
    stream, plain = await connected(*((ports.tls, "http/1.1") if tls else (ports.plain, None)))
    await stream.send_all(request)
    await stream.receive_some(1 << 16)
    if then:
        await stream.send_all(then)
    try:
        while whole and await stream.receive_some(1 << 16):
            pass
    except trio.BrokenResourceError:  # closed without a TLS alert, which HTTP/1.1 allows
        pass
    await leave(stream, plain, reset)


async def ask_http2(
    ports: Ports,
    path: str,
    *,
    streams: int = 3,
    whole: bool = False,
    reset: bool = False,
    cancel: bool = False,
) -> None:
    """Read several streams completely, or only as far as the initial windows allow."""
    stream, plain = await connected(ports.tls, "h2")
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    connection.initiate_connection()
    head = [(":method", "GET"), (":scheme", "https"), (":authority", "t"), (":path", path)]
    open_ = [2 * number + 1 for number in range(streams)]
    for number in open_:
        connection.send_headers(number, head, end_stream=True)
    await stream.send_all(connection.data_to_send())
    ended, got = 0, 0
    while ended < streams if whole else got < 65535:
        for event in connection.receive_data(await stream.receive_some(1 << 16)):
            if isinstance(event, DataReceived):
                got += event.flow_controlled_length
                connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            ended += isinstance(event, StreamEnded)
        if whole:
            await stream.send_all(connection.data_to_send())
    if cancel:
        for number in open_:
            connection.reset_stream(number, ErrorCodes.CANCEL)
        await stream.send_all(connection.data_to_send())
    await leave(stream, plain, reset)


CLIENTS: dict[str, Callable[[Ports], Awaitable[None]]] = {
    "HTTP/1.1: whole": partial(ask, request=SMALL % LAST, whole=True),
    "HTTP/1.1: idle": partial(ask, request=SMALL % b""),
    "HTTP/1.1: leaving": partial(ask, request=LARGE % b""),
    "HTTP/1.1: resetting": partial(ask, request=LARGE % b"", reset=True),
    "TLS: whole": partial(ask, request=SMALL % LAST, whole=True, tls=True),
    "TLS: leaving": partial(ask, request=LARGE % b"", tls=True),
    "TLS: resetting": partial(ask, request=LARGE % b"", reset=True, tls=True),
    "WebSocket: whole": partial(ask, request=UPGRADE % b"small.mp4", whole=True, then=CLOSE),
    "WebSocket: leaving": partial(ask, request=UPGRADE % b"large.mp4"),
    "WebSocket: leaving, TLS": partial(ask, request=UPGRADE % b"large.mp4", tls=True),
    "HTTP/2: whole": partial(ask_http2, path="/api/stream/small.mp4", whole=True),
    "HTTP/2: leaving": partial(ask_http2, path="/api/stream/large.mp4"),
    "HTTP/2: resetting": partial(ask_http2, path="/api/stream/large.mp4", reset=True),
    "HTTP/2: cancelling": partial(ask_http2, path="/api/stream/large.mp4", cancel=True),
    "Quart: whole": partial(ask, request=LIST % LAST, whole=True),
    "Quart: whole, HTTP/2": partial(ask_http2, path="/api/videos", whole=True),
    "Quart: writing": partial(ask, request=WRITE % (2, LAST), whole=True),
    "Quart: events": partial(ask, request=b"GET /api/live HTTP/1.1\r\nHost: t\r\n\r\n"),
}


def be_clients(pipe: Connection) -> None:
    """Run clients until the pipe ends. Each message has the name of a client, the ports, and the number of clients."""
    while message := pipe.recv():
        name, ports, count = message

        async def come_and_go() -> None:
            for _ in range(count):  # noqa: B023 - called within the iteration
                await CLIENTS[name](ports)  # noqa: B023 - called within the iteration

        trio.run(come_and_go)
        pipe.send(True)


def idle() -> bool:
    housekeeping = app.services.owner.housekeeping
    return (
        housekeeping is not None
        and housekeeping.progress.idle
        and housekeeping.progress.pending_jobs.unreadable == 2
    )


async def garbage_of(come_and_go: Callable[[int], Awaitable[None]]) -> dict[str, int]:
    """The garbage of ten clients, by type."""
    await come_and_go(3)
    await trio.testing.wait_all_tasks_blocked(0.1)
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    await come_and_go(10)
    await trio.testing.wait_all_tasks_blocked(0.1)
    gc.collect()
    gc.set_debug(0)
    found = Counter(type(item).__qualname__ for item in gc.garbage)
    gc.garbage.clear()
    return found


async def main(pipe: Connection, certificate: str, key: str) -> None:
    """Print the garbage of the clients of each kind."""
    config = Config()
    config.bind, config.insecure_bind, config.loglevel = ["127.0.0.1:0"], ["127.0.0.1:0"], "error"
    config.certfile, config.keyfile = certificate, key
    sockets = config.create_sockets()
    ports = Ports(
        *(listeners[0].getsockname()[1] for listeners in (sockets.insecure_sockets, sockets.secure_sockets))
    )

    async def come_and_go(name: str, count: int) -> None:
        pipe.send((name, ports, count))
        await trio.to_thread.run_sync(pipe.recv)

    async with trio.open_nursery() as nursery:
        serve = partial(worker_serve, ASGIWrapper(app), config, sockets=sockets)
        await nursery.start(partial(serve, shutdown_trigger=trio.sleep_forever))
        await wait_until(idle, 20, "the library to be idle")  # so that its garbage is not counted
        print(json.dumps({name: await garbage_of(partial(come_and_go, name)) for name in CLIENTS}))
        nursery.cancel_scope.cancel()
    pipe.send(None)


if __name__ == "__main__":
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    clients = multiprocessing.get_context("spawn").Process(target=be_clients, args=(theirs,))
    clients.start()
    theirs.close()
    trio.run(main, ours, sys.argv[1], sys.argv[2])
    clients.join()
