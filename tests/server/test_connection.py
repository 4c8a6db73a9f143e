"""Connections: the end of a client's input, idle and refused connections, and limits on their number and their data.

Each test shows a fault of plain Hypercorn, and that the guards fix it.
"""

import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ipaddress import IPv4Network

import psutil
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from tests.server.pairs import both
from tests.support import SLOWER, Server, connect, exchange, read_head, until_end, wait_for, wait_until
from trio_stream.server.asgi.allowance import PARTS
from trio_stream.server.tcp.admission import LOOPBACK, Admission, in_networks

GET = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n"
CLOSING = b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"

APP = """
import trio

async def app(scope, receive, send, *_):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    if scope["type"] == "websocket":
        return await websocket(scope, receive, send)
    responses = {"/slowly": slowly, "/never": never, "/body": body, "/running": running}
    respond = responses.get(scope["path"], at_once)
    await respond(receive, send)

async def head(send, length):
    headers = [(b"content-length", str(length).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})

async def at_once(receive, send):
    await head(send, 2)
    await send({"type": "http.response.body", "body": b"ok"})

async def running(receive, send):
    await at_once(receive, send)
    await trio.sleep_forever()

async def slowly(receive, send):
    # Ends when the client leaves, as frameworks do.
    async def send_all():
        await head(send, 10)
        for number in range(10):
            await send({"type": "http.response.body", "body": b"x", "more_body": number < 9})
            await trio.sleep(0.1)
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send_all)
        while (await receive())["type"] != "http.disconnect":
            pass
        nursery.cancel_scope.cancel()

async def never(receive, send):
    began = trio.current_time()
    while (await receive())["type"] != "http.disconnect":
        pass
    print(f"disconnected after {trio.current_time() - began:.1f}", flush=True)

async def body(receive, send):
    received = 0
    while (message := await receive())["type"] == "http.request":
        received += len(message["body"])
        if not message["more_body"]:
            await head(send, 2)
            await send({"type": "http.response.body", "body": b"ok"})
            break
    print(f"received {received} bytes of the body", flush=True)

async def websocket(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/idle":
        await receive()
    elif scope["path"] == "/receive":
        while (await receive())["type"] == "websocket.receive":
            pass
    elif scope["path"] == "/flood":
        try:
            for _ in range(300):  # more than the buffers of the kernel hold
                await send({"type": "websocket.send", "bytes": bytes(100_000)})
        except OSError:
            print("send raised", flush=True)
        await trio.sleep_forever()  # even after the error
    else:
        await trio.sleep(0.5)  # and receives no messages
"""

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
MASKED_X = b"\x81\x81\x00\x00\x00\x00x"


def descriptors(server: Server) -> int:
    return psutil.Process(server.pid).num_fds()


@both
async def test_a_client_that_closed_its_half_gets_its_response(
    serve: Callable[..., Server], guarded: bool
) -> None:
    server = serve(APP, guarded=guarded)
    async with await connect(server) as stream:
        await stream.send_all(GET.replace(b"/", b"/slowly", 1))
        await stream.send_eof()
        _, got = await read_head(stream)
        got += await until_end(stream, 5) or b""
    assert (got == b"x" * 10) is guarded


async def test_the_end_of_input_counts_while_nothing_is_sent(serve: Callable[..., Server]) -> None:
    server = serve(APP, guarded=True)
    async with await connect(server) as stream:
        await stream.send_all(GET.replace(b"/", b"/never", 1))
        await stream.send_eof()
        wait_for(lambda: "disconnected after 1." in server.log, 5)


async def test_a_closed_connection_does_not_wait_for_its_keep_alive_timer(
    serve: Callable[..., Server],
) -> None:
    server = serve(APP, guarded=True, hypercorn=("--keep-alive", "4"))
    before = descriptors(server)
    async with await connect(server) as stream:
        await stream.send_all(GET)
        await read_head(stream)
        assert descriptors(server) == before + 1
    await wait_until(lambda: descriptors(server) == before, 1)


