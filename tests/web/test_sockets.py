"""The bytes of videos over WebSocket."""

import json
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.support import SLOWER, Server, connect, exchange, read_head, until_end, wait_until
from tests.websocket import Client, Rejected, opened

MEGABYTE = 1 << 20
SIZE = 8 * MEGABYTE
LARGE = 1024 * MEGABYTE  # a stream of it takes longer than the messages of a test
V1 = ["trio-stream.v1"]


@pytest.fixture
def videos(videos: Path) -> Path:
    (videos / "v.mp4").write_bytes(os.urandom(SIZE))
    (videos / "small.mp4").write_bytes(b"small")
    (videos / "empty.mp4").touch()
    return videos


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", 0, SIZE),
        ("?start=100", 100, SIZE),
        ("?end=100", 0, 100),
        ("?start=5&end=70000", 5, 70000),
        ("?start=5&end=5", 5, 5),
        (f"?start={SIZE}", SIZE, SIZE),
        ("?end=999999999999", 0, SIZE),
    ],
)
async def test_the_bytes_come_in_order(
    running: Server, videos: Path, query: str, first: int, last: int
) -> None:
    async with opened(running, f"/api/ws/stream/v.mp4{query}") as socket:
        data, messages, closed = await socket.everything()
    assert data == (videos / "v.mp4").read_bytes()[first:last]
    assert messages == []
    assert closed.code == 1000
    assert running.last_ended()["ended"] == "finished"


async def test_another_spelling_of_the_path_is_that_path(running: Server) -> None:
    async with opened(running, "/api/ws/%73tream/small%2Emp4") as socket:
        data, _, closed = await socket.everything()
    assert (data, closed.code) == (b"small", 1000)


@pytest.mark.parametrize("name", ["empty.mp4", "small.mp4"])
async def test_small_files_arrive_completely(running: Server, videos: Path, name: str) -> None:
    async with opened(running, f"/api/ws/stream/{name}") as socket:
        data, _, closed = await socket.everything()
    assert (data, closed.code) == ((videos / name).read_bytes(), 1000)


async def test_v1_sends_start_and_end_messages(running: Server, videos: Path) -> None:
    async with opened(running, "/api/ws/stream/v.mp4?start=10", subprotocols=V1) as socket:
        assert socket.subprotocol == V1[0]
        data, [start, end], closed = await socket.everything()
    assert data == (videos / "v.mp4").read_bytes()[10:]
    assert start == {
        "type": "start",
        "offset": 10,
        "end": SIZE,
        "size": SIZE,
        "content_type": "video/mp4",
        "etag": running.get("/api/stream/v.mp4").headers["ETag"],
        "chunk_size": 262144,
    }
    assert end == {"type": "end", "offset": SIZE}
    assert closed.code == 1000


async def test_messages_are_no_larger_than_announced(running: Server) -> None:
    async with opened(running, "/api/ws/stream/v.mp4") as socket:
        sizes = [len(await socket.receive()) for _ in range(30)]
    assert max(sizes) == 262144
    assert sizes[0] < 65536


async def test_a_seek_sends_a_new_start(running: Server, videos: Path) -> None:
    # Longer than all buffers on the way, so that no seek comes after its end.
    content = os.urandom(MEGABYTE + 7) * 64
    (videos / "long.mp4").write_bytes(content)
    async with opened(running, "/api/ws/stream/long.mp4", subprotocols=V1) as socket:
        assert json.loads(await socket.receive())["offset"] == 0
        first = await socket.receive()
        assert first == content[: len(first)]
        for offset in (5_000_000, 3, len(content) - 100_000):
            await socket.send(json.dumps({"type": "seek", "offset": offset}))
            while isinstance(message := await socket.receive(), bytes):
                pass
            assert json.loads(message)["type"] == "start"
            assert json.loads(message)["offset"] == offset
            message = await socket.receive()
            assert message == content[offset : offset + len(message)]
        data, messages, closed = await socket.everything()
    assert isinstance(message, bytes)
    assert message + data == content[len(content) - 100_000 :]
    assert [message["type"] for message in messages] == ["end"]
    assert closed.code == 1000


