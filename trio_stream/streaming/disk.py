"""Wait for the disk, in worker threads with their own limiter. Nothing else waits for a disk.

Data in the page cache is used on the event loop. Other data is fetched in a thread first. `RWF_NOWAIT` finds out which
without waiting (`preadv2(2)`), and `sendfile(2)` to the null device loads pages without copying them anywhere. On a
system without these, everything is read in a thread.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import trio

from trio_stream.byte_ranges import ByteRange, join
from trio_stream.server.sending.gathering import gather
from trio_stream.streaming.chunk_size import KIB

PROBE_EVERY = 128 * KIB
"""Kernels read ahead by at least this many bytes, so one byte in each step shows whether the others are in memory."""

FETCH = 1024 * KIB
"""At most this many bytes are fetched at once: a thread cannot be interrupted while it waits."""

NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)
FETCH_BY_SENDFILE = sys.platform == "linux"


@dataclass(frozen=True, slots=True)
class DiskStatistics:
    """Chunks found in the page cache, chunks that were not, and threads waiting for a disk now."""

    warm: int
    cold: int
    waiting: int


class Disk:
    """Reads files, and loads them into the page cache, with at most `readers` threads. A process has one."""

    def __init__(self, readers: int) -> None:
        # A separate limiter, so that threads that hang on a dead network disk do not block other work.
        self._limiter = trio.CapacityLimiter(readers)
        self._null = os.open(os.devnull, os.O_WRONLY)
        self._byte = [bytearray(1)]
        self._warm = 0
        self._cold = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._null)

    async def warm(self, fd: int, ranges: Sequence[ByteRange]) -> None:
        """Load the bytes of `ranges` into the page cache, so that using them does not wait.

        Small gaps between them are loaded too. Raises `OSError` if the disk fails. Bytes past the end of the file are
        ignored.
        """
        if not self.warm_nowait(fd, ranges):
            self._cold += 1
            await self._fetch(fd, ranges)

    def warm_nowait(self, fd: int, ranges: Sequence[ByteRange]) -> bool:
        """Return whether the bytes of `ranges` are in the page cache already, and count it if they are."""
        warm = self.is_warm(fd, ranges)
        self._warm += warm
        return warm

    async def read(self, fd: int, ranges: Sequence[ByteRange], length: int, lead: bytes = b"") -> memoryview:
        """Return `lead` followed by a copy of the bytes of `ranges`, `length` in total, or less if the file ends."""
        buffer = bytearray(len(lead) + length)
        buffer[: len(lead)] = lead
        if _read_nowait(fd, buffer, len(lead), ranges):
            self._warm += 1
            return memoryview(buffer)
        self._cold += 1
        if len(ranges) > 1:  # in a few large steps: reading each cold range separately would cost a seek each
            await self._fetch(fd, ranges)
        got = await trio.to_thread.run_sync(_read, fd, buffer, len(lead), ranges, limiter=self._limiter)
        return memoryview(buffer)[:got]

    def statistics(self) -> DiskStatistics:
        """The counters, and the number of threads that wait now."""
        return DiskStatistics(self._warm, self._cold, self._limiter.borrowed_tokens)

    def is_warm(self, fd: int, ranges: Sequence[ByteRange]) -> bool:
        """Return whether the bytes of `ranges` are in the page cache, as far as can be told without waiting."""
        if not NOWAIT:
            return False
        byte, preadv = self._byte, os.preadv  # this runs for every 128 KiB of everything that is sent
        # A page may be dropped between this check and the send, which then waits for the disk. That is rare, and safe.
        try:
            for offset, length in join(ranges, PROBE_EVERY):
                last = offset + length - 1
                for at in range(offset, last, PROBE_EVERY):
                    if preadv(fd, byte, at, NOWAIT) != 1:
                        return False
                if preadv(fd, byte, last, NOWAIT) != 1:
                    return False
        except OSError:
            return False
        return True

    async def _fetch(self, fd: int, ranges: Sequence[ByteRange]) -> None:
        # Small gaps are included: a disk continues to read faster than it seeks, and a client that requests the audio
        # of a title also requests its video track, which is in these gaps.
        for offset, length in join(ranges, PROBE_EVERY):
            for at in range(offset, offset + length, FETCH):
                step = min(FETCH, offset + length - at)
                await trio.to_thread.run_sync(self._fetch_some, fd, at, step, limiter=self._limiter)

    def _fetch_some(self, fd: int, offset: int, length: int) -> None:
        if not FETCH_BY_SENDFILE:
            _read(fd, bytearray(length), 0, ((offset, length),))
            return
        end = offset + length
        while offset < end:
            moved = os.sendfile(self._null, fd, offset, end - offset)
            if moved == 0:
                return  # the file ends here now; the send will notice
            offset += moved


def _read_nowait(fd: int, buffer: bytearray, at: int, ranges: Sequence[ByteRange]) -> bool:
    """Read `ranges` into the buffer, starting at `at`. Return whether everything was available without waiting."""
    if not NOWAIT:
        return False
    try:
        with memoryview(buffer) as view, view[at:] as rest:
            return gather(fd, rest, ranges, NOWAIT)
    except OSError:
        return False


def _read(fd: int, buffer: bytearray, at: int, ranges: Sequence[ByteRange]) -> int:
    """Read `ranges` into the buffer, starting at `at`. Return where the data in the buffer ends."""
    with memoryview(buffer) as view:
        for offset, length in ranges:
            end = at + length
            while at < end:
                with view[at:end] as rest:
                    step = os.preadv(fd, [rest], offset + length - (end - at))
                if step == 0:
                    return at
                at += step
    return at
