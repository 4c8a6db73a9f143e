"""HTTP/2: clients that give no window, leave in the middle, or misbehave.

Upstream (docs/upstream/h2.md): `StreamBuffer.pop` lets the application continue although nothing was popped, nothing
wakes it when its stream or its connection is gone, and an unexpected event of one stream ends the connection or the
server.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import psutil
import pytest
import trio
from h2.errors import ErrorCodes
from hyperframe.frame import (
    AltSvcFrame,
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from tests.http2 import Client, http2
from tests.server.pairs import both
from tests.support import SLOWER, Server, happens, wait_until
from trio_stream.server.asgi.allowance import PARTS

MEGABYTE = 1_000_000

MUCH = 100 * MEGABYTE
"""Bytes of memory that a client which accepts nothing costs without the guards. With them it is less than a tenth."""

NEVER = "3600"
"""A graceful timeout that is never reached."""

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
    print("requested", scope["path"], scope["http_version"], flush=True)

    async def body(data, more=True):
        try:
            await send({"type": "http.response.body", "body": data, "more_body": more})
        except BaseException as error:
            print("send raised", type(error).__name__, flush=True)
            raise

    if scope["path"] == "/body":
        while (await receive()).get("more_body"):
            pass
    await send(HEAD)
    match scope["path"]:
        case "/endless":
            for number in range(1, 251):  # megabytes: enough to measure, and not too much for a test
                await body(bytes(1_000_000))
                print("sent", number, flush=True)
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
            await body(b"", more=False)
        case "/large":
            await body(bytes(300_000))
            await body(b"", more=False)
        case _:
            await body(b"small", more=False)
"""

type Start = Callable[..., Server]


@pytest.fixture
async def client(secure: Start) -> AsyncIterator[Client]:
    """A client of a guarded server, which is its `server`."""
    async with http2(secure(guarded=True, limits="send_timeout=1")) as client:
        yield client


async def wait_logged(client: Client, text: str, times: int = 1) -> None:
    await wait_until(lambda: client.server.log.count(text) >= times, 5, text)


async def check_not_logged(client: Client, text: str) -> None:
    assert not await trio.to_thread.run_sync(happens, lambda: text in client.server.log, 1.5)


async def check_never_ends(client: Client, stream_id: int) -> None:
    """Check that the stream does not end while the client waits for that."""
    with pytest.raises(trio.TooSlowError):
        await client.read(lambda: stream_id in client.ended or stream_id in client.resets, 2)


@both
async def test_a_client_without_a_window_costs_only_a_buffer(secure: Start, guarded: bool) -> None:
    server = secure(guarded=guarded)
    async with http2(server) as client:
        client.reading = set()
        await client.whole("/small")
        before = server.private_memory()
        endless = await client.get("/endless")
        await client.read(lambda: len(client.bodies[endless]) == 65535)
        if guarded:
            for _ in range(20):  # other streams have turns, so the next message would have one too
                await client.whole("/small")
            assert len(client.bodies[endless]) == 65535
            assert "sent 1" not in server.log, "the first message is still being sent"
            cost = server.private_memory() - before
            assert cost < MUCH // 10, cost  # mostly the application's own message
        else:
            await wait_until(lambda: server.private_memory() - before > MUCH, 5, "the memory to be used")


@both
async def test_a_response_that_ends_early_is_reset(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded)) as client:
        early = await client.get("/early")
        if guarded:
            await client.read(lambda: early in client.resets)
            assert client.resets == {early: ErrorCodes.INTERNAL_ERROR}
        else:
            await check_never_ends(client, early)
        assert early not in client.ended
        assert (await client.whole("/small"))[1] == b"small"


