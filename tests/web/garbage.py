"""Run by `test_garbage.py`: a server in this process, clients that come and go, and then what the collector finds."""

import gc
import json
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

import trio
import trio.testing
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config

from tests.support import wait_until
from trio_stream.app import app
from trio_stream.server.worker import worker_serve

LARGE = b"GET /api/stream/large.mp4 HTTP/1.1\r\nHost: t\r\n%s\r\n"
SMALL = b"GET /api/stream/small.mp4 HTTP/1.1\r\nHost: t\r\n%s\r\n"


async def ask(port: int, request: bytes, *, whole: bool = False, reset: bool = False) -> None:
    """Read something, or all there is, and leave."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    await stream.send_all(request)
    await stream.receive_some(1 << 16)
    while whole and await stream.receive_some(1 << 16):
        pass
    if reset:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await stream.aclose()


CLIENTS: dict[str, Callable[[int], Awaitable[None]]] = {
    "whole": partial(ask, request=SMALL % b"Connection: close\r\n", whole=True),
    "idle": partial(ask, request=SMALL % b""),
    "leaving": partial(ask, request=LARGE % b""),
    "resetting": partial(ask, request=LARGE % b"", reset=True),
}


def idle() -> bool:
    housekeeping = app.services.owner.housekeeping
    return (
        housekeeping is not None
        and housekeeping.progress.idle
        and housekeeping.progress.keeping.unreadable == 2
    )


async def left_by(come_and_go: Callable[[int], Awaitable[None]], port: int) -> dict[str, int]:
    """What ten clients leave, by type."""
    for _ in range(3):
        await come_and_go(port)
    await trio.testing.wait_all_tasks_blocked(0.2)
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    for _ in range(10):
        await come_and_go(port)
    await trio.testing.wait_all_tasks_blocked(0.2)
    gc.collect()
    gc.set_debug(0)
    found = Counter(type(each).__qualname__ for each in gc.garbage)
    gc.garbage.clear()
    return found


async def main() -> None:
    """Print what clients of each kind left."""
    config = Config()
    config.bind, config.loglevel = ["127.0.0.1:0"], "error"
    sockets = config.create_sockets()
    port = sockets.insecure_sockets[0].getsockname()[1]
    async with trio.open_nursery() as nursery:
        serve = partial(worker_serve, ASGIWrapper(app), config, sockets=sockets)
        await nursery.start(partial(serve, shutdown_trigger=trio.sleep_forever))
        await wait_until(idle, 20, "the library to have nothing to do")  # what it does is not what is counted
        print(json.dumps({name: await left_by(client, port) for name, client in CLIENTS.items()}))
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
