"""HTTP/2: clients that give no window, leave in the middle, or never behave.

Upstream (docs/upstream/h2.md): `StreamBuffer.pop` lets the application go on although nothing was popped, and
`H2Protocol.stream_send(StreamClosed())` neither ends nor resets a response that was begun.
"""

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import trio
from h2.errors import ErrorCodes
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame, PriorityFrame

from tests.http2 import Client, certified, http2
from tests.support import Server, wait_until

MEGABYTE = 1_000_000

APP = """
import trio

HEAD = {"type": "http.response.start", "status": 200, "headers": []}

async def until_gone(receive):
    while (await receive())["type"] != "http.disconnect":
        pass
    print("disconnected", flush=True)

async def app(scope, receive, send, *_):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    print("asked for", scope["path"], scope["http_version"], flush=True)

    async def body(data, more=True):
        try:
            await send({"type": "http.response.body", "body": data, "more_body": more})
        except BaseException as error:
            print("send raised", type(error).__name__, flush=True)
            raise

    await send(HEAD)
    match scope["path"]:
        case "/endless":
            for _ in range(250):  # megabytes: enough to see, and no more than a test may take
                await body(bytes(1_000_000))
                await trio.lowlevel.checkpoint()
            await until_gone(receive)
        case "/early":
            await body(b"the beginning")
        case "/hold":
            await until_gone(receive)
        case "/deaf":
            await trio.sleep_forever()
        case "/cancelled":
            with trio.move_on_after(0.2):
                await body(bytes(1_000_000))
        case "/large":
            await body(bytes(300_000))
            await body(b"", more=False)
        case _:
            await body(b"small", more=False)
"""

type Start = Callable[..., Server]


@pytest.fixture
def secure(serve: Start, tmp_path: Path) -> Start:
    """As `serve`, with TLS."""
    return lambda **more: serve(APP, hypercorn=certified(tmp_path), **{"guarded": True, **more})


@pytest.fixture
async def client(secure: Start) -> AsyncIterator[Client]:
    """A client of the guarded server, with that as its `server`."""
    async with http2(secure(limits="send_timeout=1")) as client:
        yield client


async def said(client: Client, words: str, times: int = 1) -> None:
    await wait_until(lambda: client.server.log.count(words) >= times, 5, words)


@pytest.mark.parametrize("guarded", [False, True])
async def test_a_client_without_a_window_costs_a_buffer(secure: Start, guarded: bool) -> None:
    server = secure(guarded=guarded, stops_with=None)
    async with http2(server) as client:
        client.reading = set()
        await client.whole("/small")
        before = server.private_memory()
        endless = await client.get("/endless")
        await client.read(lambda: len(client.bodies[endless]) == 65535)
        if guarded:
            with pytest.raises(trio.TooSlowError):
                await client.read(lambda: len(client.bodies[endless]) > 65535, 2)
            cost = server.private_memory() - before
            assert cost < 2 * MEGABYTE, cost  # one of them is the application's own message
        else:
            await wait_until(
                lambda: server.private_memory() - before > 100 * MEGABYTE, 10, "the memory to go"
            )


@pytest.mark.parametrize("guarded", [False, True])
async def test_a_response_that_ends_early_is_reset(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded, stops_with=None)) as client:
        early = await client.get("/early")
        if guarded:
            await client.read(lambda: early in client.resets)
            assert client.resets == {early: ErrorCodes.INTERNAL_ERROR}
        else:
            with pytest.raises(trio.TooSlowError):
                await client.read(lambda: bool(client.resets or client.ended or client.goaway), 1.5)
        assert early not in client.ended
        assert (await client.whole("/small"))[1] == b"small"


async def test_a_reset_ends_what_waits_for_the_window(client: Client) -> None:
    client.reading = set()
    endless, hold = await client.get("/endless"), await client.get("/hold")
    await client.read(lambda: len(client.bodies[endless]) == 65535 and hold in client.heads)
    for stream_id in (endless, hold):
        client.connection.reset_stream(stream_id, ErrorCodes.CANCEL)
    await client.flush()
    await said(client, "send raised ConnectionResetError")
    await said(client, "disconnected")
    assert (await client.whole("/small"))[1] == b"small"


async def test_a_connection_that_goes_ends_its_streams(secure: Start) -> None:
    async with http2(secure()) as client:
        client.reading = set()
        endless, hold = await client.get("/endless"), await client.get("/hold")
        await client.read(lambda: len(client.bodies[endless]) == 65535 and hold in client.heads)
    await said(client, "send raised ConnectionResetError")
    await said(client, "disconnected")


async def test_a_window_that_stays_shut_ends_its_stream_only(client: Client) -> None:
    client.reading = set()
    endless, large = await client.get("/endless"), await client.get("/large")
    client.reading = {large}
    await client.read(lambda: endless in client.resets)
    assert client.resets == {endless: ErrorCodes.CANCEL}
    assert len(client.bodies[large]) == 300_000
    assert large in client.ended
    assert "send raised TimeoutError" in client.server.log