@both
async def test_a_reset_ends_a_send_that_waits_for_the_window(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded)) as client:
        client.reading = set()
        large, hold = await client.get("/large"), await client.get("/hold")
        await client.read(lambda: len(client.bodies[large]) == 65535 and hold in client.heads)
        for stream_id in (large, hold):
            client.connection.reset_stream(stream_id, ErrorCodes.CANCEL)
        await client.flush()
        await wait_logged(client, "disconnected")
        if guarded:
            await wait_logged(client, "send raised ConnectionResetError")
        else:
            await check_not_logged(client, "send raised")
        assert (await client.whole("/small"))[1] == b"small"


@both
async def test_a_lost_connection_ends_its_streams(secure: Start, guarded: bool) -> None:
    # With a worker, because plain Hypercorn without one is killed by the signal.
    server = secure(guarded=guarded, hypercorn=("-w", "1", "--graceful-timeout", NEVER if guarded else "1"))
    async with http2(server) as client:
        client.reading = set()
        large, hold = await client.get("/large"), await client.get("/hold")
        await client.read(lambda: len(client.bodies[large]) == 65535 and hold in client.heads)
    await wait_logged(client, "disconnected")
    if guarded:
        await wait_logged(client, "send raised ConnectionResetError")
    await trio.to_thread.run_sync(server.stop)  # fails long before the longer of the two timeouts
    assert ("send raised Cancelled" in server.log) is not guarded, "by the graceful timeout"


@both
async def test_a_window_that_stays_closed_ends_only_its_stream(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded, limits="send_timeout=1")) as client:
        client.reading = set()
        blocked, read = await client.get("/large"), await client.get("/large")
        client.reading = {read}
        await client.read(lambda: read in client.ended)
        assert len(client.bodies[read]) == 300_000
        if guarded:
            await client.read(lambda: blocked in client.resets)
            assert client.resets == {blocked: ErrorCodes.CANCEL}
            assert "send raised TimeoutError" in client.server.log
        else:
            await check_never_ends(client, blocked)


@both
async def test_a_client_that_does_not_read_at_all_loses_its_connection(secure: Start, guarded: bool) -> None:
    server = secure(guarded=guarded, limits="send_timeout=1")
    process = psutil.Process(server.pid)
    before = process.num_fds()
    widest = 2**31 - 1
    async with http2(server, window=widest) as client:
        client.connection.increment_flow_control_window(widest - 65535)
        await client.get("/endless")
        await wait_logged(client, "requested /endless")
        if guarded:
            await wait_until(lambda: process.num_fds() == before, 5, "the connection to be gone")
        else:
            assert not await trio.to_thread.run_sync(happens, lambda: process.num_fds() == before, 3)


async def test_a_cancelled_send_ends_only_its_stream(client: Client) -> None:
    """And what the application sends afterwards does not make the torn response look complete."""
    cancelled, large = await client.get("/cancelled"), await client.get("/large")
    client.reading = {large}
    await client.read(lambda: len(client.bodies[cancelled]) == 65535 and large in client.ended)
    await wait_logged(client, "send raised Cancelled")
    client.reading = None
    if cancelled not in client.resets:
        client.connection.increment_flow_control_window(MEGABYTE, cancelled)
        await client.flush()
    await client.read(lambda: cancelled in client.resets or cancelled in client.ended)
    assert cancelled not in client.ended
    assert len(client.bodies[large]) == 300_000
    assert (await client.whole("/small"))[1] == b"small"


@both
async def test_a_stream_is_reset_if_its_application_accepts_nothing(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded)) as client:
        deaf = client.ask("/deaf", method="POST", end=False)
        for _ in range(20):
            client.connection.send_data(deaf, b"x")
        small = client.ask("/small")
        await client.flush()
        if guarded:
            await client.read(lambda: deaf in client.resets and small in client.ended)
            assert client.resets[deaf] == ErrorCodes.ENHANCE_YOUR_CALM
        else:
            await check_never_ends(client, small)


@both
async def test_data_after_the_response_is_harmless(secure: Start, guarded: bool) -> None:
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


