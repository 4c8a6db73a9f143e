"""Body parts -> chunks, each put where there is room for it: into a bounded channel.

The last chunk of a body is always a copy. Everything before it has left when it is sent, so a check of the file at
that moment covers every byte that left, and a file that changed under the last view cannot slip through: the
response stays incomplete instead.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

from trio_stream.errors import SourceChanged, SourceUnreadable
from trio_stream.http.bodies import Gather, Literal, Part, Window
from trio_stream.streaming.disk import Disk
from trio_stream.streaming.maps import MappedFile
from trio_stream.streaming.sizing import ChunkSizer

TAIL = 16 * 1024
"""So many bytes at the end of a window are read instead of mapped. Small bodies are all tail."""


class Delivery(Enum):
    """In what form the connection takes the bytes of a file."""

    SPANS = auto()
    """As windows of the file, which the system sends by itself."""
    VIEWS = auto()
    """As views of the map, for system calls only."""
    COPIES = auto()


type Chunk = memoryview | Window
"""Bytes for a client: a view of the map, a copy of our own, or where the bytes lie in the file."""


type Put = Callable[[Chunk], Awaitable[None]]
"""Takes a chunk over when there is room for it. Where it raises, the chunk was not taken."""


def chunk_length(chunk: Chunk) -> int:
    """How many bytes the chunk stands for."""
    return chunk.length if isinstance(chunk, Window) else len(chunk)


def release(chunk: Chunk) -> None:
    """Let go of the bytes; to be done before the file is closed."""
    if isinstance(chunk, memoryview):
        chunk.release()


@dataclass(frozen=True, slots=True)
class Pump:
    """What turns the parts of a body into chunks of `file`, as `delivery` says.

    `queued` hears the size of each chunk before the pump waits for room.
    """

    file: MappedFile
    disk: Disk
    sizer: ChunkSizer
    delivery: Delivery
    queued: Callable[[int], None]

    async def run(self, parts: Iterable[Part], put: Put) -> None:
        """Put the bytes of `parts` in order, waiting as long as there is no room.

        Raises `SourceChanged` when the file ends early, `SourceUnreadable` when the disk fails.
        """
        for part in parts:
            match part:
                case Literal(data):
                    await self._put(memoryview(data), put)
                case Window(offset, length):
                    await self._put_window(offset, offset + length, put)
                case Gather(runs):
                    for offset, length in runs:
                        await self._put_window(offset, offset + length, put)
                case _:
                    assert_never(part)

    async def _put_window(self, offset: int, end: int, put: Put) -> None:
        copied_from = offset if self.delivery is Delivery.COPIES else max(offset, end - TAIL)
        if self.delivery is Delivery.SPANS and offset < copied_from:
            first = min(self.sizer.largest, copied_from - offset)
            if self.disk.is_warm(self.file.fd, offset, first):
                self.sizer.size = self.sizer.largest  # until the client turns out to be slow
        while offset < end:
            if offset < copied_from:
                size = min(self.sizer.size, copied_from - offset)
                chunk = await self._uncopied(offset, size)
            else:
                size = min(self.sizer.size, end - offset)
                chunk = await self._copy(offset, size)
            await self._put(chunk, put)
            offset += size

    async def _uncopied(self, offset: int, size: int) -> Chunk:
        try:
            await self.disk.warm(self.file.fd, offset, size)
        except OSError as error:
            raise SourceUnreadable(f"reading at byte {offset}: {error}") from error
        return Window(offset, size) if self.delivery is Delivery.SPANS else self.file.view(offset, size)

    async def _copy(self, offset: int, size: int) -> Chunk:
        try:
            chunk = await self.disk.read(self.file.fd, offset, size)
        except OSError as error:
            raise SourceUnreadable(f"reading at byte {offset}: {error}") from error
        if len(chunk) < size:
            raise SourceChanged(f"the file ends at byte {offset + len(chunk)} now")
        return chunk

    async def _put(self, chunk: Chunk, put: Put) -> None:
        self.queued(chunk_length(chunk))
        try:
            await put(chunk)
        except BaseException:
            release(chunk)
            raise
