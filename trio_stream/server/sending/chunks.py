"""What a connection is given to send at once: bytes, views, and byte ranges of files that never pass through here."""

from collections.abc import Callable
from dataclasses import dataclass

from trio_stream.byte_ranges import ByteRange


@dataclass(frozen=True, slots=True)
class FileChunk:
    """Byte ranges of the open file `fd`, sent one after the other by `sendfile(2)`, behind `lead`, bytes of our own.

    `length` is that of the ranges together, of which none is empty. Framing asks how long a chunk is, and no more.
    `sent` is called with the number of bytes of the file whenever some have gone: it may take minutes.
    """

    fd: int
    ranges: tuple[ByteRange, ...]
    length: int
    lead: bytes = b""
    sent: Callable[[int], None] | None = None

    def __len__(self) -> int:
        return len(self.lead) + self.length


type Chunk = bytes | memoryview | FileChunk
"""One type from the pump to the socket: bytes of our own, a view of bytes or of a map, or where bytes lie in a file.

Where Hypercorn has the `bytes` of an event, a tuple of chunks may stand: what is sent at once, one after the other.
"""