async def test_a_cancelled_send_ends_its_stream_only(client: Client) -> None:
    cancelled, large = await client.get("/cancelled"), await client.get("/large")
    client.reading = {large}
    await client.read(lambda: cancelled in client.resets and large in client.ended)
    assert len(client.bodies[large]) == 300_000
    assert (await client.whole("/small"))[1] == b"small"


async def test_an_application_that_takes_nothing_is_reset(client: Client) -> None:
    deaf = client.ask("/deaf", method="POST", end=False)
    for _ in range(20):
        client.connection.send_data(deaf, b"x")
    client.ask("/small")
    await client.flush()
    await client.read(lambda: client.resets.get(deaf) == ErrorCodes.ENHANCE_YOUR_CALM and bool(client.ended))


@pytest.mark.parametrize("guarded", [False, True])
async def test_data_after_the_answer_costs_nothing(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded)) as client:
        post = client.ask("/small", method="POST", end=False)
        await client.flush()
        await client.read(lambda: post in client.ended)
        data = DataFrame(post, data=b"late")
        data.flags.add("END_STREAM")
        await client.flush(data.serialize())
        if guarded:
            assert (await client.whole("/small"))[1] == b"small"
            assert "failed" not in client.server.log
        else:
            with pytest.raises(AssertionError, match="closed the connection"):
                await client.whole("/small")


def bomb() -> list[Frame]:
    return [
        HeadersFrame(1, data=b"\x82"),
        *(ContinuationFrame(1, data=b"\x00\x01a\x01b" * 999) for _ in range(99)),
    ]


ABUSE: dict[str, Callable[[], list[Frame]]] = {
    "data on a stream that never was": lambda: [DataFrame(99, data=b"x")],
    "a stream that depends on itself": lambda: [PriorityFrame(5, depends_on=5)],
    "a head without end": bomb,
    "5000 priorities": lambda: [PriorityFrame(n, depends_on=n + 2) for n in range(1, 10001, 2)],
}


@pytest.mark.parametrize("abuse", ABUSE)
async def test_abuse_costs_at_most_its_connection(client: Client, abuse: str) -> None:
    await client.flush(b"".join(frame.serialize() for frame in ABUSE[abuse]()))
    if abuse == "5000 priorities":
        await client.whole("/small")
    else:
        with pytest.raises(AssertionError, match="closed the connection"):
            await client.read(lambda: False)
    async with http2(client.server) as other:
        assert (await other.whole("/small"))[1] == b"small"
    assert "a connection failed" not in client.server.log


async def test_there_is_a_limit_to_concurrent_streams(client: Client) -> None:
    client.connection.remote_settings.max_concurrent_streams = 1000
    for _ in range(101):
        client.ask("/hold")
    await client.flush()
    with pytest.raises(AssertionError, match="closed the connection"):
        await client.read(lambda: False)
    assert client.goaway is not None
    assert client.server.log.count("asked for /hold") <= 100


async def test_rapid_resets_end_the_connection(client: Client) -> None:
    for _ in range(1000):
        client.connection.reset_stream(client.ask("/hold"))
    await client.flush()
    with pytest.raises(AssertionError, match="closed the connection"):
        await client.read(lambda: False)
    assert client.goaway == ErrorCodes.ENHANCE_YOUR_CALM
    assert client.server.log.count("asked for /hold") < 300
    await said(client, "disconnected", 200)


async def test_the_last_request_of_a_connection_is_answered(secure: Start) -> None:
    async with http2(secure()) as client:
        client.reading = set()
        held = await client.get("/large")
        for _ in range(37):
            streams = [
                client.ask("/small") for _ in range(27)
            ]  # 999 in all: Hypercorn's `keep_alive_max_requests`
            await client.flush()
            await client.read(lambda: client.ended.issuperset(streams))  # noqa: B023
        await client.read(lambda: client.goaway == ErrorCodes.NO_ERROR)
        late = await client.get("/small")
        client.connection.increment_flow_control_window(MEGABYTE, held)
        await client.flush()
        await client.read(lambda: late in client.resets and held in client.ended)
        assert len(client.bodies[held]) == 300_000
        assert client.resets == {late: ErrorCodes.REFUSED_STREAM}
        with pytest.raises(AssertionError, match="closed the connection"):
            await client.read(lambda: False)


async def test_the_server_stops_with_streams_that_stand_still(secure: Start) -> None:
    server = secure()
    async with http2(server) as client:
        client.reading = set()
        endless = await client.get("/endless")
        await client.read(lambda: len(client.bodies[endless]) == 65535)
        began = time.monotonic()
        assert await trio.to_thread.run_sync(server.stop) == 0
        assert time.monotonic() - began < 4  # the graceful timeout is 2