async def paused(server: Server, socket: Client) -> bytes:
    """Pause the only stream, and return all that arrived once the server has stopped sending."""
    await socket.say(type="pause")
    got = bytearray()
    seen: list[tuple[int, int]] = [(-1, -1)]

    async def read() -> None:
        while True:
            message = await socket.receive()
            if isinstance(message, bytes):
                got.extend(message)

    def is_idle() -> bool:
        [listed] = server.get("/api/streams").json()["streams"]
        seen.append((listed["bytes_sent"], len(got)))
        return seen[-1] == seen[-2] and listed["bytes_sent"] == len(got)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await wait_until(is_idle, 5, "the stream to be idle")
        nursery.cancel_scope.cancel()
    return bytes(got)


async def test_pause_stops_the_bytes_and_resume_continues(running: Server, videos: Path) -> None:
    async with opened(running, "/api/ws/stream/v.mp4", subprotocols=V1) as socket:
        got = await paused(running, socket)
        assert len(got) < SIZE
        await socket.send('{"type": "resume"}')
        data, messages, closed = await socket.everything()
    assert got + data == (videos / "v.mp4").read_bytes()
    assert messages[-1]["type"] == "end"
    assert closed.code == 1000


async def test_a_seek_while_paused_sends_no_bytes_until_resumed(running: Server, videos: Path) -> None:
    async with opened(running, "/api/ws/stream/v.mp4", subprotocols=V1) as socket:
        await socket.send('{"type": "pause"}')
        await socket.send(json.dumps({"type": "seek", "offset": SIZE - 5}))
        starts = 0
        while starts < 2:
            starts += isinstance(await socket.receive(), str)
        for _ in range(10):  # the server responds to each message, and sends no bytes
            await socket.send("no command")
            response = await socket.receive()
            assert isinstance(response, str)
            assert json.loads(response)["type"] == "error"
        await socket.send('{"type": "resume"}')
        data, _, closed = await socket.everything()
    assert (data, closed.code) == ((videos / "v.mp4").read_bytes()[-5:], 1000)


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("", 400),
        (b"", 400),
        (b"binary", 400),
        ("no json", 400),
        ("[" * 10_000, 400),
        ("{}", 400),
        ("null", 400),
        ('{"type": "dance"}', 400),
        ('{"type": "seek"}', 400),
        ('{"type": "seek", "offset": "5"}', 400),
        ('{"type": "seek", "offset": true}', 400),
        ('{"type": "seek", "offset": 1.5}', 400),
        ('{"type": "seek", "offset": -1}', 416),
        (json.dumps({"type": "seek", "offset": SIZE + 1}), 416),
        ('{"type": "seek", "offset": 1' + "0" * 4000 + "}", 416),
    ],
)
async def test_an_invalid_message_gets_an_error_and_the_stream_continues(
    running: Server, videos: Path, message: str | bytes, status: int
) -> None:
    async with opened(running, "/api/ws/stream/v.mp4", subprotocols=V1) as socket:
        await socket.send(message)
        data, messages, closed = await socket.everything()
    [error] = [message for message in messages if message["type"] == "error"]
    assert error["status"] == status
    assert error["detail"]
    assert data == (videos / "v.mp4").read_bytes()
    assert closed.code == 1000


async def test_too_many_invalid_messages_end_the_stream(running: Server, videos: Path) -> None:
    with (videos / "large.mp4").open("wb") as file:
        file.truncate(LARGE)
    async with opened(running, "/api/ws/stream/large.mp4", subprotocols=V1) as socket:
        with suppress(trio.BrokenResourceError):  # the server need not read everything
            for _ in range(100):
                await socket.send("nonsense")
        _, _, closed = await socket.everything()
    assert closed.code in (1001, 1006)
    assert running.last_ended()["ended"] == "stopped"


async def test_a_message_that_is_too_large_ends_the_connection(running: Server) -> None:
    async with opened(running, "/api/ws/stream/v.mp4", subprotocols=V1) as socket:
        await socket.send("x" * 100_000)
        _, _, closed = await socket.everything()
    assert closed.code == 1009
    assert running.get("/healthz").status_code == 200


