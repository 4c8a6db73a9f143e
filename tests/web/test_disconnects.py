"""When a client disconnects, in any way, all work for it ends."""

import random
import shutil
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from tests.support import Server, connect, read_head, serving, wait_until
from tests.web.conftest import Environ

CLIENTS = 500
A_DAY = "86400"
RESET = struct.pack("ii", 1, 0)

REQUESTS = (
    b"GET /api/stream/sample.mp4 HTTP/1.1\r\nHost: t\r\n\r\n",
    b"GET /api/stream/sample.mp4 HTTP/1.1\r\nHost: t\r\nRange: bytes=1000-\r\n\r\n",
    b"GET /api/stream/sample.mp4 HTTP/1.1\r\nHost: t\r\nRange: bytes=0-9,500000-900000,2000000-\r\n\r\n",
    (
        b"GET /api/ws/stream/sample.mp4 HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ),
)


@pytest.fixture(scope="module")
def server(way: Environ, footage: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose timeouts are too long to matter. `scripts/bench leaving` checks how soon work ends."""
    folder = tmp_path_factory.mktemp("vanishing")
    (folder / "videos").mkdir()
    shutil.copy(footage, folder / "videos" / "sample.mp4")
    environ = way | {"TRIO_STREAM_SEND_TIMEOUT": A_DAY, "TRIO_STREAM_ARTWORK_SHARE": "0"}
    timeouts = ("--keep-alive", A_DAY, "--websocket-ping-interval", A_DAY)
    with serving(folder / "videos", folder, environ=environ, hypercorn=timeouts) as running:
        running.wait_idle()
        yield running


async def disconnect(server: Server, dice: random.Random) -> None:
    """Connect, send a request, read a little or nothing, and disconnect: by a close, a reset, or a half-close."""
    stream = await connect(server)
    request = dice.choice(REQUESTS)
    if dice.random() < 0.1:
        request = request[: dice.randrange(len(request))]
    await stream.send_all(request)
    for _ in range(dice.randrange(6)):
        with trio.move_on_after(dice.random() * 0.05):
            await stream.receive_some(dice.randrange(1, 200_000))
    how = dice.random()
    if how < 0.3:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    elif how < 0.5:
        await stream.send_eof()
    await stream.aclose()


async def test_500_disconnected_clients_leave_nothing_behind(server: Server) -> None:
    before = server.settled()
    dice = random.Random(2026)
    async with trio.open_nursery() as nursery:
        for _ in range(CLIENTS):
            nursery.start_soon(disconnect, server, dice)
            await trio.sleep(dice.random() * 0.008)
    await wait_until(lambda: server.census().within(before), 5, "all work to end")


async def test_a_client_that_never_reads_and_disconnects_leaves_nothing_behind(server: Server) -> None:
    before = server.settled()
    async with await connect(server) as stream:
        await stream.send_all(REQUESTS[0])
        await read_head(stream)
        await wait_until(lambda: server.census().streams == 1, 5, "the stream to run")
        during = server.census()
        assert during.open_files == before.open_files + 1
    await wait_until(lambda: server.census().within(before), 5, "all work to end")
