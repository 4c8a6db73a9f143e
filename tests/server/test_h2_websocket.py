"""WebSockets over HTTP/2 (RFC 8441): each is one stream, with the rules of a WebSocket over HTTP/1.1.

Upstream (docs/upstream/h2.md): a closed window holds no message back, and a WebSocket that was closed does not end its
stream. The other faults of `WSStream` over HTTP/1.1 exist here too.
"""

from collections.abc import Callable

import pytest
import trio
from h2.errors import ErrorCodes
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage

from tests.http2 import Client, http2
from tests.server.pairs import both
from tests.support import SLOWER, Server, happens, wait_until

MEGABYTE = 1_000_000

MUCH = 100 * MEGABYTE
"""Bytes of memory that a client which accepts nothing costs without the guards. With them it is less than a tenth."""

APP = """
import trio

async def app(scope, receive, send, *_):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        return await send({"type": "http.response.body", "body": b"small"})
    await receive()
    if scope["path"] == "/undecided":
        print("undecided", flush=True)
        print("received", (await receive())["type"], flush=True)
        return
    await send({"type": "websocket.accept"})
    if scope["path"] == "/returns":
        return
    if scope["path"] == "/view":
        await send({"type": "websocket.send", "bytes": memoryview(b"some bytes of a file")[5:10]})
    if scope["path"] == "/flood":
        try:
            for number in range(1, 201):  # megabytes: enough to measure, and not too much for a test
                await send({"type": "websocket.send", "bytes": bytes(1_000_000)})
                print("sent", number, flush=True)
                await trio.lowlevel.checkpoint()
        except OSError as error:
            print("send raised", type(error).__name__, flush=True)
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})
    print("disconnected", message["code"], flush=True)
"""

type Start = Callable[..., Server]


class Socket:
    """One WebSocket of a client."""

    def __init__(self, client: Client, stream_id: int) -> None:
        self.client = client
        self.stream_id = stream_id
        self.events: list[Event] = []
        self._frames = Connection(ConnectionType.CLIENT)
        self._read = 0

    async def send(self, event: Event) -> None:
        data = self._frames.send(event)
        for start in range(0, len(data), 16384):
            self.client.connection.send_data(self.stream_id, data[start : start + 16384])
        await self.client.flush()

    async def read(self, until: Callable[[], bool], seconds: float = 10) -> None:
        """Read into `events` until `until` returns true. Raises `trio.TooSlowError`."""

        def is_enough() -> bool:
            data = bytes(self.client.bodies[self.stream_id][self._read :])
            self._read += len(data)
            if data and self._frames.state is not ConnectionState.CLOSED:
                self._frames.receive_data(data)
                self.events.extend(self._frames.events())
            return until()

        await self.client.read(is_enough, seconds)

    @property
    def ended(self) -> bool:
        return self.stream_id in self.client.ended or self.stream_id in self.client.resets


async def request(client: Client, path: str, *, version: str = "13", **fields: str) -> Socket:
    """Request a WebSocket. Return it without waiting for the response."""
    stream_id = client.connection.get_next_available_stream_id()
    head = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":authority", "t")]
    head += [(":path", path), ("sec-websocket-version", version)]
    head += [(name.replace("_", "-"), value) for name, value in fields.items()]
    client.connection.send_headers(stream_id, head)
    await client.flush()
    return Socket(client, stream_id)


async def opened(client: Client, path: str, **fields: str) -> Socket:
    socket = await request(client, path, **fields)
    await client.read(lambda: socket.stream_id in client.heads)
    assert client.heads[socket.stream_id][":status"] == "200"
    return socket


async def check_ends(socket: Socket, guarded: bool) -> None:
    """Check that its stream ends, and others continue. Without the guards it does not end."""
    if guarded:
        await socket.read(lambda: socket.ended)
        assert socket.stream_id in socket.client.ended
    else:
        with pytest.raises(trio.TooSlowError):
            await socket.read(lambda: socket.ended, 2)
    assert (await socket.client.whole("/small"))[1] == b"small"


@both
async def test_a_websocket_closed_by_its_client_ends_its_stream(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded)) as client:
        socket = await opened(client, "/")
        sent: list[Event] = [TextMessage(f"message {number}") for number in range(3)]
        for message in sent:
            await socket.send(message)
        await socket.read(lambda: len(socket.events) == 3)
        await socket.send(CloseConnection(1000))
        await socket.read(lambda: len(socket.events) == 4)
        assert socket.events == [*sent, CloseConnection(1000, "")]
        await check_ends(socket, guarded)