async def test_messages_without_the_subprotocol_are_ignored(running: Server, videos: Path) -> None:
    async with opened(running, "/api/ws/stream/v.mp4") as socket:
        for message in ("", b"", "ping", '{"type": "pause"}'):
            await socket.send(message)
        data, messages, closed = await socket.everything()
    assert (len(data), messages, closed.code) == (SIZE, [], 1000)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("missing.mp4", 404),
        ("../v.mp4", 404),
        ("%2e%2e%2fv.mp4", 404),
        ("v.mp4%00", 404),
        ("v.mp4?start=-1", 400),
        ("v.mp4?start=a", 400),
        ("v.mp4?start=9&end=5", 400),
        ("v.mp4?start=" + "9" * 5000, 400),
        (f"v.mp4?start={SIZE + 1}", 416),
    ],
)
async def test_invalid_requests_are_refused_in_the_handshake(running: Server, path: str, status: int) -> None:
    with pytest.raises(Rejected) as refused:
        async with opened(running, f"/api/ws/stream/{path}"):
            pass
    assert refused.value.status == status
    assert json.loads(refused.value.body)["status"] == status


async def test_pages_of_other_sites_are_refused(start: Callable[..., Server], videos: Path) -> None:
    server = start(videos, environ={"TRIO_STREAM_CORS_ORIGINS": "https://friend.example"})
    for origin, welcome in (
        (server.url, True),
        ("https://friend.example", True),
        ("https://foe.example", False),
        ("null", False),
    ):
        headers = [(b"Origin", origin.encode())]
        if welcome:
            async with opened(server, "/api/ws/stream/small.mp4", headers=headers) as socket:
                assert (await socket.everything())[0] == b"small"
        else:
            with pytest.raises(Rejected) as refused:
                async with opened(server, "/api/ws/stream/small.mp4", headers=headers):
                    pass
            assert refused.value.status == 403


async def test_the_limit_of_streams_closes_with_try_again_later(
    start: Callable[..., Server], videos: Path
) -> None:
    server = start(videos, environ={"TRIO_STREAM_MAX_STREAMS": "1"})
    async with opened(server, "/api/ws/stream/v.mp4", subprotocols=V1) as first:
        await first.receive()
        async with opened(server, "/api/ws/stream/v.mp4", subprotocols=V1) as second:
            data, [error], closed = await second.everything()
        assert (data, closed.code) == (b"", 1013)
        assert error["code"] == "too-many-streams"
        assert "limit of streams" in closed.reason
        assert len((await first.everything())[0]) == SIZE


async def test_ending_a_stream_closes_its_websocket(running: Server) -> None:
    async with opened(running, "/api/ws/stream/v.mp4", subprotocols=V1) as socket:
        await socket.send('{"type": "pause"}')
        await socket.receive()
        [listed] = running.get("/api/streams").json()["streams"]
        assert listed["transport"] == "websocket"
        with running.client() as client:
            assert client.delete(f"/api/streams/{listed['id']}").status_code == 204
        _, _, closed = await socket.everything()
        assert closed.code in (1001, 1006)
    assert running.last_ended()["ended"] == "stopped"


async def wait_until_idle(server: Server) -> dict[str, Any]:
    """Wait until the only stream has data to send and sends none; return the stream as listed."""
    seen: list[dict[str, Any]] = [{"bytes_sent": -1}]

    def is_idle() -> bool:
        seen.extend(server.get("/api/streams").json()["streams"])
        return bool(seen[-1]["bytes_sent"] == seen[-2]["bytes_sent"] and seen[-1]["buffered"])

    await wait_until(is_idle, 5, "the stream to be idle")
    return seen[-1]


async def test_ending_a_stream_within_a_frame_ends_the_connection_at_once(
    running: Server, videos: Path
) -> None:
    """A client cannot parse anything after half a frame, so the server does not wait for a response."""
    with (videos / "large.mp4").open("wb") as file:
        file.truncate(LARGE)
    async with opened(running, "/api/ws/stream/large.mp4") as socket:
        await socket.receive()
        listed = await wait_until_idle(running)
        with running.client() as client:
            assert client.delete(f"/api/streams/{listed['id']}").status_code == 204
        assert await until_end(socket.stream, SLOWER * 3) is not None
    assert running.last_ended()["ended"] == "stopped"


