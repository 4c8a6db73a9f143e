"""Remuxed segments on disk, within a budget, least recently used removed first.

However many clients request a missing segment, it is built once, in a task of the cache, and all of them get it. A
client that disconnects does not affect the others; when the last one does, the work is cancelled. If the disk is full
or cannot be written to, playback still works: the segment is returned without being stored, and built again next time.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
import trio

from trio_stream.caching import BoundedCache
from trio_stream.errors import MediaWorkerFailed, TooManyFiles
from trio_stream.files import NO_DESCRIPTOR, OpenFile
from trio_stream.playback.disk_cache import DiskCache, in_memory
from trio_stream.single_flight import Flight, SingleFlight

log = structlog.get_logger("trio_stream.playback")


@dataclass(frozen=True, slots=True)
class SegmentCacheStatistics:
    """`segments` are stored, with `size` bytes of at most `budget`. `building` are in progress now.

    Totals since the start: `found` were stored, `built` were not, `shared` were already being built for another client,
    `abandoned` were cancelled because no client waited any more, `removed` made room for others, `unstored` were
    returned without being stored.
    """

    segments: int
    size: int
    budget: int
    found: int
    built: int
    shared: int
    abandoned: int
    removed: int
    unstored: int
    building: int


class SegmentCache:
    """Segments in `folder`, at most `budget` bytes, using `threads` threads for the disk. `serve` is its task."""

    def __init__(self, folder: Path, budget: int, *, threads: int = 4) -> None:
        self._disk = DiskCache(folder)
        self._budget = budget
        self._limiter = trio.CapacityLimiter(threads)
        self._sizes: BoundedCache[str, int] = BoundedCache(budget, _weight)
        """The sizes of the complete files on the disk."""
        self._pending = 0
        """Bytes being written, or waiting for room: files on the disk never exceed the budget."""
        self._builds: SingleFlight[str, OpenFile] = SingleFlight(
            "the segment builder is not running", share=_share, discard=OpenFile.close
        )
        self._room_lock = trio.Lock()
        self._failing = False
        self._found = self._built = self._removed = self._unstored = 0

    def statistics(self) -> SegmentCacheStatistics:
        """Current numbers, and totals since the start."""
        builds = self._builds.statistics()
        return SegmentCacheStatistics(
            segments=len(self._sizes),
            size=self._sizes.nbytes + self._pending,
            budget=self._budget,
            found=self._found,
            built=self._built,
            shared=builds.shared,
            abandoned=builds.abandoned,
            removed=self._removed,
            unstored=self._unstored,
            building=builds.running,
        )

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Find the stored segments, and build requested ones until cancelled. May be called again."""
        self._sizes.clear()
        removed = []
        try:
            for key, size in await trio.to_thread.run_sync(self._disk.scan, limiter=self._limiter):
                removed += self._sizes.put(key, size)
        except OSError as error:
            self._log_error(error)
        removed += self._sizes.make_room(0)  # even a single file that exceeds the budget
        self._removed += len(removed)
        await self._remove(removed)
        await self._builds.serve(task_status=task_status)

    async def get(self, key: str, build: Callable[[], Awaitable[bytes]]) -> OpenFile:
        """The segment `key`, a name of letters, digits and dashes.

        If it is neither stored nor being built, `build` is called at once, and its result is awaited in a task that may
        outlive this one; an exception there is raised in all waiting tasks. Raises `MediaWorkerFailed` if `serve` is
        not running, `TooManyFiles`.
        """
        while self._sizes.get(key) is not None:
            file = await self._open(key)
            if file is not None:
                self._found += 1
                return file

        def begin(_: Flight) -> Awaitable[OpenFile]:
            return self._build(key, build())

        return await self._builds.get(key, begin)

    async def _open(self, key: str) -> OpenFile | None:
        """The stored file; None if it has disappeared."""
        try:
            file = await trio.to_thread.run_sync(self._disk.open, key, limiter=self._limiter)
        except OSError as error:
            if error.errno in NO_DESCRIPTOR:
                raise TooManyFiles from None
            await self._remove([key])
            file = None
        if file is None:
            self._sizes.pop(key)
        return file

    async def _build(self, key: str, work: Awaitable[bytes]) -> OpenFile:
        data = await work
        self._built += 1
        return await self._store(key, data)

    async def _store(self, key: str, data: bytes) -> OpenFile:
        """Store a segment if possible; return it open in any case."""
        try:
            try:
                file = await self._write(key, data)
            except OSError as error:
                self._log_error(error)
                file = None
            if file is not None:
                return file
            self._unstored += 1  # a full disk costs time, but does not stop playback
            return await trio.to_thread.run_sync(in_memory, data, limiter=self._limiter)
        except OSError as error:
            raise _failure(error) from None

    async def _write(self, key: str, data: bytes) -> OpenFile | None:
        """The stored file; None if there is no room. Raises `OSError`."""
        if len(data) + self._pending > self._budget:  # files being written cannot be removed yet
            return None
        self._pending += len(data)  # before the write, so that the disk never holds more
        try:
            # One at a time: files removed to make room are gone from the disk before this one is written.
            async with self._room_lock:
                removed = self._sizes.make_room(self._pending)
                self._removed += len(removed)
                await self._remove(removed)
            file = await trio.to_thread.run_sync(self._disk.put, key, data, limiter=self._limiter)
        finally:
            self._pending -= len(data)
        self._sizes.put(key, len(data))  # replaces one that was built after its request was abandoned
        self._failing = False
        return file

    async def _remove(self, keys: Sequence[str]) -> None:
        if keys:
            # They no longer count: if a cancelled request left them on the disk, they would exceed the budget.
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(self._disk.remove, keys, limiter=self._limiter)

    def _log_error(self, error: OSError) -> None:
        """Log a disk error, once until the disk works again."""
        if not self._failing:
            log.warning(
                "segments cannot be stored on disk, and are built again for each request", reason=str(error)
            )
        self._failing = True


def _weight(_: str, size: int) -> int:
    return size


def _share(file: OpenFile) -> OpenFile:
    """A duplicated descriptor for each request that waited. Raises `TooManyFiles`."""
    return OpenFile.dup(file.fd)


def _failure(error: OSError) -> TooManyFiles | MediaWorkerFailed:
    """The error for a segment that cannot even be held in memory."""
    if error.errno in NO_DESCRIPTOR:
        return TooManyFiles()
    return MediaWorkerFailed(f"there is no room for a segment: {error.strerror or error}")