@both
async def test_a_request_body_has_a_limit(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded, limits="request_body=100_000")) as client:
        for size, accepted in ((100_000, True), (100_001, not guarded), (300_000, not guarded)):
            post = client.ask("/body", method="POST", end=False)
            while size and post not in client.heads:
                room = client.connection.local_flow_control_window(post)
                part = min(room, size, client.connection.max_outbound_frame_size)
                client.connection.send_data(post, bytes(part))
                size -= part  # noqa: PLW2901 - what is left of the body
                await client.flush()
                if part == room:
                    await client.read(
                        lambda: post in client.heads or client.connection.local_flow_control_window(post) > 0  # noqa: B023 - called in this iteration
                    )
            if post not in client.heads:
                client.connection.end_stream(post)
                await client.flush()
            await client.read(lambda: post in client.ended)  # noqa: B023 - called in this iteration
            assert client.heads[post][":status"] == ("200" if accepted else "413")
        assert (await client.whole("/small"))[1] == b"small"


@both
async def test_a_connection_whose_last_stream_was_reset_is_idle(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded, hypercorn=("--keep-alive", "1"))) as client:
        hold = await client.get("/hold")
        await client.read(lambda: hold in client.heads)
        client.connection.reset_stream(hold, ErrorCodes.CANCEL)
        await client.flush()
        with pytest.raises(AssertionError if guarded else trio.TooSlowError):
            await client.read(lambda: False, SLOWER * 3 if guarded else 3)
        assert client.closed is guarded


def bomb() -> list[Frame]:
    return [
        HeadersFrame(1, data=b"\x82"),
        *(ContinuationFrame(1, data=b"\x00\x01a\x01b" * 999) for _ in range(99)),
    ]


ABUSE: dict[str, Callable[[], list[Frame]]] = {
    "data on a stream that was never opened": lambda: [DataFrame(99, data=b"x")],
    "a stream that depends on itself": lambda: [PriorityFrame(5, depends_on=5)],
    "an endless head": bomb,
}


@pytest.mark.parametrize("abuse", ABUSE)
@both
async def test_abuse_ends_only_its_connection(secure: Start, guarded: bool, abuse: str) -> None:
    """This holds in plain Hypercorn already. The guards must not change it."""
    server = secure(guarded=guarded)
    async with http2(server) as client, http2(server) as other:
        with suppress(trio.BrokenResourceError):  # the server need not accept all of it
            await client.flush(b"".join(frame.serialize() for frame in ABUSE[abuse]()))
        with pytest.raises(AssertionError, match="closed the connection"):
            await client.read(lambda: False)
        assert (await other.whole("/small"))[1] == b"small"
    assert "failed" not in server.log


@both
async def test_priorities_of_streams_that_are_never_opened_are_harmless(secure: Start, guarded: bool) -> None:
    server = secure(guarded=guarded)
    async with http2(server) as client:
        frames = [
            PriorityFrame(stream_id, depends_on=stream_id + 2) for stream_id in range(1, 2 * PARTS - 10, 2)
        ]
        await client.flush(b"".join(frame.serialize() for frame in frames))
        if guarded:
            assert (await client.whole("/small"))[1] == b"small"
        else:
            await wait_until(lambda: server.process.poll() is not None, 5, "the whole server to exit")


