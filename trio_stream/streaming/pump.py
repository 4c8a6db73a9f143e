"""Body parts -> chunks, through a bounded channel.

The last chunk of a body is never a view. Everything before it has left when it is sent, so a check of the file at
that moment covers every byte the client got, and a file that changed under the last view cannot slip through: the
response stays incomplete instead.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import assert_never

import trio

from trio_stream.errors import SourceChanged, SourceUnreadable
from trio_stream.http.bodies import Literal, Part, Window
from trio_stream.streaming.disk import Disk
from trio_stream.streaming.maps import MappedFile
from trio_stream.streaming.sizing import ChunkSizer

TAIL = 16 * 1024
"""So many bytes at the end of a window are read instead of mapped. Small bodies are all tail."""


@dataclass(frozen=True, slots=True)
class Pump:
    """What turns the parts of a body into chunks of `file`.

    With `views` the chunks are views of the map where there is one, else copies. Either is released before the
    file is. `queued` hears the size of each chunk before the pump waits for room in the channel.
    """

    file: MappedFile
    disk: Disk
    sizer: ChunkSizer
    views: bool
    queued: Callable[[int], None]

    async def run(self, parts: Iterable[Part], out: trio.MemorySendChannel[memoryview]) -> None:
        """Send the bytes of `parts` to `out` in order and close it; waits while the channel is full.

        Raises `SourceChanged` when the file ends early, `SourceUnreadable` when the disk fails.
        """
        async with out:
            for part in parts:
                match part:
                    case Literal(data):
                        await self._put(memoryview(data), out)
                    case Window(offset, length):
                        await self._put_window(offset, offset + length, out)
                    case _:
                        assert_never(part)

    async def _put_window(self, offset: int, end: int, out: trio.MemorySendChannel[memoryview]) -> None:
        mapped_end = end - TAIL if self.views and self.file.mapped else offset
        while offset < end:
            if offset < mapped_end:
                size = min(self.sizer.size, mapped_end - offset)
                chunk = await self._view(offset, size)
            else:
                size = min(self.sizer.size, end - offset)
                chunk = await self._copy(offset, size)
            await self._put(chunk, out)
            offset += size

    async def _view(self, offset: int, size: int) -> memoryview:
        try:
            await self.disk.warm(self.file.fd, offset, size)
        except OSError as error:
            raise SourceUnreadable(f"reading at byte {offset}: {error}") from error
        return self.file.view(offset, size)

    async def _copy(self, offset: int, size: int) -> memoryview:
        try:
            chunk = await self.disk.read(self.file.fd, offset, size)
        except OSError as error:
            raise SourceUnreadable(f"reading at byte {offset}: {error}") from error
        if len(chunk) < size:
            raise SourceChanged(f"the file ends at byte {offset + len(chunk)} now")
        return chunk

    async def _put(self, chunk: memoryview, out: trio.MemorySendChannel[memoryview]) -> None:
        self.queued(len(chunk))
        try:
            await out.send(chunk)
        except BaseException:
            chunk.release()
            raise
