"""One viewer: a nursery, a bounded channel, a cancel scope, counters and an ending.

A stream is in the registry from `Registry.admit` to `close`. In between, `run` sends bodies. All tasks for a body are
children of the nursery that `run` opens in the task that sends. So whatever ends the sending (the client, the registry,
the server, a fault) ends the pump too, and only the entry in the registry remains to be removed.
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
"""Chunks that may wait in the channel of a stream. With the one being sent and the one waiting for room, four are in
flight: enough to have the next one ready, and so few that a seek wastes little."""

SMALLEST, SMALLEST_FILE_CHUNK = 16 * KIB, 256 * KIB
"""The first sizes of chunks. A file chunk takes no memory, and costs the event loop the same at any size."""

LARGEST_CHUNK = 4096 * KIB
"""Views and file chunks take no memory, and large ones cost fewer turns of the event loop."""

_open_channel: Callable[[int], tuple[trio.MemorySendChannel[Chunk], trio.MemoryReceiveChannel[Chunk]]]
_open_channel = trio.open_memory_channel  # writing the type at each call would cost more than the call

type Send = Callable[[Chunk], Awaitable[None]]
"""Sends a chunk to the client, and returns when it may be released. Raises `ClientGone`, `ClientStalled`, ..."""


class Ending(StrEnum):
    """How a stream ended."""

    FINISHED = "finished"
    CLIENT_LEFT = "client left"
    STALLED = "stalled"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StreamStatistics:
    """One running stream, in bytes and seconds. `start` and `stop` are the requested offsets, half-open."""

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
    """A stream, created by `Registry.admit`. The caller holds `file` for longer than the stream, and closes both."""

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
        """Send `parts` through `send`. Return whether everything was sent: False if the stream was ended first.

        `delivery` is the form the connection accepts. A chunk has at most `largest` bytes, and fewer if it is a copy.
        Raises what `send` raises, and `SourceChanged` or `SourceUnreadable` for the file. The ending is recorded.
        """
        if self.ending is not None:
            return False
        self._note_range(parts)
        self._owed = body_length(parts)
        if delivery is Delivery.VIEWS and not self.file.map():
            delivery = Delivery.COPIES  # the file cannot be mapped, so it is read
        if delivery is Delivery.COPIES:
            largest = min(largest, LARGEST_COPY)
        smallest = min(SMALLEST_FILE_CHUNK if delivery is Delivery.RANGES else SMALLEST, largest)
        # A single chunk with its tail, or a segment, is sent while it is read: there is little to read ahead.
        scattered = any(isinstance(part, ByteRanges) and len(part.ranges) > 1 for part in parts)
        uncopied = delivery is Delivery.RANGES or (delivery is Delivery.VIEWS and scattered)
        at_once = self._owed <= (largest if uncopied else smallest) + TAIL
        largest_copy = LARGEST_LONE_COPY if at_once else LARGEST_COPY
        pump = Pump(
            self.file,
            self._disk,
            ChunkSizer(smallest, largest),
            delivery,
            self._queued,
            self.count_sent,
            largest_copy,
        )
        error: BaseException | None = None
        try:
            await self._pump(pump, at_once, parts, partial(self._send_chunk, send, pump.sizer))
        except BaseExceptionGroup as group:
            error = self._note_group(group)
        except TrioStreamError as alone:
            self.note(alone)
            raise
        except Exception:
            self.end(Ending.FAILED, "server error")
            raise
        finally:
            self._scope = None
            self._buffered = 0
        if error is not None:
            try:
                raise error  # outside the handler, so that it does not refer to its group
            finally:
                del error  # its traceback refers to this frame: break the cycle
        return self.ending is None

    def _note_group(self, group: BaseExceptionGroup[BaseException]) -> BaseException:
        """End the stream as a nursery's errors say. Return the error to raise."""
        expected, rest = group.split(TrioStreamError)
        if expected is not None:
            error = first_error(expected)
            self.note(error)
            # A client that left must not hide other errors (a bug, a cancellation).
            return rest or error
        if rest is not None and rest.split(trio.Cancelled)[1] is not None:
            self.end(Ending.FAILED, "server error")
        return group

    def end(self, ending: Ending, reason: str | None = None) -> None:
        """End the stream at once. The first ending counts.

        A client that received everything and left may be noticed before the last send returns. That counts as finished.
        """
        if ending is Ending.CLIENT_LEFT and self._owed == 0:
            ending = Ending.FINISHED
        if self.ending is None:
            self.ending = ending
            self.reason = reason
        if self._scope is not None:
            self._scope.cancel()

    def note(self, error: TrioStreamError) -> None:
        """End the stream with the ending for `error`, which was raised while sending."""
        match error:
            case ClientGone():
                self.end(Ending.CLIENT_LEFT)
            case ClientStalled():
                self.end(Ending.STALLED)
            case _:
                self.end(Ending.FAILED, str(error))

    def close(self) -> None:
        """Remove the stream from the registry, which logs the ending. A second call does nothing."""
        if self._closed is None:
            return
        # Only the server ends a stream without an ending: it cancels the stream from outside when it stops.
        self.end(Ending.STOPPED)
        closed, self._closed = self._closed, None
        closed(self)

    def summary(self) -> dict[str, object]:
        """A summary for the log. `seconds` is the time since the stream began."""
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
                # Release unsent views: the map cannot be closed while one of them is alive (`BufferError`).
                with suppress(trio.WouldBlock, trio.EndOfChannel):
                    while True:
                        release(out.receive_nowait())

    async def _send_chunk(self, send: Send, sizer: ChunkSizer, chunk: Chunk) -> None:
        end = self.bytes_sent + len(chunk)
        try:
            self.file.check()  # covers everything sent before this chunk; `pump` explains why the last one is a copy
            before = trio.current_time()
            await send(chunk)
        except TrioStreamError as error:
            # Record it now, before the end of the connection is noticed and recorded as the reason.
            self.note(error)
            raise
        finally:
            release(chunk)
        sizer.sent(trio.current_time() - before)
        self.chunks_sent += 1
        # For a file chunk, these are the bytes its sender has not reported.
        self.count_sent(end - self.bytes_sent, chunks=1)

    def count_sent(self, size: int, chunks: int = 0) -> None:
        """Count `size` bytes as sent. A sender may report them while it sends; the rest is counted afterwards."""
        self.bytes_sent += size
        self._buffered -= size
        self._owed -= size
        self._counted(size, chunks)

    def _note_range(self, parts: Sequence[Part]) -> None:
        scattered = [part.ranges for part in parts if isinstance(part, ByteRanges) and part.ranges]
        # No range of a track is inside another, so the one that starts last also ends last. This must be cheap.
        self.start = min([min(ranges)[0] for ranges in scattered], default=0)
        self.stop = max([sum(max(ranges)) for ranges in scattered], default=0)

    def _queued(self, size: int) -> None:
        self._buffered += size
        self.peak_buffer = max(self.peak_buffer, self._buffered)


async def _fill(pump: Pump, parts: Sequence[Part], into: trio.MemorySendChannel[Chunk]) -> None:
    async with into:
        await pump.run(parts, into.send)