INVALID_HEADS: dict[str, list[tuple[bytes, bytes]]] = {
    "a method that is not ASCII": [(b":method", b"G\xc9T"), (b":scheme", b"https"), (b":path", b"/small")],
    "a path that is not ASCII": [(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/sm\xe4ll")],
    "no path": [(b":method", b"CONNECT")],
}


@pytest.mark.parametrize("fault", INVALID_HEADS)
@both
async def test_an_invalid_request_head_ends_only_its_stream(secure: Start, guarded: bool, fault: str) -> None:
    server = secure(guarded=guarded)
    async with http2(server) as client:
        client.connection.config.validate_outbound_headers = False
        stream_id = client.connection.get_next_available_stream_id()
        client.connection.send_headers(
            stream_id, [*INVALID_HEADS[fault], (b":authority", b"t")], end_stream=True
        )
        await client.flush()
        if guarded:
            await client.read(lambda: stream_id in client.resets)
            assert client.resets == {stream_id: ErrorCodes.PROTOCOL_ERROR}
            assert (await client.whole("/small"))[1] == b"small"
        else:
            await wait_until(lambda: server.process.poll() is not None, 5, "the whole server to exit")


@both
async def test_concurrent_streams_are_limited(secure: Start, guarded: bool) -> None:
    """This is Hypercorn's own limit."""
    async with http2(secure(guarded=guarded)) as client:
        client.connection.remote_settings.max_concurrent_streams = 1000
        for _ in range(101):
            client.ask("/hold")
        await client.flush()
        with pytest.raises(AssertionError, match="closed the connection"):
            await client.read(lambda: False)
        assert client.goaway is not None
        assert client.server.log.count("requested /hold") <= 100


RESETS: dict[str, Callable[[int], Frame]] = {
    "by the client": RstStreamFrame,
    # A larger window than is allowed, which causes a reset.
    "by the server": lambda stream_id: WindowUpdateFrame(stream_id, window_increment=2**31 - 1),
}


@pytest.mark.parametrize("how", RESETS)
@both
async def test_rapid_resets_end_the_connection(secure: Start, guarded: bool, how: str) -> None:
    async with http2(secure(guarded=guarded)) as client:
        client.connection.remote_settings.max_concurrent_streams = 1000
        frames = b""
        for _ in range(1000):
            stream_id = client.ask("/hold")
            frames += client.connection.data_to_send() + RESETS[how](stream_id).serialize()
        await client.flush(frames)
        if guarded:
            with pytest.raises(AssertionError, match="closed the connection"):
                await client.read(lambda: False)
            assert client.goaway == ErrorCodes.ENHANCE_YOUR_CALM
            assert client.server.log.count("requested /hold") < 300
            await wait_logged(client, "disconnected", 200)
        else:
            await wait_logged(client, "requested /hold", 1000)


def unknown(stream_id: int) -> Frame:
    return ExtensionFrame(0xBE, stream_id, body=b"")


FLOODS: dict[str, Callable[[int], Frame]] = {
    "empty data": DataFrame,
    "priorities": lambda stream_id: PriorityFrame(stream_id, depends_on=0, stream_weight=3),
    "windows": lambda stream_id: WindowUpdateFrame(stream_id, window_increment=1),
    "windows of the connection": lambda _: WindowUpdateFrame(0, window_increment=1),
    "settings": lambda _: SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 65_535}),
    "pings": lambda _: PingFrame(0, opaque_data=b"nothing!"),
    "unknown frames": unknown,
    "alternative services": lambda _: AltSvcFrame(0, origin=b"a", field=b"b"),
    "windows of an ended stream": lambda _: WindowUpdateFrame(1, window_increment=1),
    "resets of an ended stream": lambda _: RstStreamFrame(1),
    "data of one byte": lambda stream_id: DataFrame(stream_id, data=b"x"),
}


