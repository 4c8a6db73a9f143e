"""One viewer: a nursery, a bounded channel, a cancel scope, counters and an ending.

A stream has its place in the registry from `Registry.admit` to `close`. In between, `run` sends bodies; everything
that works for one is a child of the nursery that `run` opens, in the task that sends. So whatever ends the sending
(the client, the registry, the server, a fault) ends the pump too, and there is nothing left to clean up but that
place.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from secrets import token_hex

import trio

from trio_stream.byte_ranges import ByteRanges
from trio_stream.errors import ClientGone, ClientStalled, TrioStreamError, first_error
from trio_stream.http.bodies import Part, body_length
from trio_stream.server.sending.chunks import Chunk
from trio_stream.streaming.chunk_size import KIB, ChunkSizer
from trio_stream.streaming.disk import Disk
from trio_stream.streaming.maps import MappedFile
from trio_stream.streaming.pump import (
    LARGEST_COPY,
    LARGEST_LONE_COPY,
    TAIL,
    Delivery,
    Pump,
    release,
)

DEPTH = 2
"""Chunks that may wait in the channel of a stream. With the one that is sent and the one that waits for a place, four
are under way: enough to have the next one ready, and so few that a seek wastes little."""

SMALLEST, SMALLEST_FILE_CHUNK = 16 * KIB, 256 * KIB
"""A file chunk is no memory of anybody's, and costs the event loop as much however small it is."""

LARGEST_CHUNK = 4096 * KIB
"""Views and file chunks cost no memory, and large ones fewer turns of the event loop."""

_open_channel: Callable[[int], tuple[trio.MemorySendChannel[Chunk], trio.MemoryReceiveChannel[Chunk]]]
_open_channel = trio.open_memory_channel  # naming the type at each call would cost more than the call

type Send = Callable[[Chunk], Awaitable[None]]
"""Hands a chunk to the client; returns when it may be released. Raises `ClientGone`, `ClientStalled`, ..."""


class Ending(StrEnum):
    """How a stream ended."""

    FINISHED = "finished"
    CLIENT_LEFT = "client left"
    STALLED = "stalled"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StreamStatistics:
    """One running stream. Bytes, seconds; `start` and `stop` are half-open offsets of what was asked for."""

    id: str
    owner: str
    name: str
    transport: str
    start: int
    stop: int
    bytes_sent: int
    chunks_sent: int
    age: float
    buffered: int
    peak_buffer: int


