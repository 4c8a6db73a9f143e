"""A stream without a server, and a sink for its chunks."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from trio_stream.files import OpenFile
from trio_stream.server.sending.chunks import Chunk, FileChunk
from trio_stream.streaming.disk import Disk
from trio_stream.streaming.maps import MapPool
from trio_stream.streaming.registry import Registry
from trio_stream.streaming.stream import Stream

SIZE = 3_000_000


@asynccontextmanager
async def streaming(pool: MapPool, disk: Disk, path: Path, limit: int = 10) -> AsyncIterator[Stream]:
    file = pool.open(OpenFile(os.open(path, os.O_RDONLY)))
    stream = Registry(limit, disk).admit(file, owner="me", name="v.mp4", transport="test")
    try:
        yield stream
    finally:
        stream.close()
        file.release()


class Sink:
    """Collects the chunks it is sent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = bytearray()
        self.sizes: list[int] = []
        self.copies: list[int] = []
        self.views: list[memoryview] = []

    async def __call__(self, chunk: Chunk) -> None:
        await trio.lowlevel.checkpoint()
        self.sizes.append(len(chunk))
        if isinstance(chunk, FileChunk):
            self.data += chunk.lead
            with self.path.open("rb") as file:
                for offset, length in chunk.ranges:
                    file.seek(offset)
                    self.data += file.read(length)
        else:
            self.data += chunk
            assert isinstance(chunk, memoryview)
            self.views.append(chunk)
            if isinstance(chunk.obj, bytearray):
                self.copies.append(len(chunk))

    @property
    def all_released(self) -> bool:
        for view in self.views:
            try:
                len(view)
            except ValueError:
                continue
            return False
        return True