async def test_a_slow_client_slows_down_reading(running: Server, videos: Path) -> None:
    with (videos / "large.mp4").open("wb") as file:
        file.truncate(LARGE)
    async with opened(running, "/api/ws/stream/large.mp4") as socket:
        await socket.receive()
        listed = await wait_until_idle(running)
        assert listed["bytes_sent"] < 32 * MEGABYTE
        assert listed["peak_buffer"] <= 4 * 262144
    assert running.last_ended()["ended"] == "client left"


async def test_a_file_changed_in_place_closes_the_websocket_with_the_reason(
    running: Server, videos: Path
) -> None:
    (videos / "large.mp4").write_bytes(bytes(64 * MEGABYTE))
    async with opened(running, "/api/ws/stream/large.mp4", subprotocols=V1) as socket:
        await paused(running, socket)  # no error could be sent after an interrupted frame
        os.truncate(videos / "large.mp4", 1000)
        await socket.say(type="resume")
        data, messages, closed = await socket.everything()
    assert len(data) < 64 * MEGABYTE
    assert messages[-1]["type"] == "error"
    assert messages[-1]["code"] == "source-changed"
    assert closed.code == 1011
    assert "the file" in closed.reason
    assert running.last_ended()["ended"] == "failed"


async def test_the_last_bytes_reach_a_slow_client_that_sends_late(running: Server, videos: Path) -> None:
    """Closing a socket with unread input would reset the connection, and the client would lose the last bytes."""
    request = (
        b"GET /api/ws/stream/v.mp4?end=100000 HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    async with await connect(running) as stream:
        await stream.send_all(request)
        _, got = await read_head(stream)
        await wait_until(lambda: bool(running.ended), 5, "all bytes to be sent")
        ping = b"\x89\x80\x00\x00\x00\x00"
        await stream.send_all(ping)
        with trio.fail_after(SLOWER * 3):
            while len(got) < 100_000 and (more := await stream.receive_some(65536)):
                got += more
                await stream.send_all(ping)
    assert len(got) > 100_000
    assert running.last_ended()["ended"] == "finished"


async def test_video_is_not_compressed_again(running: Server) -> None:
    request = (
        b"GET /api/ws/stream/small.mp4 HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
    )
    async with await connect(running) as stream:
        await stream.send_all(request)
        head, _ = await read_head(stream)
    assert b" 101 " in head
    assert b"extensions" not in head.lower()


async def test_a_broken_handshake_gets_a_4xx(running: Server) -> None:
    head = b"GET /api/ws/stream/v.mp4 HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    for rest in (b"\r\n", b"Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 12\r\n\r\n"):
        assert (await exchange(running, head + rest)).split(b" ")[1].startswith(b"4")
    response = running.get("/api/ws/stream/v.mp4")
    assert response.status_code in (400, 404, 405, 426)
    assert running.get("/healthz").status_code == 200


async def test_a_byte_after_the_upgrade_affects_only_that_connection(running: Server) -> None:
    request = (
        b"GET /api/ws/stream/v.mp4 HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\nX"
    )
    await exchange(running, request, limit=1)
    assert running.get("/healthz").status_code == 200


async def test_a_reset_around_the_handshake_is_not_logged_as_an_error(running: Server, videos: Path) -> None:
    (videos / "film.mp4").write_bytes(bytes(1 << 20))
    running.get("/api/videos")
    request = (
        b"GET /api/ws/stream/film.mp4 HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    for number in range(100):
        stream = await connect(running)
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await stream.send_all(request)
        await trio.sleep(number % 10 / 2000)  # anywhere between the request and the first bytes of the video
        stream.socket.close()
    await wait_until(lambda: running.metrics()["active_streams"] == 0, 5, "the streams to end")
    assert "a request failed" not in running.log
    assert "Traceback" not in running.log