class Stream:
    """Made by `Registry.admit`; whoever asked for it holds `file` for longer than the stream, and closes both."""

    def __init__(
        self,
        file: MappedFile,
        *,
        disk: Disk,
        owner: str,
        name: str,
        transport: str,
        counted: Callable[[int, int], None],
        closed: Callable[["Stream"], None],
    ) -> None:
        self.id = token_hex(8)
        self.file = file
        self.owner = owner
        self.name = name
        self.transport = transport
        self.start = 0
        self.stop = file.content.size
        self.bytes_sent = 0
        self.chunks_sent = 0
        self.peak_buffer = 0
        self.ending: Ending | None = None
        self.reason: str | None = None
        self._disk = disk
        self._counted = counted
        self._closed: Callable[[Stream], None] | None = closed
        self._began = trio.current_time()
        self._buffered = 0
        self._owed = -1
        self._scope: trio.CancelScope | None = None

    async def run(
        self, parts: Sequence[Part], send: Send, delivery: Delivery, *, largest: int = LARGEST_CHUNK
    ) -> bool:
        """Send `parts` through `send` and answer whether all of it went: False when the stream was ended meanwhile.

        `delivery` is what the connection takes; a chunk has at most `largest` bytes, and less where it is a copy.
        Raises what `send` raises, and `SourceChanged` or `SourceUnreadable` for the file; the ending is noted.
        """
        if self.ending is not None:
            return False
        self._note_range(parts)
        self._owed = body_length(parts)
        if delivery is Delivery.VIEWS and not self.file.map():
            delivery = Delivery.COPIES  # what cannot be mapped is read
        if delivery is Delivery.COPIES:
            largest = min(largest, LARGEST_COPY)
        smallest = min(SMALLEST_FILE_CHUNK if delivery is Delivery.RANGES else SMALLEST, largest)
        # One chunk and its end, or a segment, are sent as they are read: there is little to be read ahead.
        scattered = any(isinstance(part, ByteRanges) and len(part.ranges) > 1 for part in parts)
        uncopied = delivery is Delivery.RANGES or (delivery is Delivery.VIEWS and scattered)
        at_once = self._owed <= (largest if uncopied else smallest) + TAIL
        most = LARGEST_LONE_COPY if at_once else LARGEST_COPY
        pump = Pump(
            self.file, self._disk, ChunkSizer(smallest, largest), delivery, self._queued, self.went, most
        )
        error: BaseException | None = None
        try:
            await self._pump(pump, at_once, parts, partial(self._send_chunk, send, pump.sizer))
        except BaseExceptionGroup as group:
            error = self._noted(group)
        except TrioStreamError as alone:
            self.note(alone)
            raise
        except Exception:
            self.end(Ending.FAILED, "an error of the server")
            raise
        finally:
            self._scope = None
            self._buffered = 0
        if error is not None:
            try:
                raise error  # out here, where it does not know the group it came in
            finally:
                del error  # and here, where its traceback leads: what nobody needs goes at once
        return self.ending is None

    def _noted(self, group: BaseExceptionGroup[BaseException]) -> BaseException:
        """What is to be raised of a nursery's errors; the stream has ended as they say."""
        known, rest = group.split(TrioStreamError)
        if known is not None:
            error = first_error(known)
            self.note(error)
            # What else there is (a fault of ours, a cancellation) is not hidden behind a client that left.
            return rest or error
        if rest is not None and rest.split(trio.Cancelled)[1] is not None:
            self.end(Ending.FAILED, "an error of the server")
        return group

    def end(self, ending: Ending, reason: str | None = None) -> None:
        """End the stream at once; the first ending counts.

        A client that leaves when it has got everything may be noticed before the last send returns: that is finished.
        """
        if ending is Ending.CLIENT_LEFT and self._owed == 0:
            ending = Ending.FINISHED
        if self.ending is None:
            self.ending = ending
            self.reason = reason
        if self._scope is not None:
            self._scope.cancel()

    def note(self, error: TrioStreamError) -> None:
        """End the stream as `error`, raised while sending, says."""
        match error:
            case ClientGone():
                self.end(Ending.CLIENT_LEFT)
            case ClientStalled():
                self.end(Ending.STALLED)
            case _:
                self.end(Ending.FAILED, str(error))

    def close(self) -> None:
        """Give back the place in the registry, which logs the ending; a second call does nothing."""
        if self._closed is None:
            return
        # Only the server itself ends a stream without saying how: by cancelling it from outside when it stops.
        self.end(Ending.STOPPED)
        closed, self._closed = self._closed, None
        closed(self)

    def summary(self) -> dict[str, object]:
        """How it was, for the log: `seconds` from its beginning until now."""
        return {
            "id": self.id,
            "owner": self.owner,
            "name": self.name,
            "transport": self.transport,
            "start": self.start,
            "stop": self.stop,
            "bytes": self.bytes_sent,
            "seconds": round(trio.current_time() - self._began, 3),
            "ended": str(self.ending),
            **({"reason": self.reason} if self.reason else {}),
        }

    def statistics(self) -> StreamStatistics:
        """The stream as it is now."""
        return StreamStatistics(
            id=self.id,
            owner=self.owner,
            name=self.name,
            transport=self.transport,
            start=self.start,
            stop=self.stop,
            bytes_sent=self.bytes_sent,
            chunks_sent=self.chunks_sent,
            age=trio.current_time() - self._began,
            buffered=self._buffered,
            peak_buffer=self.peak_buffer,
        )

    async def _pump(self, pump: Pump, at_once: bool, parts: Sequence[Part], send: Send) -> None:
        if at_once:
            with trio.CancelScope() as self._scope:
                await pump.run(parts, send)
            return
        async with trio.open_nursery() as nursery:
            self._scope = nursery.cancel_scope
            into, out = _open_channel(DEPTH)
            nursery.start_soon(_fill, pump, parts, into)
            await self._forward(out, send)

    async def _forward(self, out: trio.MemoryReceiveChannel[Chunk], send: Send) -> None:
        with out:
            try:
                async for chunk in out:
                    await send(chunk)
            finally:
                # Views that nobody will send: the map cannot be closed while one of them lives (`BufferError`).
                with suppress(trio.WouldBlock, trio.EndOfChannel):
                    while True:
                        release(out.receive_nowait())

    async def _send_chunk(self, send: Send, sizer: ChunkSizer, chunk: Chunk) -> None:
        end = self.bytes_sent + len(chunk)
        try:
            self.file.check()  # of all that has left before this chunk; the pump says why the last one is a copy
            before = trio.current_time()
            await send(chunk)
        except TrioStreamError as error:
            # Before anybody hears that the connection has ended, and takes that for the reason.
            self.note(error)
            raise
        finally:
            release(chunk)
        sizer.sent(trio.current_time() - before)
        self.chunks_sent += 1
        self.went(end - self.bytes_sent, chunks=1)  # of a file chunk, what its sender has not told of

    def went(self, size: int, chunks: int = 0) -> None:
        """Note that `size` bytes have gone. A sender may say so while it sends; what it did not say is noted after."""
        self.bytes_sent += size
        self._buffered -= size
        self._owed -= size
        self._counted(size, chunks)

    def _note_range(self, parts: Sequence[Part]) -> None:
        lying = [part.ranges for part in parts if isinstance(part, ByteRanges) and part.ranges]
        # Of a track's ranges none lies within another, so the last one ends last: comparing them is all this may cost.
        self.start = min([min(ranges)[0] for ranges in lying], default=0)
        self.stop = max([sum(max(ranges)) for ranges in lying], default=0)

    def _queued(self, size: int) -> None:
        self._buffered += size
        self.peak_buffer = max(self.peak_buffer, self._buffered)


async def _fill(pump: Pump, parts: Sequence[Part], into: trio.MemorySendChannel[Chunk]) -> None:
    async with into:
        await pump.run(parts, into.send)
