"""One HTTP/2 stream: what it still has to send is never more than `HIGH_WATER` bytes and one whole message."""

from contextlib import suppress

import trio
from hypercorn.protocol.events import Event
from hypercorn.typing import ASGISendEvent

from trio_stream.server.asgi.http import FILE_CHUNKS, LEAVING, VIEWS, HTTPStream
from trio_stream.server.asgi.websocket import WSStream

HIGH_WATER = 64 * 1024
"""Bytes a stream may hold; what the windows allow leaves it at once, so a larger one is no faster."""


class Buffer:
    """What a stream still has to send. Who waits for it does so for `patience` seconds without progress."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.complete = False
        self.over = trio.Event()  # its end was sent, or will not be
        self._data = bytearray()
        self._error: OSError | None = None
        self._moved = trio.lowlevel.ParkingLot()

    def __len__(self) -> int:
        return len(self._data)

    def add(self, data: bytes) -> None:
        """Add `data` without waiting: for a task that must not wait."""
        self._data += data

    async def push(self, data: bytes, *, whole: bool) -> None:
        """Add `data` as room comes up, a part at a time unless `whole`; raises when it is closed or stuck."""
        with memoryview(data) as view:
            start = 0
            while start < len(view):
                while self._error is None and len(self._data) >= HIGH_WATER:
                    await self._progress()
                if self._error is not None:
                    raise type(self._error)(*self._error.args)
                # A frame of a WebSocket goes in whole, or that of another task could come into the middle of it.
                stop = len(view) if whole else start + HIGH_WATER - len(self._data)
                self._data += view[start:stop]
                start = stop

    async def drain(self) -> None:
        """Wait until it is empty, and its end was sent if it is complete; or until it is closed."""
        while self._data:
            await self._progress()
        if self.complete:
            await self.over.wait()

    def pop(self, most: int) -> bytes:
        """Take at most `most` bytes out."""
        data = bytes(self._data[: max(0, most)])
        del self._data[: len(data)]
        if data:
            self._moved.unpark_all()
        return data

    def close(self, error: OSError) -> None:
        """Forget what is there; `push` raises `error` from now on."""
        self._error = error
        self.over.set()
        self._data.clear()
        self._moved.unpark_all()

    async def _progress(self) -> None:
        with trio.move_on_after(self.patience) as waiting:
            await self._moved.park()
        if waiting.cancelled_caught:
            raise TimeoutError("the client takes nothing")


class RequestStream(HTTPStream):
    """One request and its response. A view is copied once, into the buffer, and none is asked for."""

    async def handle(self, event: Event) -> None:
        """As in `HTTPStream`, without its extensions for bodies."""
        await super().handle(event)
        for extension in (VIEWS, FILE_CHUNKS, LEAVING):
            self.scope["extensions"].pop(extension, None)


class WebSocket(WSStream):
    """One WebSocket (RFC 8441). Its frames enter the buffer whole, so that they need no lock."""

    async def handle(self, event: Event) -> None:
        """As in `WSStream`, without views."""
        await super().handle(event)
        self.scope["extensions"].pop(VIEWS, None)

    async def app_send(self, message: ASGISendEvent | None) -> None:
        """As in `WSStream`; the end of an application raises nothing, as it would end the connection."""
        with suppress(*(() if message is not None else (OSError,))):
            await super().app_send(message)

    async def _send_pings(self) -> None:
        with suppress(OSError):  # it is a task of the connection
            await super()._send_pings()
