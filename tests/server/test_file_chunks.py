"""Byte ranges of a file as a body: any number of them, with bytes before them, and from a truncated file.

Plain Hypercorn does not support this message, so there is nothing to compare with.
"""

import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from tests.support import Server, connect, exchange, read_head, wait_for
from trio_stream.byte_ranges import ByteRange

SIZE = 8 << 20
RANGES = [(at, 30_000 + at % 977) for at in range(0, SIZE - 40_000, 31_000)]
LENGTH = sum(length for _, length in RANGES)
SHORT = [(at, 1 + at % 5_003) for at in range(0, SIZE - 60_000, 6_007)]
SHORT[100:100] = [(SIZE - 50_000, 50_000), (3, 4), (2, 9)]
"""Like the ranges of an audio track. They are gathered. One of them is long, and some go backwards."""

SMALL = [(5, 10), (100, 1), (7, 2000)]

APP = f"""
import os
from trio_stream.server.sending.chunks import FileChunk
fd = os.open(os.environ["SCATTERED"], os.O_RDONLY)
bodies = {{
    "/many": (b"", {RANGES!r}),
    "/led": (b"lead" * 500, {RANGES!r}),
    "/short": (b"lead" * 500, {SHORT!r}),
    "/small": (b"lead" * 500, {SMALL!r}),
    "/one": (b"", [(77, 1000)]),
}}

async def app(scope, receive, send, *_):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    assert "http.response.file_chunk" in scope["extensions"]
    lead, ranges = bodies[scope["path"]]
    total = sum(length for _, length in ranges)
    content_length = str(len(lead) + total).encode()
    await send({{"type": "http.response.start", "status": 200, "headers": [(b"content-length", content_length)]}})
    reported = []
    chunk = FileChunk(fd, tuple(ranges), total, lead, reported.append)
    try:
        await send({{"type": "http.response.body", "body": chunk, "more_body": True}})
    except OSError as error:
        print("send raised", error.errno, flush=True)
        return
    print("reported", sum(reported), flush=True)
    await send({{"type": "http.response.body", "body": b""}})
"""


@pytest.fixture
def scattered(tmp_path: Path) -> Path:
    path = tmp_path / "scattered"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture
def chunks(serve: Callable[..., Server], scattered: Path) -> Server:
    return serve(APP, guarded=True, limits="zero_copy=True", environ={"SCATTERED": str(scattered)})


async def test_ranges_arrive_in_order(chunks: Server, scattered: Path) -> None:
    content = scattered.read_bytes()
    for path, lead, ranges in (
        ("many", b"", RANGES),
        ("led", b"lead" * 500, RANGES),
        ("short", b"lead" * 500, SHORT),
        ("small", b"lead" * 500, SMALL),
        ("one", b"", [(77, 1000)]),
    ):
        response = await exchange(
            chunks, f"GET /{path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".encode(), limit=SIZE * 2
        )
        body = response.partition(b"\r\n\r\n")[2]
        assert body == lead + b"".join(content[offset : offset + length] for offset, length in ranges), path
        total = sum(length for _, length in ranges)
        wait_for(lambda: f"reported {total}\n" in chunks.log, 5, "the progress to be reported")  # noqa: B023 - called in this iteration


async def test_the_lead_shares_a_packet_with_the_first_range(chunks: Server) -> None:
    async with await connect(chunks) as stream:
        await stream.send_all(b"GET /small HTTP/1.1\r\nHost: t\r\n\r\n")
        head, body = await read_head(stream)
        while len(body) < 2000 + sum(length for _, length in SMALL):
            body += await stream.receive_some(65536)
        # The first range shares a packet with the head and the lead. Each other one may have its own packet.
        assert packets_with_data(stream) <= len(SMALL), head


@pytest.mark.parametrize(("path", "ranges"), [("led", RANGES), ("short", SHORT)])
async def test_a_slow_reader_gets_all_ranges(
    chunks: Server, scattered: Path, path: str, ranges: list[ByteRange]
) -> None:
    """The socket becomes full in the middle of a range, again and again."""
    content = scattered.read_bytes()
    body = bytearray()
    stream = trio.socket.socket()
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20_000)
    await stream.connect((chunks.host, chunks.port))
    with stream:
        await stream.send(f"GET /{path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".encode())
        with trio.fail_after(60):
            while data := await stream.recv(7_777):
                body += data
    assert bytes(body).partition(b"\r\n\r\n")[2] == b"lead" * 500 + b"".join(
        content[offset : offset + length] for offset, length in ranges
    )


@pytest.mark.parametrize("path", ["led", "short"])
async def test_a_truncated_file_raises_and_resets_the_connection(
    chunks: Server, scattered: Path, path: str
) -> None:
    os.truncate(scattered, RANGES[len(RANGES) // 2][0] + 5)
    async with await connect(chunks) as stream:
        await stream.send_all(f"GET /{path} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
        with pytest.raises(trio.BrokenResourceError):
            await receive_at_least(stream, LENGTH)
    wait_for(lambda: "send raised 14" in chunks.log, 5, "the send to raise EFAULT")


async def receive_at_least(stream: trio.SocketStream, count: int) -> None:
    """Receive at least `count` bytes. Raises `trio.BrokenResourceError`."""
    got = 0
    with trio.fail_after(60):
        while got < count:
            got += len(await stream.receive_some(65536))


def packets_with_data(stream: trio.SocketStream) -> int:
    """The number of TCP segments with data received here: `tcpi_data_segs_in` of Linux's `struct tcp_info`."""
    info = stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    (count,) = struct.unpack_from("I", info, 152)
    return int(count)
