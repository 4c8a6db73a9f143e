"""Bodies that consist of scattered parts of a file, on a real server, for every way in which it sends bytes."""

import os
import random
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from email import message_from_bytes
from pathlib import Path

import httpx
import pytest
import trio

from tests.bodies import assemble
from tests.http2 import certified, http2, tls
from tests.scattered import body
from tests.server.test_file_chunks import packets_with_data
from tests.support import Server, connect, read_head, serving, wait_for, wait_until
from tests.web.test_promises import wait_until_ended, wait_until_idle
from trio_stream.http.bodies import body_length

MEGABYTE = 1 << 20
SIZE = 24 * MEGABYTE
CHANCES = 25
STALLED = 40
KIB_A_STREAM = 3 * 256
"""Less than the shortest body here, and three times the single copy of a stalled stream."""

A_DAY = "86400"

WAYS = {"ranges": "1", "through-quart": "1", "views": "0", "copies": "1"}
"""The way in which bytes are sent, and TRIO_STREAM_ZERO_COPY. Over TLS they are copied."""

type Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]


@pytest.fixture(scope="module")
def content() -> bytes:
    return random.Random(6).randbytes(SIZE)


@pytest.fixture(scope="module", params=WAYS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> Iterator[Server]:
    """A server with one video, which has this content."""
    folder = tmp_path_factory.mktemp("segments")
    (folder / "videos").mkdir()
    (folder / "videos" / "film.mp4").write_bytes(content)
    environ = {
        "TRIO_STREAM_ZERO_COPY": WAYS[request.param],
        "TRIO_STREAM_DIRECT": "0" if request.param == "through-quart" else "1",
        "TRIO_STREAM_SEND_TIMEOUT": A_DAY,  # no timeout ends a stream
    }
    hypercorn = ("--keep-alive", A_DAY, *(certified(folder) if request.param == "copies" else ()))
    app = "tests.web.scattered_app:app"
    with serving(folder / "videos", folder, environ=environ, hypercorn=hypercorn, app=app) as running:
        running.get("/api/videos")
        yield running


@pytest.fixture
def segments(server: Server) -> Server:
    """The server, without any state of previous tests."""
    server.forget()
    return server


@pytest.fixture
def other(server: Server, content: bytes) -> Iterator[Path]:
    """A video for tests that change it. Its content is unique, so the library need not compare it with others."""
    path = server.videos / "other.mp4"
    path.write_bytes(os.urandom(16) + content[16:])
    yield path
    path.unlink()


@asynccontextmanager
async def requested(
    server: Server, name: str, *, video: str = "film.mp4"
) -> AsyncIterator[tuple[Stream, bytes]]:
    """A connection that has requested a body, and the part of it that came with the head of the response."""
    request = f"GET /parts/{video}/{name} HTTP/1.1\r\nHost: t\r\n\r\n".encode()
    async with AsyncExitStack() as stack:
        stream: Stream
        if server.url.startswith("https"):
            stream = await stack.enter_async_context(tls(server, "http/1.1"))
        else:
            stream = await stack.enter_async_context(await connect(server))
        await stream.send_all(request)
        head, rest = await read_head(stream)  # type: ignore[arg-type] # a TLS stream has the same methods
        assert b" 200 " in head
        yield stream, rest


async def drain(stream: Stream, got: bytes, size: int) -> bytes:
    """Everything up to `size` bytes, or until the server breaks off."""
    data = bytearray(got)
    with trio.fail_after(60), suppress(trio.BrokenResourceError):
        while len(data) < size and (more := await stream.receive_some(MEGABYTE)):
            data += more
    return bytes(data)


@pytest.mark.parametrize("name", ["film", "sound", "sounds"])
async def test_a_stalled_segment_needs_little_memory(segments: Server, name: str) -> None:
    """This test runs first: later, streams would reuse freed memory, and the test would see nothing."""
    if segments.url.startswith("https"):
        pytest.skip("see test_http2")
    costs = []
    for round_ in (10, STALLED):  # the first round makes one-time allocations
        async with AsyncExitStack() as stack:
            before = segments.private_memory()
            for _ in range(round_):
                await stack.enter_async_context(stalled_client(segments, name))
            await wait_until_idle(segments, round_)
            costs.append((segments.private_memory() - before) / round_ / 1024)
        await wait_until_ended(segments)
    print(f"KiB of private memory a stalled stream of {name}: {costs}")
    assert costs[-1] <= KIB_A_STREAM


@asynccontextmanager
async def stalled_client(server: Server, name: str) -> AsyncIterator[None]:
    """A client with a small buffer, which does not read."""
    sock = trio.socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with sock:
        await sock.connect((server.host, server.port))
        await sock.send(f"GET /parts/film.mp4/{name} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
        yield


def test_all_parts_and_ranges_arrive(segments: Server, content: bytes) -> None:
    with segments.client() as client:
        for seed in range(CHANCES):
            dice = random.Random(seed)
            path, whole = f"/parts/film.mp4/chance-{seed}", assemble(body(f"chance-{seed}", SIZE), content)
            response = client.get(path)
            assert response.status_code == 200, seed
            assert response.content == whole, seed
            head = client.head(path)
            assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(whole)))
            first, second, third, last = sorted(dice.randrange(len(whole)) for _ in range(4))
            response = client.get(path, headers={"Range": f"bytes={first}-{last}"})
            assert response.status_code == 206, seed
            assert response.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"
            assert response.content == whole[first : last + 1], seed
            response = client.get(path, headers={"Range": f"bytes={first}-{second},{third}-{last}"})
            assert response.status_code == 206, seed
            for content_range, data in parts_of(response):
                start, _, end = content_range.removeprefix("bytes ").partition("/")[0].partition("-")
                assert data == whole[int(start) : int(end) + 1], seed


