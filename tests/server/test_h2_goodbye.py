"""HTTP/2: the end of a connection, by a client that sends a GOAWAY or that breaks the rules.

Upstream (docs/upstream/h2.md, 13) a GOAWAY ends the requests in progress.
"""

from collections.abc import Callable

import pytest
from h2.errors import ErrorCodes
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, WindowUpdateFrame

from tests.http2 import http2
from tests.server.pairs import both
from tests.support import SLOWER, Server, wait_until

MEGABYTE = 1_000_000

APP = """
import trio

async def app(scope, receive, send, *_):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    print("requested", scope["path"], flush=True)
    size = 300_000 if scope["path"] == "/large" else 5
    if scope["path"] == "/turns":
        for _ in range(int(scope["query_string"])):
            await trio.lowlevel.checkpoint()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    try:
        await send({"type": "http.response.body", "body": bytes(size), "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    except OSError:
        pass
    print("ended", flush=True)
"""

type Start = Callable[..., Server]

CODES = (ErrorCodes.NO_ERROR, ErrorCodes.CANCEL)


def goaway(code: int = ErrorCodes.NO_ERROR) -> bytes:
    return GoAwayFrame(0, error_code=code).serialize()


@pytest.mark.parametrize("code", CODES)
@both
async def test_a_goaway_ends_no_request(secure: Start, guarded: bool, code: ErrorCodes) -> None:
    """RFC 9113 section 6.8. Node's `session.close()` sends it, also before requests that were made earlier."""
    async with http2(secure(guarded=guarded, hypercorn=("--keep-alive", "1"))) as client:
        client.reading = set()
        large = await client.get("/large")
        await client.read(lambda: len(client.bodies[large]) == 65535)
        await client.flush(goaway(code))
        if guarded:
            assert (await client.whole("/small"))[1] == bytes(5)
            for stream_id in (large, None):
                client.connection.increment_flow_control_window(MEGABYTE, stream_id)
            await client.flush()
            await client.read(lambda: large in client.ended)
            assert len(client.bodies[large]) == 300_000
        with pytest.raises(AssertionError, match="closed the connection"):
            await client.read(lambda: False, SLOWER * 3)  # with the guards, the keep-alive timeout does
        assert (large in client.ended) is guarded


@both
async def test_a_goaway_in_the_packet_of_a_request(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded)) as client:
        client.quiet = True  # as after a GOAWAY
        small = client.ask("/small")
        await client.flush(goaway())
        if guarded:
            await client.read(lambda: small in client.ended)
        else:
            with pytest.raises(AssertionError, match="closed the connection"):
                await client.read(lambda: small in client.ended)


async def test_a_goaway_does_not_discard_pending_data(secure: Start) -> None:
    """If data that the library has ready were discarded, the client could not decode the heads after it."""
    async with http2(secure(guarded=True)) as client:
        streams = [client.ask(f"/small?{number}", number=str(number)) for number in range(20)]
        ping = PingFrame(0, opaque_data=b"answer!!").serialize()
        await client.flush(ping + goaway() + ping)
        await client.read(lambda: client.ended.issuperset(streams))
        assert {client.heads[stream_id][":status"] for stream_id in streams} == {"200"}


ERRORS: dict[str, Frame] = {
    "data on a stream that was never opened": DataFrame(999, data=b"x"),
    "a window that is too wide": WindowUpdateFrame(0, window_increment=2**31 - 1),
    "invalid HPACK": HeadersFrame(999, data=b"\xff" * 50, flags=["END_HEADERS"]),
}


@pytest.mark.parametrize("error", ERRORS)
async def test_a_connection_error_is_not_an_error_of_the_application(secure: Start, error: str) -> None:
    """At every step of the application."""
    server = secure(guarded=True)
    async with http2(server) as client:
        for turns in range(90):
            client.ask(f"/turns?{turns}")
        await client.flush()
        await client.flush(ERRORS[error].serialize())
        with pytest.raises(AssertionError, match="closed the connection"):
            await client.read(lambda: False)
        assert client.goaway != ErrorCodes.NO_ERROR
    await wait_until(lambda: server.log.count("ended") == server.log.count("requested") == 90, 5, "the end")
    assert "Traceback" not in server.log