@both
async def test_a_view_is_sent_as_a_message(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded)) as client:
        socket = await opened(client, "/view")
        await socket.read(lambda: socket.events == [BytesMessage(b"bytes")])
        await socket.send(CloseConnection(1000))
        await check_ends(socket, guarded)


@both
async def test_a_websocket_whose_application_returns_ends_its_stream(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded)) as client:
        socket = await opened(client, "/returns")
        await socket.read(lambda: socket.events == [CloseConnection(1011, "")])
        await check_ends(socket, guarded)


@both
async def test_a_refused_handshake_does_not_hold_its_connection(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded, hypercorn=("--keep-alive", "1"))) as client:
        socket = await request(client, "/", version="12")
        await socket.read(lambda: socket.ended)
        assert client.heads[socket.stream_id][":status"] == "400"
        with pytest.raises(AssertionError if guarded else trio.TooSlowError):
            await client.read(lambda: False, SLOWER * 3 if guarded else 3)
        assert client.closed is guarded


@both
async def test_data_before_the_response_is_refused_and_the_application_notified(
    secure: Start, guarded: bool
) -> None:
    async with http2(secure(guarded=guarded)) as client:
        socket = await request(client, "/undecided")
        await wait_until(lambda: "undecided" in client.server.log, 5)
        await socket.send(TextMessage("early"))
        await socket.read(lambda: socket.ended)
        assert client.heads[socket.stream_id][":status"] == "400"
        if guarded:
            await wait_until(lambda: "received websocket.disconnect" in client.server.log, 5)
        else:
            text = "received websocket.disconnect"
            assert not await trio.to_thread.run_sync(happens, lambda: text in client.server.log, 1.5)


@both
async def test_messages_are_not_compressed_and_are_limited(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded)) as client:
        socket = await opened(client, "/", sec_websocket_extensions="permessage-deflate")
        assert ("sec-websocket-extensions" in client.heads[socket.stream_id]) is not guarded
        socket = await opened(client, "/")
        for size, accepted in ((16384, True), (16385, not guarded)):
            socket.events.clear()
            await socket.send(TextMessage("x" * size))
            got = ""
            while len(got) < size and not any(isinstance(event, CloseConnection) for event in socket.events):
                count = len(socket.events)
                await socket.read(lambda: len(socket.events) > count)  # noqa: B023 - called in this iteration
                got = "".join(event.data for event in socket.events if isinstance(event, TextMessage))
            assert (len(got) == size) is accepted
        if guarded:
            assert socket.events == [CloseConnection(1009, "")]
        assert (await client.whole("/small"))[1] == b"small"


@both
async def test_a_window_that_stays_closed_ends_only_its_websocket(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded, limits="send_timeout=1")) as client:
        client.reading = set()
        await client.whole("/small")
        before = client.server.private_memory()
        socket = await opened(client, "/flood")
        if guarded:
            await client.read(lambda: len(client.bodies[socket.stream_id]) == 65535)
            cost = client.server.private_memory() - before
            assert cost < MUCH // 10, cost  # one message, which is buffered whole, and its copies
            await client.read(lambda: socket.ended)
            assert client.resets == {socket.stream_id: ErrorCodes.CANCEL}
            assert "send raised TimeoutError" in client.server.log
            assert "sent 2" not in client.server.log, "one message is buffered whole"
        else:
            await wait_until(
                lambda: client.server.private_memory() - before > MUCH, 5, "the memory to be used"
            )
        assert (await client.whole("/small"))[1] == b"small"


@both
async def test_an_idle_websocket_is_pinged(secure: Start, guarded: bool) -> None:
    async with http2(secure(guarded=guarded, limits="ping_interval=0.3")) as client:
        socket = await opened(client, "/")
        if guarded:
            await socket.read(lambda: len(socket.events) == 3)
        else:
            with pytest.raises(trio.TooSlowError):
                await socket.read(lambda: bool(socket.events), 1.5)
        assert socket.events == [Ping()] * (3 if guarded else 0)
        client.connection.reset_stream(socket.stream_id, ErrorCodes.CANCEL)
        await client.flush()
        await wait_until(lambda: "disconnected 1006" in client.server.log, 5)
        assert (await client.whole("/small"))[1] == b"small"
