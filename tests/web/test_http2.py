"""The server over TLS: with HTTP/2, where many streams share a connection, and with HTTP/1.1."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from h2.errors import ErrorCodes
from wsproto.events import BytesMessage, CloseConnection

from tests.http2 import Client, certified, http2, tls
from tests.server.test_h2_websocket import opened
from tests.support import SLOWER, Server, wait_until
from tests.web.test_promises import wait_until_ended, wait_until_idle

MEGABYTE = 1 << 20
SIZE = 24 * MEGABYTE
FIRST, STALLED = 10, 45
"""Streams of one connection, which may have 100 at once."""

KIB_A_STREAM = 768
"""Twice the documented figure: a buffer, the chunk that waits for it, two more chunks, and the tasks.

`scripts/bench promises` checks the figure itself.
"""


@pytest.fixture
def content() -> bytes:
    return os.urandom(MEGABYTE) * (SIZE // MEGABYTE)


@pytest.fixture
def secure(start: Callable[..., Server], tmp_path: Path, content: bytes) -> Server:
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "unchanged.mp4").write_bytes(content)
    (videos / "cut.mp4").write_bytes(content)
    return start(videos, hypercorn=certified(tmp_path))


async def test_a_file_and_ranges_of_it_arrive(secure: Server, content: bytes) -> None:
    async with http2(secure, window=MEGABYTE) as client:
        head, body = await client.whole("/api/stream/unchanged.mp4")
        assert (head[":status"], head["content-length"]) == ("200", str(SIZE))
        assert body == content
        head, body = await client.whole("/api/stream/unchanged.mp4", range="bytes=1000000-2999999")
        assert (head[":status"], head["content-range"]) == ("206", f"bytes 1000000-2999999/{SIZE}")
        assert body == content[1000000:3000000]
        head, body = await client.whole("/api/stream/nothing.mp4")
        assert head[":status"] == "404"
    assert secure.last_ended()["ended"] == "finished"


async def test_a_websocket_sends_a_file(secure: Server, content: bytes) -> None:
    async with http2(secure) as client:
        socket = await opened(client, "/api/ws/stream/unchanged.mp4?start=1000000&end=3000000")
        await socket.read(lambda: socket.events[-1:] == [CloseConnection(1000, "")])
        assert (
            b"".join(event.data for event in socket.events if isinstance(event, BytesMessage))
            == (content[1000000:3000000])
        )
        await socket.read(lambda: socket.ended)
    assert secure.last_ended()["ended"] == "finished"


async def test_a_truncated_file_resets_only_its_stream(secure: Server, content: bytes) -> None:
    async with http2(secure) as client:
        client.reading = set()
        cut, unchanged = (
            await client.get("/api/stream/cut.mp4"),
            await client.get("/api/stream/unchanged.mp4"),
        )
        await client.read(lambda: len(client.bodies[cut]) == len(client.bodies[unchanged]) == 65535)
        os.truncate(secure.videos / "cut.mp4", 0)
        for stream_id in (cut, unchanged):
            client.connection.increment_flow_control_window(2 * SIZE, stream_id)
        client.connection.increment_flow_control_window(4 * SIZE)
        client.reading = None
        await client.flush()
        await client.read(lambda: cut in client.resets and unchanged in client.ended)
        assert client.resets == {cut: ErrorCodes.INTERNAL_ERROR}
        assert client.bodies[unchanged] == content


async def test_after_a_seek_no_old_bytes_arrive(secure: Server) -> None:
    async with http2(secure) as client:
        client.reading = set()
        for offset in range(20):
            stream_id = await client.get("/api/stream/unchanged.mp4", range=f"bytes={offset * MEGABYTE}-")
            await client.read(lambda: len(client.bodies[stream_id]) > 0)  # noqa: B023 - called within the iteration
            client.connection.reset_stream(stream_id, ErrorCodes.CANCEL)
        await client.flush()
        await wait_until(lambda: secure.metrics()["active_streams"] == 0, 5, "the streams to end")
        assert {event["ended"] for event in secure.ended} == {"client left"}
        assert client.goaway is None


async def test_stalled_streams_need_little_memory(secure: Server) -> None:
    async with http2(secure) as client:  # so that one-time allocations do not count
        await stall(secure, client, FIRST)
    await wait_until_ended(secure)
    before = secure.private_memory()
    async with http2(secure) as client:
        await stall(secure, client, STALLED)
        few = secure.private_memory() - before
        await stall(secure, client, STALLED)
        all_ = secure.private_memory() - before
    await wait_until_ended(secure)
    cost = all_ / (2 * STALLED) / 1024
    print(f"KiB of private memory per stalled HTTP/2 stream: {cost:.0f}")
    assert all_ <= 3 * few, "some of the first streams reuse memory"
    assert cost <= KIB_A_STREAM


async def stall(server: Server, client: Client, count: int) -> None:
    """Open `count` more streams without a window, and wait until all streams are idle."""
    client.reading = set()
    streams = [await client.get("/api/stream/unchanged.mp4") for _ in range(count)]
    await client.read(lambda: all(len(client.bodies[stream]) == 65535 for stream in streams), SLOWER * 3)
    await wait_until_idle(server, len(client.heads))


async def body_of(stream: trio.SSLStream[trio.SocketStream], *, limit: int = 1 << 40) -> bytes:
    """The received body: at least `limit` bytes of it, or everything until the server closes."""
    data = bytearray()
    while len(data) < limit and (more := await stream.receive_some(65536)):
        data += more
    return bytes(data.partition(b"\r\n\r\n")[2])


async def test_http11_over_tls(secure: Server, content: bytes) -> None:
    async with tls(secure, "http/1.1") as stream:
        await stream.send_all(
            b"GET /api/stream/unchanged.mp4 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
        )
        assert await body_of(stream) == content


async def test_http11_over_tls_is_cut_off_when_the_file_is_truncated(secure: Server, content: bytes) -> None:
    async with tls(secure, "http/1.1") as stream:
        await stream.send_all(b"GET /api/stream/cut.mp4 HTTP/1.1\r\nHost: t\r\n\r\n")
        got = len(await body_of(stream, limit=100_000))
        os.truncate(secure.videos / "cut.mp4", 0)
        with trio.fail_after(60):
            got += len(await rest_of(stream))
    assert got < SIZE
    assert secure.last_ended()["ended"] == "failed"


async def rest_of(stream: trio.SSLStream[trio.SocketStream]) -> bytes:
    """Everything until the server closes or resets the connection."""
    data = bytearray()
    try:
        while more := await stream.receive_some(65536):
            data += more
    except trio.BrokenResourceError:
        pass
    return bytes(data)