@both
async def test_an_idle_connection_ends(serve: Callable[..., Server], guarded: bool) -> None:
    server = serve(APP, guarded=guarded, hypercorn=("--keep-alive", "1"))
    async with await connect(server) as stream:
        await stream.send_all(GET)
        await read_head(stream)
        assert await until_end(stream, 4) is not None


@both
async def test_an_idle_connection_ends_while_its_application_still_runs(
    serve: Callable[..., Server], guarded: bool
) -> None:
    server = serve(APP, guarded=guarded, hypercorn=("--keep-alive", "1", "--graceful-timeout", "1"))
    async with await connect(server) as stream:
        await stream.send_all(GET.replace(b"/", b"/running", 1))
        await read_head(stream)
        assert await until_end(stream, 4) is not None


@both
async def test_an_endless_head_is_cut_off(serve: Callable[..., Server], guarded: bool) -> None:
    server = serve(APP, guarded=guarded, hypercorn=("--keep-alive", "1"))
    async with await connect(server) as stream, trio.open_nursery() as nursery:

        async def drip() -> None:
            try:
                await stream.send_all(GET[:-2])
                while True:
                    await stream.send_all(b"A: b\r\n")
                    await trio.sleep(0.1)
            except trio.BrokenResourceError:
                pass

        nursery.start_soon(drip)
        assert await until_end(stream, 4) is not None
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("head", [b"GET %s HTTP/1.1\r\nConnection: close\r\n", b"GET %s HTTP/1.0\r\n"])
@both
async def test_close_is_honoured(serve: Callable[..., Server], guarded: bool, head: bytes) -> None:
    """A framework cancels its tasks on a disconnect, which here means that the response is complete."""
    server = serve(APP, guarded=guarded)
    async with await connect(server) as stream:
        await stream.send_all(head % b"/slowly" + b"Host: t\r\n\r\n")
        got = await until_end(stream, 3)
    assert (got is not None and got.endswith(b"x" * 10)) is guarded


@both
async def test_the_timer_of_a_connection_kept_alive_starts(
    serve: Callable[..., Server], guarded: bool
) -> None:
    server = serve(APP, guarded=guarded, hypercorn=("--keep-alive", "1"))
    async with await connect(server) as stream:
        await stream.send_all(GET.replace(b"/", b"/slowly", 1))
        assert (await until_end(stream, 4) is not None) is guarded


@both
async def test_a_refused_handshake_is_closed(serve: Callable[..., Server], guarded: bool) -> None:
    server = serve(APP, guarded=guarded)
    async with await connect(server) as stream:
        await stream.send_all(UPGRADE.replace(b"Sec-WebSocket-Key", b"Sec-WebSocket-Kay"))
        head, _ = await read_head(stream)
        assert b" 400 " in head
        assert (await until_end(stream, 2) is not None) is guarded


@both
async def test_unread_messages_do_not_hold_a_connection(serve: Callable[..., Server], guarded: bool) -> None:
    server = serve(APP, guarded=guarded)
    async with await connect(server) as stream:
        await stream.send_all(UPGRADE)
        await read_head(stream)
        await stream.send_all(MASKED_X * 40)
        assert (await until_end(stream, 2) is not None) is guarded


@both
async def test_a_client_that_reads_nothing_is_dropped_while_the_application_still_runs(
    serve: Callable[..., Server], guarded: bool
) -> None:
    options = ("--graceful-timeout", "1")
    server = serve(APP, guarded=guarded, limits="send_timeout=0.5", hypercorn=options)
    before = descriptors(server)
    async with await connect(server) as stream:
        await stream.send_all(UPGRADE.replace(b"/", b"/flood", 1))
        await read_head(stream)
        if guarded:
            await wait_until(lambda: "send raised" in server.log, 5, "the send to end")
        with trio.move_on_after(5 if guarded else 2):
            await wait_until(lambda: descriptors(server) == before, 10)
        assert (descriptors(server) == before) is guarded


@both
async def test_a_byte_after_an_upgrade_ends_only_that_connection(
    serve: Callable[..., Server], guarded: bool
) -> None:
    server = serve(APP, guarded=guarded)
    async with await connect(server) as stream:
        await stream.send_all(UPGRADE + b"X")
        await until_end(stream, 2)
    if guarded:
        assert b" 200 " in await exchange(server, CLOSING)
    else:
        wait_for(lambda: server.process.poll() is not None, 5, "the whole server to exit (hypercorn #225)")


