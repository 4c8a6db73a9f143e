"""Chunks, which a connection sends at once: bytes, views, and byte ranges of files that never enter this process."""

from collections.abc import Callable
from dataclasses import dataclass

from trio_stream.byte_ranges import ByteRange


@dataclass(frozen=True, slots=True)
class FileChunk:
    """Byte ranges of the open file `fd`, sent in order by `sendfile(2)` after the computed bytes `lead`.

    `length` is the total length of the ranges. No range is empty. Framing needs only the length of a chunk. `sent` is
    called with the number of bytes each time some have been sent: sending a chunk may take minutes.
    """

    fd: int
    ranges: tuple[ByteRange, ...]
    length: int
    lead: bytes = b""
    sent: Callable[[int], None] | None = None

    def __len__(self) -> int:
        return len(self.lead) + self.length


type Chunk = bytes | memoryview | FileChunk
"""One type from the pump to the socket: computed bytes, a view of bytes or of a map, or byte ranges of a file.

An event of Hypercorn may hold a tuple of chunks in place of its `bytes`: they are sent in order, at once.
"""