@pytest.mark.parametrize("flood", FLOODS)
@both
async def test_too_many_empty_frames_end_the_connection(secure: Start, guarded: bool, flood: str) -> None:
    async with http2(secure(guarded=guarded)) as client:
        client.reading = set()
        await client.whole("/small")  # stream 1, which has ended
        held = client.ask("/body", method="POST", end=False)
        await client.flush()
        frame = FLOODS[flood](held).serialize()
        with suppress(trio.BrokenResourceError):  # it is cut off in between
            for _ in range(5 * PARTS // 100):
                await client.flush(100 * frame)
        if guarded:
            with pytest.raises(AssertionError, match="closed the connection"):
                await client.read(lambda: False)
        else:
            with pytest.raises(trio.TooSlowError):
                await client.read(lambda: client.closed, 1)


@pytest.mark.parametrize("step", [2048, 32_768])
async def test_a_client_that_receives_much_may_send_many_window_updates(secure: Start, step: int) -> None:
    """Two windows are widened for each step of received data, far more often than is allowed without data."""
    async with http2(secure(guarded=True)) as client:
        stream_id = client.ask("/endless")
        client.reading, received, steps = set(), 0, 2 * PARTS * 2048 // step
        await client.flush()
        while received < steps * step:
            wanted = received + step
            await client.read(lambda: len(client.bodies[stream_id]) >= wanted)  # noqa: B023 - called in this iteration
            # `read` has widened the window of the connection already.
            client.connection.increment_flow_control_window(step, stream_id)
            await client.flush()
            received = wanted


@both
async def test_the_last_request_of_a_connection_gets_its_response(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded)) as client:
        client.reading = set()
        held = await client.get("/large")
        for _ in range(37):
            # 37 times 27 is 999. With the held one, these are the 1,000 of Hypercorn's `keep_alive_max_requests`.
            streams = [client.ask("/small") for _ in range(27)]
            await client.flush()
            await client.read(lambda: client.ended.issuperset(streams))  # noqa: B023 - called in this iteration
        if guarded:
            await client.read(lambda: client.goaway == ErrorCodes.NO_ERROR)
        late = await client.get("/small")
        client.connection.increment_flow_control_window(MEGABYTE, held)
        await client.flush()
        if guarded:
            await client.read(lambda: late in client.resets and held in client.ended)
            assert len(client.bodies[held]) == 300_000
            assert client.resets == {late: ErrorCodes.REFUSED_STREAM}
        with pytest.raises(AssertionError, match="closed the connection"):
            await client.read(lambda: False)
        assert (held in client.ended) is guarded


async def request_until_ended(client: Client, path: str) -> int:
    """Make a request. Return its stream once that has ended or was reset, or the connection has ended."""
    stream_id = await client.get(path)
    await client.read(lambda: stream_id in client.ended or stream_id in client.resets or client.closed)
    return stream_id


@both
async def test_the_last_response_of_a_server_is_complete(secure: Start, guarded: bool) -> None:
    server = secure(guarded=guarded, hypercorn=("-w", "1", "--graceful-timeout", NEVER))
    async with http2(server) as client:
        client.reading = set()
        held = await client.get("/large")
        await client.read(lambda: len(client.bodies[held]) == 65535)
        async with http2(server) as idle:
            server.process.terminate()
            with pytest.raises(AssertionError, match="closed the connection"):
                await idle.read(lambda: False)  # ends when the server starts to stop
        with trio.fail_after(SLOWER * 3):
            late = await request_until_ended(client, "/small")
            while late in client.ended and not client.closed:  # the request came before the drain
                late = await request_until_ended(client, "/small")
        for stream_id in (held, None):
            client.connection.increment_flow_control_window(MEGABYTE, stream_id)
        with suppress(trio.BrokenResourceError):  # without the guards the connection may have ended already
            await client.flush()
        client.quiet = True  # data the server has not read when it closes would discard what it has sent
        with pytest.raises(AssertionError, match="closed the connection"):
            await client.read(lambda: False)
        assert (held in client.ended) is guarded
        assert not guarded or len(client.bodies[held]) == 300_000
        # Only this code tells a client that it may retry the request, on the next server (RFC 9113 section 8.7).
        assert (client.resets.get(late) == ErrorCodes.REFUSED_STREAM) is guarded
    await wait_until(lambda: server.process.poll() is not None, 5, "the server to end")


async def test_the_server_stops_despite_stalled_streams(secure: Start) -> None:
    server = secure(guarded=True, limits="send_timeout=3600", hypercorn=("--graceful-timeout", "1"))
    async with http2(server) as client:
        client.reading = set()
        endless = await client.get("/endless")
        await client.read(lambda: len(client.bodies[endless]) == 65535)
        assert await trio.to_thread.run_sync(server.stop) == 0  # fails long before the other timeout
        assert "send raised Cancelled" in server.log, "by the graceful timeout"
