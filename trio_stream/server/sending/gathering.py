"""Read byte ranges of a file into one buffer with few system calls."""

import os
from collections.abc import Iterable

from trio_stream.byte_ranges import ByteRange

MAX_GAP = 8 * 1024
"""A gap of at most this many bytes between two ranges is read too, into a scratch buffer: another system call would
cost as much."""

MAX_VECTORS = 1000
"""Linux accepts 1,024 buffers in one call (`IOV_MAX`)."""

_SCRATCH = memoryview(bytearray(MAX_GAP))


def gather(fd: int, buffer: memoryview, ranges: Iterable[ByteRange], flags: int = 0) -> bool:
    """Read `ranges` in order into the buffer, by `preadv2(2)` with these flags.

    Return whether everything was read. Raises `OSError`.
    """
    preadv = os.preadv
    vectors: list[memoryview] = []
    at = begin = end = 0
    for offset, length in ranges:
        gap = offset - end
        if not vectors:
            begin = offset
        elif not 0 <= gap <= MAX_GAP or len(vectors) >= MAX_VECTORS:
            if preadv(fd, vectors, begin, flags) != end - begin:
                return False
            vectors, begin = [], offset
        elif gap:
            vectors.append(_SCRATCH[:gap])  # shared by all, since nothing reads it
        vectors.append(buffer[at : at + length])
        at, end = at + length, offset + length
    return not vectors or preadv(fd, vectors, begin, flags) == end - begin