def parts_of(response: httpx.Response) -> list[tuple[str, bytes]]:
    """Content-Range and bytes of each part of the response."""
    if "Content-Range" in response.headers:
        return [(response.headers["Content-Range"], response.content)]
    message = message_from_bytes(
        f"Content-Type: {response.headers['Content-Type']}\r\n\r\n".encode() + response.content
    )
    parts = list(message.walk())[1:]
    assert len(parts) == 2
    return [(part["Content-Range"], part.get_payload(decode=True)) for part in parts]  # type: ignore[misc] # bytes, because no part is multipart


def test_conditions_work_as_for_a_file(segments: Server) -> None:
    path = "/parts/film.mp4/film"
    etag = segments.get(path, headers={"Range": "bytes=0-0"}).headers["ETag"]
    size = segments.get(path, headers={"Range": "bytes=0-0"}).headers["Content-Range"].partition("/")[2]
    assert segments.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert segments.get(path, headers={"If-Match": '"other"'}).status_code == 412
    refused = segments.get(path, headers={"Range": f"bytes={size}-"})
    assert (refused.status_code, refused.headers["Content-Range"]) == (416, f"bytes */{size}")


async def test_over_http2(segments: Server, content: bytes) -> None:
    if not segments.url.startswith("https"):
        pytest.skip("HTTP/2 is spoken over TLS")
    async with http2(segments, window=MEGABYTE) as client:
        for name in ("film", "sound"):
            whole = assemble(body(name, SIZE), content)
            _, got = await client.whole(f"/parts/film.mp4/{name}", range="bytes=2000-2000000")
            assert got == whole[2000:2000001]
        _, got = await client.whole("/parts/film.mp4/sound")
        assert got == whole


@pytest.mark.parametrize("name", ["little-gather", "little-window"])
async def test_a_small_segment_is_sent_in_one_packet_with_its_head(segments: Server, name: str) -> None:
    async with requested(segments, name) as (stream, rest):
        await drain(stream, rest, body_length(body(name, SIZE)))
        if isinstance(stream, trio.SocketStream):
            assert packets_with_data(stream) == 1


@pytest.mark.parametrize("name", ["film", "sounds"])
async def test_truncating_the_file_breaks_off_its_segments(segments: Server, other: Path, name: str) -> None:
    size = body_length(body(name, SIZE))
    async with requested(segments, name, video=other.name) as (stream, rest):
        await wait_until(lambda: segments.metrics()["active_streams"] == 1, 5)
        os.truncate(other, 100_000)
        got = await drain(stream, rest, size)
        assert len(got) < size, "an incomplete response may not look complete"
    await wait_until(lambda: len(segments.ended) == 1, 5)
    assert segments.ended[0]["ended"] == "failed"
    assert "the file" in segments.ended[0]["reason"]
    assert "Traceback" not in segments.log


@pytest.mark.parametrize("name", ["film", "sounds"])
async def test_rewriting_the_file_breaks_off_its_segments(segments: Server, other: Path, name: str) -> None:
    whole = assemble(body(name, SIZE), other.read_bytes())
    async with requested(segments, name, video=other.name) as (stream, rest):
        await wait_until(lambda: segments.metrics()["active_streams"] == 1, 5)
        with other.open("r+b") as file:
            file.seek(SIZE - 1)
            file.write(b"x")
        got = await drain(stream, rest, len(whole))
    assert len(got) < len(whole)
    assert got == whole[: len(got)]
    await wait_until(lambda: len(segments.ended) == 1, 5)
    assert (segments.ended[0]["ended"], segments.ended[0]["reason"]) == (
        "failed",
        "the file was rewritten in place",
    )


@pytest.mark.parametrize("name", ["film", "sound", "sounds"])
async def test_disconnected_clients_leave_nothing_behind(segments: Server, name: str) -> None:
    segments.wait_idle()
    before = segments.settled()
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(requested(segments, name)) for _ in range(8)]
        for stream, _ in streams[::2]:
            with trio.move_on_after(0.05):
                await stream.receive_some(100_000)
    await wait_until(lambda: segments.census().within(before), 5, "all work to end")
    assert len(segments.ended) == 8
    assert {event["ended"] for event in segments.ended} <= {"client left", "finished"}
    assert "Traceback" not in segments.log


@pytest.mark.parametrize("name", ["film", "sounds"])
def test_uncached_parts_arrive(segments: Server, other: Path, name: str) -> None:
    expected = assemble(body(name, SIZE), other.read_bytes())
    cold = segments.metrics()["windows_cold"]

    def fetched() -> bool:
        """On a busy machine the disk may be done before a request must wait for it."""
        with other.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        assert segments.get(f"/parts/{other.name}/{name}").content == expected
        return bool(segments.metrics()["windows_cold"] > cold)

    wait_for(fetched, 5, "a window to be read from the disk")
