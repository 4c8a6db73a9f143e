"""Body parts -> chunks, each put where there is room for it: into a bounded channel.

What lies scattered in the file is sent from where it lies, but for bodies that are little more than their end. A few
bytes of our own before any of that are sent with it, and not for themselves.

The last chunk of a body is always a copy. Everything before it has left when it is sent, so a check of the file at
that moment covers every byte that left, and a file that changed under the last view cannot slip through: the
response stays incomplete instead.
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
"""So many bytes at the end of what lies in the file are read instead of mapped. Small bodies are all tail."""

LEAD = 8 * KIB
"""So many bytes of our own may wait for what follows them. Linux holds back what is said to be followed by more, and
takes nothing more for a socket in which 16 KiB are held back."""

SHORT = 12 * KIB
"""Ranges of fewer bytes on average are copied anyhow on their way out (`server/sending/sendfile.py`).
Where one copy is all there is to send, it is made here: that is one chunk instead of two."""

LARGEST_COPY = 64 * KIB
"""A chunk that is a copy is never larger: it is private memory for as long as the client takes to read it."""

LARGEST_LONE_COPY = 256 * KIB
"""The same where a stream has one chunk at a time."""


class Delivery(Enum):
    """In what form the connection takes the bytes of a file."""

    RANGES = auto()
    """As byte ranges of the file, which the system sends by itself."""
    VIEWS = auto()
    """As views of the map, for system calls only."""
    COPIES = auto()


type Put = Callable[[Chunk], Awaitable[None]]
"""Takes a chunk over when there is room for it. Where it raises, the chunk was not taken."""


def release(chunk: Chunk) -> None:
    """Let go of the bytes; to be done before the file is closed."""
    if isinstance(chunk, memoryview):
        chunk.release()


@dataclass(frozen=True, slots=True)
class Pump:
    """What turns the parts of a body into chunks of `file`, as `delivery` says.

    `queued` hears the size of each chunk before the pump waits for room, `sent` how much of a file chunk has gone.
    """

    file: MappedFile
    disk: Disk
    sizer: ChunkSizer
    delivery: Delivery
    queued: Callable[[int], None]
    sent: Callable[[int], None]
    largest_copy: int = LARGEST_COPY

    async def run(self, parts: Iterable[Part], put: Put) -> None:
        """Put the bytes of `parts` in order, waiting as long as there is no room.

        Raises `SourceChanged` when the file ends early, `SourceUnreadable` when the disk fails.
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
        """Put `lead` and the bytes of `ranges`, of which there are `length`."""
        left, whole = list(reversed(ranges)), length  # reversed, as the end of a list is the cheap one
        # The end is sealed. A check sees the file before a chunk is sent, and the file may change while the kernel
        # takes the bytes: the next check sees that, but behind the last chunk there is none. So the last one is a
        # copy from before its check. If it leaves, all before it came from a file that had not changed; if not, the
        # body is shorter than its Content-Length, and no client takes it for whole.
        copied = length if self._copies(ranges, length) else min(TAIL, length)
        if self.delivery is Delivery.RANGES and copied < length:
            size = min(self.sizer.largest - len(lead), length - copied)
            first = take(left, size)
            # What is in memory anyhow goes in one chunk: to begin small is for what a disk has to fetch.
            if self.disk.warm_nowait(self.file.fd, first):
                self.sizer.size = self.sizer.largest  # until the client turns out to be slow
                await self._put(FileChunk(self.file.fd, first, size, lead, self.sent), put)
                length, lead = length - size, b""
            else:
                left += reversed(first)
        while length:
            room = self.sizer.size - len(lead)
            alone = self.delivery is Delivery.VIEWS and lead  # a view has nothing before it
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
        """Whether all that lies in these ranges is to be copied."""
        match self.delivery:
            case Delivery.RANGES:
                # One copy and nothing else is one chunk; with a sealed end behind it, it would be two.
                return length < len(ranges) * SHORT and length <= self.largest_copy
            case Delivery.VIEWS:
                # A view each would be a page fault each, as the map is gone with the last who holds the file.
                return len(ranges) > 1
            case Delivery.COPIES:
                return True

    async def _uncopied(self, lead: bytes, ranges: tuple[ByteRange, ...], size: int) -> Chunk:
        try:
            await self.disk.warm(self.file.fd, ranges)
        except OSError as error:
            raise SourceUnreadable(f"reading at byte {ranges[0][0]}: {error}") from error
        if self.delivery is Delivery.RANGES:
            return FileChunk(self.file.fd, ranges, size, lead, self.sent)
        return self.file.view(ranges[0][0], size)

    async def _copy(self, lead: bytes, ranges: tuple[ByteRange, ...], size: int) -> Chunk:
        try:
            chunk = await self.disk.read(self.file.fd, ranges, size, lead)
        except OSError as error:
            raise SourceUnreadable(f"reading at byte {ranges[0][0]}: {error}") from error
        if len(chunk) < len(lead) + size:
            raise SourceChanged(f"the file ends before byte {sum(ranges[-1])} now")
        return chunk

    async def _put(self, chunk: Chunk, put: Put) -> None:
        self.queued(len(chunk))
        try:
            await put(chunk)
        except BaseException:
            release(chunk)
            raise
