"""One HTTP/2 stream. Its unsent data is never more than `HIGH_WATER` bytes and one whole message."""

from contextlib import suppress

import trio
from hypercorn.protocol.events import Event
from hypercorn.typing import ASGISendEvent

from trio_stream.server.asgi.http import FILE_CHUNKS, LEAVING, VIEWS, HTTPStream
from trio_stream.server.asgi.websocket import WSStream

HIGH_WATER = 64 * 1024
"""Bytes a stream may buffer. Data leaves as soon as the windows allow it, so a larger buffer is no faster."""


class Buffer:
    """The unsent data of a stream. Waiting for it fails after `timeout` seconds without progress."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.complete = False
        self.ended = trio.Event()  # its end was sent, or never will be
        self._data = bytearray()
        self._error: OSError | None = None
        self._moved = trio.lowlevel.ParkingLot()

    def __len__(self) -> int:
        return len(self._data)

    def add(self, data: bytes) -> None:
        """Add `data` without waiting, for a task that must not wait."""
        self._data += data

    async def push(self, data: bytes, *, whole: bool) -> None:
        """Add `data` as room becomes free, in parts unless `whole`. Raises `OSError` if it is closed or times out."""
        with memoryview(data) as view:
            start = 0
            while start < len(view):
                while self._error is None and len(self._data) >= HIGH_WATER:
                    await self._progress()
                if self._error is not None:
                    raise type(self._error)(*self._error.args)
                # A WebSocket frame is added whole. Otherwise a frame of another task could end up in its middle.
                stop = len(view) if whole else start + HIGH_WATER - len(self._data)
                self._data += view[start:stop]
                start = stop

    async def drain(self) -> None:
        """Wait until it is empty and, if it is complete, its end was sent. Also return when it is closed."""
        while self._data:
            await self._progress()
        if self.complete:
            await self.ended.wait()

    def pop(self, count: int) -> bytes:
        """Remove and return at most `count` bytes."""
        data = bytes(self._data[: max(0, count)])
        del self._data[: len(data)]
        if data:
            self._moved.unpark_all()
        return data

    def close(self, error: OSError) -> None:
        """Discard the data. `push` raises `error` from now on."""
        self._error = error
        self.ended.set()
        self._data.clear()
        self._moved.unpark_all()

    async def _progress(self) -> None:
        with trio.move_on_after(self.timeout) as waiting:
            await self._moved.park()
        if waiting.cancelled_caught:
            raise TimeoutError("the client accepts no data")


class RequestStream(HTTPStream):
    """One request and its response. Views are not offered; if one is sent, it is copied once, into the buffer."""

    async def handle(self, event: Event) -> None:
        """As in `HTTPStream`, without its extensions for bodies."""
        await super().handle(event)
        for extension in (VIEWS, FILE_CHUNKS, LEAVING):
            self.scope["extensions"].pop(extension, None)


class WebSocket(WSStream):
    """One WebSocket (RFC 8441). Its frames are added to the buffer whole, so they need no lock."""

    async def handle(self, event: Event) -> None:
        """As in `WSStream`, without views."""
        await super().handle(event)
        self.scope["extensions"].pop(VIEWS, None)

    async def app_send(self, message: ASGISendEvent | None) -> None:
        """As in `WSStream`, but the end of an application raises nothing, since that would end the connection."""
        with suppress(*(() if message is not None else (OSError,))):
            await super().app_send(message)

    async def _send_pings(self) -> None:
        with suppress(OSError):  # this is a task of the connection, which an error would end
            await super()._send_pings()