@both
async def test_a_request_body_has_a_limit(serve: Callable[..., Server], guarded: bool) -> None:
    server = serve(APP, guarded=guarded, limits="request_body=100_000")
    for size, accepted in ((100_000, True), (100_001, not guarded)):
        async with await connect(server) as stream:
            head = b"POST /body HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
            await stream.send_all(head + b"x" * size)
            response, _ = await read_head(stream)
            assert response.split(b" ")[1] == (b"200" if accepted else b"413")


async def test_a_response_in_progress_is_finished_despite_a_long_body(serve: Callable[..., Server]) -> None:
    server = serve(APP, guarded=True, limits="request_body=1000")
    head = b"POST /slowly HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n"
    for _ in range(5):
        async with await connect(server) as stream:
            await stream.send_all(head)
            response, got = await read_head(stream)
            await stream.send_all(b"x" * 900_000)
            got += await until_end(stream, 5) or b""
            assert b" 200 " in response
            assert got == b"x" * 10


CHUNKED = b"%s HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"1\r\nx\r\n"


async def test_too_many_tiny_chunks_are_refused(serve: Callable[..., Server]) -> None:
    server = serve(APP, guarded=True, limits="request_body=1_000_000")
    for count, accepted in ((PARTS, True), (2 * PARTS, False)):
        async with await connect(server) as stream:
            await stream.send_all(CHUNKED % b"POST /body" + count * CHUNK + b"0\r\n\r\n")
            response, _ = await read_head(stream)
            assert response.split(b" ")[1] == (b"200" if accepted else b"413")


FRAMES = {
    "messages": b"\x82\x80\0\0\0\0",
    "pings": b"\x89\x80\0\0\0\0",
    "pongs": b"\x8a\x80\0\0\0\0",
    "parts of a message": b"\x02\x80\0\0\0\0" + 100 * b"\0\x80\0\0\0\0" + b"\x80\x80\0\0\0\0",
}


