"""Split the parts of a body into chunks, and put each into a bounded channel when there is room.

Scattered ranges are sent straight from the file, except in very short bodies. A few computed bytes before them share
their chunk.

The last chunk of a body is always a copy. When it is sent, everything before it has been sent, so a check of the file
at that time covers every byte. If the file changed under the last view, the check notices it and the response stays
incomplete.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto

from trio_stream.byte_ranges import ByteRange, take
from trio_stream.errors import SourceChanged, SourceUnreadable
from trio_stream.http.bodies import Part
from trio_stream.server.sending.chunks import Chunk, FileChunk
from trio_stream.streaming.chunk_size import KIB, ChunkSizer
from trio_stream.streaming.disk import Disk
from trio_stream.streaming.maps import MappedFile

TAIL = 16 * KIB
"""This many bytes at the end of the ranges are read instead of mapped. Small bodies consist of the tail only."""

LEAD = 8 * KIB
"""At most this many computed bytes wait for the data after them. Linux holds back data sent with `MSG_MORE`, and
accepts no more data for a socket that holds back 16 KiB."""

SHORT = 12 * KIB
"""Ranges with fewer bytes on average are copied anyway when they are sent (`server/sending/sendfile.py`). If one copy
is all there is to send, it is made here: that gives one chunk instead of two."""

LARGEST_COPY = 64 * KIB
"""The maximum size of a chunk that is a copy: it is private memory until the client has read it."""

LARGEST_LONE_COPY = 256 * KIB
"""The same for a stream that has one chunk at a time."""


class Delivery(Enum):
    """The form in which the connection accepts the bytes of a file."""

    RANGES = auto()
    """As byte ranges of the file, which the kernel sends directly."""
    VIEWS = auto()
    """As views of the map, for system calls only."""
    COPIES = auto()


type Put = Callable[[Chunk], Awaitable[None]]
"""Takes ownership of a chunk when there is room for it. If it raises, the caller still owns the chunk."""


def release(chunk: Chunk) -> None:
    """Release the bytes of a chunk. Call this before the file is closed."""
    if isinstance(chunk, memoryview):
        chunk.release()


@dataclass(frozen=True, slots=True)
class Pump:
    """Splits the parts of a body into chunks of `file`, in the form `delivery`.

    `queued` is called with the size of each chunk before the pump waits for room, and `sent` with the number of bytes
    of a file chunk that have been sent.
    """

    file: MappedFile
    disk: Disk
    sizer: ChunkSizer
    delivery: Delivery
    queued: Callable[[int], None]
    sent: Callable[[int], None]
    largest_copy: int = LARGEST_COPY

    async def run(self, parts: Iterable[Part], put: Put) -> None:
        """Put the bytes of `parts` in order, waiting while there is no room.

        Raises `SourceChanged` if the file ends early, `SourceUnreadable` if the disk fails.
        """
        lead = b""
        for part in parts:
            if isinstance(part, bytes):
                await self._put_bytes(lead, put)
                lead = part
                if len(lead) > LEAD:
                    await self._put_bytes(lead, put)
                    lead = b""
            elif part.length:
                await self._put_ranges(lead, part.ranges, part.length, put)
                lead = b""
        await self._put_bytes(lead, put)

    async def _put_bytes(self, data: bytes, put: Put) -> None:
        if data:
            await self._put(memoryview(data), put)

    async def _put_ranges(self, lead: bytes, ranges: tuple[ByteRange, ...], length: int, put: Put) -> None:
        """Put `lead` and the `length` bytes of `ranges`."""
        # Reversed, because popping from the end of a list is cheap.
        left, whole = list(reversed(ranges)), length
        # The tail is a copy. Each check sees the file before a chunk is sent, and the file may change while the kernel
        # reads the bytes. The next check notices that, but none follows the last chunk. So the last one is a copy made
        # before its check. If it is sent, everything before it came from an unchanged file. If not, the body is shorter
        # than its Content-Length, and no client mistakes it for a complete one.
        copied = length if self._copies(ranges, length) else min(TAIL, length)
        if self.delivery is Delivery.RANGES and copied < length:
            size = min(self.sizer.largest - len(lead), length - copied)
            first = take(left, size)
            # Data in memory goes in one chunk. Starting small is for data that must come from the disk.
            if self.disk.warm_nowait(self.file.fd, first):
                self.sizer.size = self.sizer.largest  # until the client proves to be slow
                await self._put(FileChunk(self.file.fd, first, size, lead, self.sent), put)
                length, lead = length - size, b""
            else:
                left += reversed(first)
        while length:
            room = self.sizer.size - len(lead)
            alone = self.delivery is Delivery.VIEWS and lead  # a view cannot have bytes before it
            if length > copied and not alone:
                size = min(room, length - copied)
                chunk = await self._uncopied(lead, take(left, size), size)
            else:
                size = min(room, self.largest_copy - len(lead), length)
                chunk = await self._copy(lead, ranges if size == whole else take(left, size), size)
            await self._put(chunk, put)
            length -= size
            lead = b""

    def _copies(self, ranges: tuple[ByteRange, ...], length: int) -> bool:
        """Whether all bytes of these ranges are copied."""
        match self.delivery:
            case Delivery.RANGES:
                # A single copy is one chunk. With a separate tail it would be two.
                return length < len(ranges) * SHORT and length <= self.largest_copy
            case Delivery.VIEWS:
                # One view per range would cost a page fault each, since the map goes away with the last holder.
                return len(ranges) > 1
            case Delivery.COPIES:
                return True

    async def _uncopied(self, lead: bytes, ranges: tuple[ByteRange, ...], size: int) -> Chunk:
        try:
            await self.disk.warm(self.file.fd, ranges)
        except OSError as error:
            raise SourceUnreadable(f"cannot read at byte {ranges[0][0]}: {error}") from error
        if self.delivery is Delivery.RANGES:
            return FileChunk(self.file.fd, ranges, size, lead, self.sent)
        return self.file.view(ranges[0][0], size)

    async def _copy(self, lead: bytes, ranges: tuple[ByteRange, ...], size: int) -> Chunk:
        try:
            chunk = await self.disk.read(self.file.fd, ranges, size, lead)
        except OSError as error:
            raise SourceUnreadable(f"cannot read at byte {ranges[0][0]}: {error}") from error
        if len(chunk) < len(lead) + size:
            raise SourceChanged(f"the file now ends before byte {sum(ranges[-1])}")
        return chunk

    async def _put(self, chunk: Chunk, put: Put) -> None:
        self.queued(len(chunk))
        try:
            await put(chunk)
        except BaseException:
            release(chunk)
            raise
