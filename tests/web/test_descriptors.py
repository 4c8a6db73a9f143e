"""A server that has reached its limit of open files: new requests are refused with 503, and running ones continue."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest
import trio

from tests.depth import large
from tests.support import (
    SLOWER,
    Server,
    connect,
    read_head,
    settings_of,
    url_in,
    wait_for,
    wait_until,
)
from tests.websocket import Client, Rejected
from trio_stream.server.tcp.visits import VISITS

MEGABYTE = 1 << 20
SIZE = 32 * MEGABYTE
"""More than the buffers of the system can hold, so a stream of it runs until its client has read it."""


@pytest.fixture
def content() -> bytes:
    return os.urandom(MEGABYTE) * (SIZE // MEGABYTE)


@pytest.fixture
def server(start: Callable[..., Server], tmp_path: Path, content: bytes) -> Server:
    videos = tmp_path / "videos"
    videos.mkdir()
    for name in ("watched.mp4", "other.mp4"):
        (videos / name).write_bytes(content)
    server = start(videos, hypercorn=("--keep-alive", "3600"))
    for name in ("watched.mp4", "other.mp4"):
        server.wait_for_video(name, SIZE)
    server.wait_idle()  # scans and background jobs open and close files
    process = psutil.Process(server.pid)

    def is_alone() -> bool:
        return {connection.status for connection in process.net_connections("tcp")} == {psutil.CONN_LISTEN}

    wait_for(is_alone, 5, "the connections of these requests to be closed")
    return server


class OpenConnection:
    """A connection that stays open."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.body = b""

    async def ask(self, path: str, method: str = "GET") -> tuple[int, dict[str, str]]:
        """The status and the header fields of the response; the part of its body that arrived is in `body`."""
        await self.stream.send_all(f"{method} {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
        head, self.body = await read_head(self.stream)
        first, *lines = head.decode().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines)
        return int(first.split()[1]), fields

    async def read(self, size: int) -> bytes:
        """The rest of the body, which has `size` bytes in total."""
        with trio.fail_after(SLOWER * 3):
            while len(self.body) < size and (more := await self.stream.receive_some(MEGABYTE)):
                self.body += more
        return self.body

    async def is_refused(self, path: str, method: str = "GET") -> None:
        status, fields = await self.ask(path, method)
        assert status == 503
        assert fields["content-type"] == "application/problem+json"
        assert int(fields["retry-after"]) > 0
        if method != "HEAD":
            response = json.loads(await self.read(int(fields["content-length"])))
            assert response["code"] == "too-many-files"

    async def gets(self, path: str) -> bytes:
        status, fields = await self.ask(path)
        assert status == 200
        return await self.read(int(fields["content-length"]))


async def open_connection(stack: AsyncExitStack, server: Server) -> OpenConnection:
    return OpenConnection(await stack.enter_async_context(await connect(server)))


async def test_requests_are_refused_with_503_when_no_file_can_be_opened(
    server: Server, content: bytes
) -> None:
    async with AsyncExitStack() as stack:
        watching, asking, upgrading = [await open_connection(stack, server) for _ in range(3)]
        for visitor in (asking, upgrading):
            await visitor.gets("/healthz")
        await watching.ask("/api/stream/watched.mp4")
        with server.descriptors_left(0):
            for name in ("other.mp4", "watched.mp4"):
                await asking.is_refused(f"/api/stream/{name}")
                await asking.is_refused(f"/api/stream/{name}", "HEAD")
            await asking.is_refused("/api/videos")
            # Requests that need no descriptor still work.
            status, fields = await asking.ask("/api/stream/none.mp4")
            assert status == 404
            await asking.read(int(fields["content-length"]))
            for path in ("/healthz", "/api/metrics", "/metrics"):
                await asking.gets(path)
            with pytest.raises(Rejected) as refused:
                await Client(upgrading.stream).shake_hands("t", "/api/ws/stream/other.mp4", (), [])
            assert refused.value.status == 503
            assert json.loads(refused.value.body)["code"] == "too-many-files"
            # From here on descriptors are free again, because that connection and then the file of the stream are closed.
            assert await watching.read(SIZE) == content
        assert await asking.gets("/api/stream/other.mp4") == content
    assert "a request failed" not in server.log
    assert '"event": "a file could not be opened: too many open files"' in server.log