@pytest.mark.parametrize("kind", FRAMES)
async def test_too_many_empty_frames_end_a_websocket(serve: Callable[..., Server], kind: str) -> None:
    server = serve(APP, guarded=True)
    async with await connect(server) as stream:
        await stream.send_all(UPGRADE.replace(b"/", b"/receive", 1))
        assert b" 101 " in (await read_head(stream))[0]
        with suppress(trio.BrokenResourceError):  # it is cut off in between
            for _ in range(50):
                await stream.send_all(PARTS // 10 * FRAMES[kind])
        assert await until_end(stream, SLOWER * 3) is not None


async def test_an_unread_body_does_not_hold_a_connection(serve: Callable[..., Server]) -> None:
    """The end of a response is reported in the application's own task, when there is no room for another message."""
    server = serve(APP, guarded=True)
    async with await connect(server) as stream:
        await stream.send_all(CHUNKED % b"GET /" + 100 * CHUNK)
        assert b" 200 " in (await read_head(stream))[0]
        assert await until_end(stream, SLOWER * 3) is not None


@both
async def test_connections_of_one_address_are_limited(serve: Callable[..., Server], guarded: bool) -> None:
    server = serve(APP, guarded=guarded, limits="connections_per_address=3, unlimited=()")
    streams = [await connect(server) for _ in range(6)]
    accepted = 0
    for stream in streams:
        try:
            await stream.send_all(GET)
            await read_head(stream)
            accepted += 1
        except (AssertionError, trio.BrokenResourceError):
            pass
    assert accepted == (3 if guarded else 6)
    for stream in streams:
        await stream.aclose()
    if guarded:  # new connections are accepted again

        async def is_accepted() -> bool:
            try:
                return b" 200 " in await exchange(server, CLOSING)
            except trio.BrokenResourceError:
                return False

        with trio.fail_after(60):
            while not await is_accepted():
                await trio.sleep(0.05)


async def gets_response(stream: trio.SocketStream) -> bool:
    try:
        await stream.send_all(GET)
        return b" 200 " in (await read_head(stream))[0]
    except (AssertionError, trio.BrokenResourceError):
        return False


@both
async def test_connections_are_limited_in_total(serve: Callable[..., Server], guarded: bool) -> None:
    """All kinds count: here one makes requests, one has a WebSocket, and one has sent nothing yet."""
    server = serve(APP, guarded=guarded, limits="connections=3", hypercorn=("--keep-alive", "60"))
    before = descriptors(server)
    async with (
        await connect(server) as active,
        await connect(server) as upgraded,
        await connect(server) as silent,
    ):
        assert await gets_response(active)
        await upgraded.send_all(UPGRADE.replace(b"/", b"/idle", 1))
        assert b" 101 " in (await read_head(upgraded))[0]
        await wait_until(lambda: descriptors(server) == before + 3, 5)
        for _ in range(5):
            async with await connect(server) as late:
                if guarded:
                    assert await until_end(late, 5) == b""  # at once, before any request
                else:
                    assert await gets_response(late)
        if guarded:
            assert server.log.count("connection refused: too many connections") == 5
        # The open connections are not affected.
        assert await gets_response(active)
        assert await gets_response(silent)


async def reset(stream: trio.SocketStream) -> None:
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await stream.aclose()


async def leave_in_the_middle(stream: trio.SocketStream) -> None:
    await stream.send_all(GET.replace(b"/", b"/slowly", 1))
    await read_head(stream)
    await stream.aclose()


WAYS_TO_LEAVE: dict[str, Callable[[trio.SocketStream], Awaitable[None]]] = {
    "closes": trio.SocketStream.aclose,
    "closes its half": trio.SocketStream.send_eof,
    "resets": reset,
    "leaves in the middle of a response": leave_in_the_middle,
    "requests the close": lambda stream: stream.send_all(CLOSING),
    "sends nonsense": lambda stream: stream.send_all(b"nonsense\r\n\r\n"),
}


@pytest.mark.parametrize("how", WAYS_TO_LEAVE)
async def test_a_connection_that_ends_makes_room_for_another(serve: Callable[..., Server], how: str) -> None:
    server = serve(APP, guarded=True, limits="connections=1", hypercorn=("--keep-alive", "60"))
    before = descriptors(server)
    async with await connect(server) as first:
        await wait_until(lambda: descriptors(server) == before + 1, 5)
        async with await connect(server) as second:
            assert not await gets_response(second)
        await WAYS_TO_LEAVE[how](first)
        with trio.fail_after(60):
            while True:
                async with await connect(server) as next_one:
                    if await gets_response(next_one):
                        break
                await trio.sleep(0.01)


@pytest.mark.parametrize(
    ("address", "exempt"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.1.2.3", True),
        ("fe80::1%eth0", False),
        ("192.0.2.1", False),
        ("not an address", False),
        ("", False),
    ],
)
def test_exempt_addresses(address: str, exempt: bool) -> None:
    assert in_networks(address, (*LOOPBACK, IPv4Network("10.0.0.0/8"))) is exempt


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["192.0.2.1", "192.0.2.2", "127.0.0.1", None]))))
def test_admission_keeps_its_limits(steps: list[tuple[bool, str | None]]) -> None:
    admission = Admission(total=5, per_address=2)
    admitted: list[str | None] = []
    for enters, address in steps:
        if enters:
            limited = address in ("192.0.2.1", "192.0.2.2")
            full = len(admitted) >= 5 or (limited and admitted.count(address) >= 2)
            assert admission.enter(address) is not full
            if not full:
                admitted.append(address)
        elif address in admitted:
            admitted.remove(address)
            admission.leave(address)


async def test_a_pipelined_request_does_not_delay_the_shutdown(serve: Callable[..., Server]) -> None:
    server = serve(APP, guarded=True, hypercorn=("--graceful-timeout", "10"))
    slow = GET.replace(b"/", b"/slowly", 1)
    async with await connect(server) as stream:
        await stream.send_all(slow + slow)
        await read_head(stream)
        began = trio.current_time()
        assert await trio.to_thread.run_sync(server.stop) == 0
        assert trio.current_time() - began < 5
