"""A body that is a view of a mapped file: Hypercorn copies it, and is killed if the file is truncated.

Upstream: `HTTPStream.app_send` calls `bytes(message["body"])`, and `h11.Connection.send` joins the framing and the body.
"""

import os
from collections.abc import Callable

import pytest
import trio

from tests.server.pairs import both, plain
from tests.support import SLOWER, Server, connect, read_head, wait_for, wait_until

MEGABYTE = 1 << 20
SIZE = 64 * MEGABYTE

APP = """
import mmap, os
fd = os.open(os.environ["MAPPED"], os.O_RDONLY)
view = memoryview(mmap.mmap(fd, 0, access=mmap.ACCESS_READ))

async def app(scope, receive, send, *_):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    length = str(len(view)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    try:
        await send({"type": "http.response.body", "body": view, "more_body": True})
    except OSError as error:
        print("send raised", error.errno, flush=True)
        return
    await send({"type": "http.response.body", "body": b""})
"""


@pytest.fixture
def mapped(tmp_path: os.PathLike[str]) -> str:
    path = os.path.join(tmp_path, "mapped")
    with open(path, "wb") as file:
        file.write(os.urandom(MEGABYTE) * (SIZE // MEGABYTE))
    return path


@both
async def test_a_view_is_not_copied(serve: Callable[..., Server], mapped: str, guarded: bool) -> None:
    server = serve(APP, guarded=guarded, environ={"MAPPED": mapped})
    before = server.private_memory()
    async with await connect(server) as stream:
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        await read_head(stream)
        if guarded:
            got = 0
            with trio.fail_after(SLOWER * 3):
                while got < SIZE // 2:
                    got += len(await stream.receive_some(MEGABYTE))
            assert server.private_memory() - before < SIZE // 20
        else:
            await wait_until(lambda: server.private_memory() - before > SIZE // 2, 5, "the copy")


@plain
async def test_a_truncated_file_kills_plain_hypercorn(serve: Callable[..., Server], mapped: str) -> None:
    server = serve(APP, guarded=False, environ={"MAPPED": mapped})
    async with await connect(server) as stream:
        os.truncate(mapped, 0)
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        wait_for(lambda: server.process.poll() is not None, 5, "SIGBUS to kill the server")


async def test_a_truncated_file_fails_only_the_send(serve: Callable[..., Server], mapped: str) -> None:
    server = serve(APP, guarded=True, environ={"MAPPED": mapped})
    for _ in range(2):
        async with await connect(server) as stream:
            os.truncate(mapped, 0)
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
            with pytest.raises(trio.BrokenResourceError):  # a reset before the first byte of the body
                await read_head(stream)
    wait_for(lambda: server.log.count("send raised 14") == 2, 5, "both sends to raise EFAULT")
