"""Idle WebSockets: a ping now and then finds out whether the client is still there.

Upstream: `websocket_ping_interval` is None, and a WebSocket that was closed is kept until its next ping is due.
"""

from collections.abc import Callable

import trio

from tests.server.pairs import both
from tests.support import Server
from tests.websocket import Client, opened

INTERVAL = 0.3

APP = """
LARGE = memoryview(bytes(range(256)) * 1000)

async def app(scope, receive, send, *_):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/views":
        for _ in range(100):
            await send({"type": "websocket.send", "bytes": LARGE})
    while (await receive())["type"] != "websocket.disconnect":
        pass
"""

PING = b"\x89\x00"
CLOSE = b"\x88\x82\x00\x00\x00\x00\x03\xe8"  # masked, code 1000
CLOSED = b"\x88\x02\x03\xe8"


type Serve = Callable[..., Server]


async def receive_raw(client: Client, seconds: float, count: int = 1000) -> bytes:
    """Return what arrives within `seconds`, or earlier once it has `count` bytes. Pings get no reply."""
    data = b""
    with trio.move_on_after(seconds):
        while len(data) < count and (more := await client.stream.receive_some(65536)):
            data += more
    return data


@both
async def test_an_idle_websocket_is_pinged(serve: Serve, guarded: bool) -> None:
    server = serve(APP, guarded=guarded, limits=f"ping_interval={INTERVAL}")
    async with opened(server, "/") as client:
        began = trio.current_time()
        data = await receive_raw(client, 5 if guarded else INTERVAL * 5, count=len(PING * 3))
        assert data == (PING * 3 if guarded else b"")
        assert trio.current_time() - began > INTERVAL * 2.5
        # A client that does not reply stays connected: pongs are not counted.
        await client.stream.send_all(CLOSE)
        assert (await receive_raw(client, 5)).endswith(CLOSED)


async def test_the_operator_can_set_the_ping_interval(serve: Serve) -> None:
    options = ("--websocket-ping-interval", "60")
    server = serve(APP, guarded=True, limits=f"ping_interval={INTERVAL}", hypercorn=options)
    async with opened(server, "/") as client:
        assert await receive_raw(client, INTERVAL * 4) == b""


@both
async def test_a_closed_websocket_does_not_wait_for_its_ping(serve: Serve, guarded: bool) -> None:
    # With a worker, because plain Hypercorn without one is killed by the signal.
    graceful = "3600" if guarded else "3"
    options = ("-w", "1", "--websocket-ping-interval", "3600", "--graceful-timeout", graceful)
    server = serve(APP, guarded=guarded, hypercorn=options)
    async with opened(server, "/") as client:
        await client.stream.send_all(CLOSE)
        assert (await receive_raw(client, 5)).endswith(CLOSED)
    began = trio.current_time()
    await trio.to_thread.run_sync(server.stop)  # fails long before the longer of the two timeouts
    assert guarded or trio.current_time() - began >= 2, "plain Hypercorn waits for the graceful timeout"


async def test_a_ping_never_interrupts_a_view(serve: Serve) -> None:
    """A view is sent as a header and then the view itself, and both wait for a client that reads slowly."""
    server = serve(APP, guarded=True, limits="ping_interval=0.001")
    async with opened(server, "/views") as client:
        for _ in range(100):
            assert await client.receive() == bytes(range(256)) * 1000
        assert client.pings > 10
