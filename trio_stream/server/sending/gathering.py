"""Byte ranges of a file into one buffer, with no more system calls than pay."""

import os
from collections.abc import Iterable

from trio_stream.byte_ranges import ByteRange

BRIDGED = 8 * 1024
"""So many bytes between two ranges are read with them, into a buffer that nobody looks at: a call for each range
costs as much."""

MOST_VECTORS = 1000
"""Linux takes 1,024 buffers in one call (`IOV_MAX`)."""

_SCRAP = memoryview(bytearray(BRIDGED))


def gather(fd: int, buffer: memoryview, ranges: Iterable[ByteRange], flags: int = 0) -> bool:
    """Read `ranges` one after the other into the buffer, by `preadv2(2)` with these flags.

    Answers whether all of it was read. Raises `OSError`.
    """
    preadv = os.preadv
    vectors: list[memoryview] = []
    at = begin = end = 0
    for offset, length in ranges:
        gap = offset - end
        if not vectors:
            begin = offset
        elif not 0 <= gap <= BRIDGED or len(vectors) >= MOST_VECTORS:
            if preadv(fd, vectors, begin, flags) != end - begin:
                return False
            vectors, begin = [], offset
        elif gap:
            vectors.append(_SCRAP[:gap])  # everybody's, at once: nobody reads it
        vectors.append(buffer[at : at + length])
        at, end = at + length, offset + length
    return not vectors or preadv(fd, vectors, begin, flags) == end - begin
