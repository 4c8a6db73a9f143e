"""The only place that waits for a disk, in worker threads under a limiter of its own.

What lies in the page cache is used on the event loop; what does not is fetched in a thread first. `RWF_NOWAIT` tells
the two apart without waiting (`preadv2(2)`), and `sendfile(2)` into the null device brings pages in without
copying them anywhere. Where a system lacks the one or the other, every window goes through a thread and is read.
"""

import os
import sys
from dataclasses import dataclass
from typing import Self

import trio

from trio_stream.streaming.sizing import KIB

PROBE_EVERY = 128 * KIB
"""Kernels read ahead in runs at least this long, so one byte in each tells whether the run is there."""

FETCH = 1024 * KIB
"""At most this many bytes are fetched in one go: a thread cannot be interrupted while it waits."""

NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)
FETCH_BY_SENDFILE = sys.platform == "linux"


@dataclass(frozen=True, slots=True)
class DiskStatistics:
    """Windows found in the page cache, windows that were not, and threads waiting for a disk now."""

    warm: int
    cold: int
    waiting: int


class Disk:
    """Reads and warms files; opened once, with `readers` threads at most."""

    def __init__(self, readers: int) -> None:
        self._limiter = trio.CapacityLimiter(readers)
        self._null = os.open(os.devnull, os.O_WRONLY)
        self._byte = [bytearray(1)]
        self._warm = 0
        self._cold = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._null)

    async def warm(self, fd: int, offset: int, length: int) -> None:
        """Have `length` bytes at `offset` in the page cache, so that using them does not wait.

        Raises `OSError` when the disk does. Bytes past the end of the file are nothing to wait for.
        """
        if self.is_warm(fd, offset, length):
            self._warm += 1
            return
        self._cold += 1
        end = offset + length
        while offset < end:
            step = min(FETCH, end - offset)
            await trio.to_thread.run_sync(self._fetch, fd, offset, step, limiter=self._limiter)
            offset += step

    async def read(self, fd: int, offset: int, length: int) -> memoryview:
        """A copy of up to `length` bytes at `offset`; shorter only at the end of the file."""
        buffer = bytearray(length)
        got = _read_nowait(fd, buffer, offset)
        if got == length:
            self._warm += 1
        else:
            self._cold += 1
            got = await trio.to_thread.run_sync(_read, fd, buffer, offset, limiter=self._limiter)
        return memoryview(buffer)[:got]

    def statistics(self) -> DiskStatistics:
        """The counters, and how many threads wait now."""
        return DiskStatistics(self._warm, self._cold, self._limiter.borrowed_tokens)

    def is_warm(self, fd: int, offset: int, length: int) -> bool:
        """Whether `length` bytes at `offset` are in the page cache now, as far as one can tell without waiting."""
        if not NOWAIT:
            return False
        last = offset + length - 1
        byte, preadv = self._byte, os.preadv  # this runs for every 128 KiB of everything that is sent
        try:
            for at in range(offset, last, PROBE_EVERY):
                if preadv(fd, byte, at, NOWAIT) != 1:
                    return False
            return preadv(fd, byte, last, NOWAIT) == 1
        except OSError:
            return False

    def _fetch(self, fd: int, offset: int, length: int) -> None:
        if not FETCH_BY_SENDFILE:
            _read(fd, bytearray(length), offset)
            return
        end = offset + length
        while offset < end:
            moved = os.sendfile(self._null, fd, offset, end - offset)
            if moved == 0:
                return  # the file ends here now; whoever sends will notice
            offset += moved


def _read_nowait(fd: int, buffer: bytearray, offset: int) -> int:
    """How many bytes are there without waiting; 0 when none are, or nobody can tell."""
    if not NOWAIT:
        return 0
    try:
        return os.preadv(fd, [buffer], offset, NOWAIT)
    except OSError:
        return 0


def _read(fd: int, buffer: bytearray, offset: int) -> int:
    got = 0
    with memoryview(buffer) as view:
        while got < len(buffer):
            with view[got:] as rest:
                step = os.preadv(fd, [rest], offset + got)
            if step == 0:
                break
            got += step
    return got