async def test_a_waiting_client_is_served_when_another_disconnects(server: Server, content: bytes) -> None:
    process = psutil.Process(server.pid)
    async with AsyncExitStack() as stack:
        with server.descriptors_left(2):
            first, second = [await open_connection(stack, server) for _ in range(2)]
            for visitor in (first, second):
                await visitor.gets("/healthz")
            third = await open_connection(stack, server)
            await wait_until(lambda: "EMFILE" in server.log, 5, "the server to have no descriptor left")
            await first.stream.aclose()
            await third.is_refused("/api/stream/other.mp4")
            full = process.num_fds()
            await second.stream.aclose()
            await wait_until(lambda: process.num_fds() < full, 5, "the descriptor to be free")
            assert await third.gets("/api/stream/other.mp4") == content


async def test_the_last_descriptor_is_enough_for_a_video(server: Server, content: bytes) -> None:
    """On Python 3.12 a memory map would need another one; without it the bytes are read."""
    async with AsyncExitStack() as stack:
        visitor = await open_connection(stack, server)
        await visitor.gets("/healthz")
        with server.descriptors_left(1):
            assert await visitor.gets("/api/stream/other.mp4") == content


async def health_is_served_beyond_the_limit_of_connections(stack: AsyncExitStack, server: Server) -> None:
    for path in ("/healthz", "/readyz"):
        status, fields = await (await open_connection(stack, server)).ask(path)
        assert (status, fields["connection"]) == (200, "close")
    status, fields = await (await open_connection(stack, server)).ask("/api/metrics")
    assert (status, fields["connection"], fields["retry-after"]) == (503, "close", "1")
    # Connections without a request are closed again, or they would occupy these places.
    idle = [await open_connection(stack, server) for _ in range(VISITS)]
    with trio.fail_after(SLOWER * 10):
        for visitor in idle:
            assert await visitor.stream.receive_some(1) == b""
    assert await (await open_connection(stack, server)).gets("/healthz")


@pytest.mark.parametrize(("files", "places"), [large(256, 128), (512, 256), large(1024, 512)])
async def test_a_low_limit_of_open_files_leaves_room_for_some_connections(
    tmp_path: Path, files: int, places: int
) -> None:
    (tmp_path / "videos").mkdir()
    command = (sys.executable, "-m", "hypercorn", "trio_stream.app:app", "-k", "trio", "-w", "0")
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            ["prlimit", f"--nofile={files}:{files}", *command, "--bind", "127.0.0.1:0"],
            env=os.environ | settings_of(tmp_path / "videos", tmp_path),
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            url = await trio.to_thread.run_sync(
                lambda: wait_for(lambda: url_in(log, process), 30, "the server")
            )
            server = Server(process, url, tmp_path / "videos", log)
            async with AsyncExitStack() as stack:
                crowd = [await open_connection(stack, server) for _ in range(places)]
                for visitor in crowd:
                    await visitor.gets("/healthz")
                await health_is_served_beyond_the_limit_of_connections(stack, server)
                await crowd[0].stream.aclose()

                async def is_let_in() -> bool:
                    async with AsyncExitStack() as short:
                        return (await (await open_connection(short, server)).ask("/api/metrics"))[0] == 200

                with trio.fail_after(SLOWER * 5):
                    while not await is_let_in():
                        await trio.lowlevel.checkpoint()
        finally:
            process.terminate()
    lines = [line for line in log.read_text().splitlines() if '"the limit of open files is low' in line]
    (warning,) = map(json.loads, lines)
    assert (warning["files"], warning["connections"]) == (files, places)
    assert "ulimit" in warning["remedy"]
