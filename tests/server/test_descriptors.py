"""A server that has no descriptor left for another connection.

Trio soon tries to accept again, so the server survives in any case. Upstream: the descriptor of a client that has left
is kept until the keep-alive timeout, and a client that waits for a descriptor must wait for that.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack

import trio

from tests.server.pairs import both
from tests.support import Server, connect, read_head, wait_until

APP = """
async def app(scope, receive, send, *_):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
"""

GET = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n"


async def gets_response(stream: trio.SocketStream, within: float = 5) -> bool:
    with trio.move_on_after(within):
        head, _ = await read_head(stream)
        return b" 200 " in head
    return False


@both
async def test_a_waiting_client_gets_the_descriptor_of_one_that_leaves(
    serve: Callable[..., Server], guarded: bool
) -> None:
    server = serve(APP, guarded=guarded, hypercorn=("--keep-alive", "60"))
    async with AsyncExitStack() as stack:

        async def request() -> trio.SocketStream:
            stream = await stack.enter_async_context(await connect(server))
            await stream.send_all(GET)
            return stream

        with server.descriptors_left(5):
            connected = [await request() for _ in range(5)]
            for stream in connected:
                assert await gets_response(stream)
            waiting = [await request() for _ in range(3)]
            await wait_until(lambda: "EMFILE" in server.log, 5, "it to run out of descriptors")
            for stream in connected:
                await stream.send_all(GET)  # open connections are still served
                assert await gets_response(stream)
            for leaving, next_one in zip(connected, waiting, strict=False):
                assert not await gets_response(next_one, within=0.2)
                await leaving.aclose()
                assert await gets_response(next_one, within=5 if guarded else 1) is guarded
        for stream in () if guarded else waiting:
            assert await gets_response(stream)
        assert await gets_response(await request())
