"""Sends to clients that stop reading or leave.

Upstream: `TCPServer.protocol_send` shields `send_all` and gives it no deadline.
"""

from collections.abc import Callable
from contextlib import suppress

import trio

from tests.server.pairs import both, plain
from tests.support import SLOWER, Server, connect, happens, read_head, until_end, wait_for

APP = """
async def app(scope, receive, send, *_):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000000000")]})
    try:
        for _ in range(1000):
            await send({"type": "http.response.body", "body": bytes(1_000_000), "more_body": True})
    except BaseException as error:
        print("send raised", type(error).__name__, flush=True)
        raise
"""


async def stalled_client(server: Server) -> trio.SocketStream:
    stream = await connect(server)
    await stream.send_all(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
    await read_head(stream)
    return stream


@plain
async def test_plain_hypercorn_does_not_stop_while_a_client_does_not_read(
    serve: Callable[..., Server],
) -> None:
    server = serve(APP, guarded=False, hypercorn=("-w", "1", "--graceful-timeout", "1"))
    async with await stalled_client(server):
        server.process.terminate()
        assert not happens(lambda: server.process.poll() is not None, 5)
    # The client is gone now, so the server can stop.


async def test_the_guarded_server_stops_at_the_graceful_timeout(serve: Callable[..., Server]) -> None:
    server = serve(APP, guarded=True, limits="send_timeout=3600", hypercorn=("--graceful-timeout", "1"))
    async with await stalled_client(server):
        assert await trio.to_thread.run_sync(server.stop) == 0  # fails long before the other timeout
    assert "send raised Cancelled" in server.log


@both
async def test_a_send_without_progress_ends(serve: Callable[..., Server], guarded: bool) -> None:
    server = serve(APP, guarded=guarded, limits="send_timeout=0.5")
    async with await stalled_client(server):
        if guarded:
            wait_for(lambda: "send raised TimeoutError" in server.log, 5)
        else:
            assert not happens(lambda: "send raised" in server.log, 3)


@both
async def test_a_send_to_a_client_that_left_raises(serve: Callable[..., Server], guarded: bool) -> None:
    server = serve(APP, guarded=guarded)
    (await stalled_client(server)).socket.close()
    if guarded:
        wait_for(lambda: "send raised" in server.log, 5)
        assert "ConnectionResetError" in server.log or "BrokenPipeError" in server.log
    else:
        # It prepares a gigabyte for nobody, and no send raises.
        assert not happens(lambda: "send raised" in server.log, 3)


FOREVER = """
import trio

async def app(scope, receive, send, *_):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    if scope["path"] == "/other":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        return await send({"type": "http.response.body", "body": b"the other's own"})
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000000000000")]})
    while True:
        await send({"type": "http.response.body", "body": memoryview(bytes(100_000)), "more_body": True})
"""


OTHER = b"GET /other HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"


async def test_data_never_reaches_another_client(serve: Callable[..., Server]) -> None:
    """A connection that is closed while it sends frees its descriptor, and the next client gets the same number."""
    server = serve(FOREVER, guarded=True)
    for _ in range(20):
        async with await connect(server) as offender:
            await offender.send_all(b"GET / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
            await read_head(offender)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_drain, offender)
                await offender.send_all(b"not a number\r\n")  # the server closes the connection
                for _ in range(5):
                    async with await connect(server) as other:
                        await other.send_all(OTHER)
                        response = await until_end(other, SLOWER * 3) or b""
                        assert response.startswith(b"HTTP/1.1 200 ")
                        assert b"the other's own" in response
                        assert b"\0" not in response, "the body of the offender is all zeros"
                nursery.cancel_scope.cancel()


async def _drain(stream: trio.SocketStream) -> None:
    with suppress(trio.BrokenResourceError):
        while await stream.receive_some(1 << 20):
            pass
