"""A WebSocket client that reads only on request and leaves nothing open."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import trio
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

from tests.support import Server, connect


class Rejected(Exception):
    """The server responded to the handshake with an HTTP error."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status}: {body!r}")
        self.status = status
        self.body = body


class Closed(Exception):
    """The server closed the connection; the code is 1006 if it sent no close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class Client:
    """One WebSocket. It reads only in `receive`."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.protocol = WSConnection(ConnectionType.CLIENT)
        self.subprotocol: str | None = None
        self.pings = 0
        self._events: list[Event] = []
        self._partial: list[bytes | str] = []

    async def send(self, message: str | bytes) -> None:
        event = TextMessage(message) if isinstance(message, str) else BytesMessage(message)
        await self.stream.send_all(self.protocol.send(event))

    async def say(self, **message: Any) -> None:
        await self.send(json.dumps(message))

    async def receive(self) -> str | bytes:
        """The next message. Raises `Closed`."""
        while True:
            match event := await self._next():
                case TextMessage() | BytesMessage():
                    self._partial.append(event.data if isinstance(event.data, str) else bytes(event.data))
                    if event.message_finished:
                        parts, self._partial = self._partial, []
                        return "".join(parts) if isinstance(parts[0], str) else b"".join(parts)  # type: ignore[arg-type] # all parts are of one kind
                case Ping():
                    self.pings += 1
                    await self._reply(event)
                case CloseConnection(code=code, reason=reason):
                    await self._reply(event)
                    raise Closed(code, reason or "")
                case _:
                    raise AssertionError(f"unexpected {event}")

    async def _reply(self, event: Ping | CloseConnection) -> None:
        with suppress(trio.BrokenResourceError):  # the server may have closed meanwhile
            await self.stream.send_all(self.protocol.send(event.response()))

    async def receive_text(self) -> Any:
        """The next text message, read as JSON; bytes before it are dropped."""
        while isinstance(message := await self.receive(), bytes):
            pass
        return json.loads(message)

    async def everything(self, seconds: float = 20) -> tuple[bytes, list[Any], Closed]:
        """All bytes, all text messages, and how it was closed."""
        data = bytearray()
        text_messages: list[Any] = []
        with trio.fail_after(seconds):
            while True:
                try:
                    message = await self.receive()
                except Closed as closed:
                    return bytes(data), text_messages, closed
                if isinstance(message, bytes):
                    data += message
                else:
                    text_messages.append(json.loads(message))

    async def shake_hands(self, host: str, target: str, subprotocols: Sequence[str], headers: Any) -> None:
        request = Request(host=host, target=target, subprotocols=list(subprotocols), extra_headers=headers)
        await self.stream.send_all(self.protocol.send(request))
        match event := await self._next():
            case AcceptConnection():
                self.subprotocol = event.subprotocol
            case RejectConnection():
                body = b""
                while isinstance(data := await self._next(), RejectData):
                    body += data.data
                    if data.body_finished:
                        break
                raise Rejected(event.status_code, body)
            case _:
                raise AssertionError(f"unexpected {event}")

    async def _next(self) -> Event:
        while not self._events:
            with trio.fail_after(60):
                try:
                    data = await self.stream.receive_some(65536)
                except trio.BrokenResourceError:
                    data = b""
            if not data:
                raise Closed(1006, "")
            self.protocol.receive_data(data)
            self._events.extend(self.protocol.events())
        return self._events.pop(0)


@asynccontextmanager
async def opened(
    server: Server,
    target: str,
    *,
    subprotocols: Sequence[str] = (),
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> AsyncIterator[Client]:
    """An open WebSocket. Raises `Rejected`."""
    async with await connect(server) as stream:
        client = Client(stream)
        with trio.fail_after(60):
            await client.shake_hands(f"{server.host}:{server.port}", target, subprotocols, list(headers))
        yield client
