"""Segments that were made, on disk, never more than a budget; what was used longest ago goes first.

However many ask for a segment that is not there, it is made once, in a task of the cache's own, and all of them get
it. Who leaves meanwhile changes nothing for the others; with the last of them the work is cancelled. A disk that is
full or cannot be written to costs nothing but time: what was made is handed out all the same, and made again for the
next.
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
    """`segments` are kept, of `size` bytes; `budget` may be. `making` are being made now.

    Totals since the start: `found` were there, `made` were not, `shared` were just being made for somebody else,
    `given_up` had nobody any more who waited, `removed` made room for others, `unkept` were handed out and not kept.
    """

    segments: int
    size: int
    budget: int
    found: int
    made: int
    shared: int
    given_up: int
    removed: int
    unkept: int
    making: int


class SegmentCache:
    """Segments in `folder`, at most `budget` bytes, with `threads` threads at the disk. `serve` is its task."""

    def __init__(self, folder: Path, budget: int, *, threads: int = 4) -> None:
        self._shelf = DiskCache(folder)
        self._budget = budget
        self._limiter = trio.CapacityLimiter(threads)
        self._kept: BoundedCache[str, int] = BoundedCache(budget, _weight)
        """The sizes of what is on the disk, whole."""
        self._coming = 0
        """Bytes of what is being written, or waits for room: there is never more on the disk than the budget."""
        self._making: SingleFlight[str, OpenFile] = SingleFlight(
            "the server makes no segments now", share=_share, discard=OpenFile.close
        )
        self._making_room = trio.Lock()
        self._failing = False
        self._found = self._made = self._removed = self._unkept = 0

    def statistics(self) -> SegmentCacheStatistics:
        """What there is now, and totals since the start."""
        making = self._making.statistics()
        return SegmentCacheStatistics(
            segments=len(self._kept),
            size=self._kept.nbytes + self._coming,
            budget=self._budget,
            found=self._found,
            made=self._made,
            shared=making.shared,
            given_up=making.abandoned,
            removed=self._removed,
            unkept=self._unkept,
            making=making.running,
        )

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Find again what is there, and make what is asked for, until cancelled. It may be served again."""
        self._kept.clear()
        gone = []
        try:
            for key, size in await trio.to_thread.run_sync(self._shelf.look, limiter=self._limiter):
                gone += self._kept.put(key, size)
        except OSError as error:
            self._note(error)
        gone += self._kept.make_room(0)  # also one that is larger than the budget by itself
        self._removed += len(gone)
        await self._remove(gone)
        await self._making.serve(task_status=task_status)

    async def get(self, key: str, make: Callable[[], Awaitable[bytes]]) -> OpenFile:
        """The segment `key`, a name of letters, digits and dashes.

        If it is not there and nobody makes it yet, `make` is called at once, and what it returns is awaited in a task
        that may outlive this one; what that raises is raised for all who wait. Raises `MediaWorkerFailed` if nothing
        can be made now, `TooManyFiles`.
        """
        while self._kept.get(key) is not None:
            file = await self._open(key)
            if file is not None:
                self._found += 1
                return file

        def begin(_: Flight) -> Awaitable[OpenFile]:
            return self._make(key, make())

        return await self._making.get(key, begin)

    async def _open(self, key: str) -> OpenFile | None:
        """What is kept; None if it has gone."""
        try:
            file = await trio.to_thread.run_sync(self._shelf.open, key, limiter=self._limiter)
        except OSError as error:
            if error.errno in NO_DESCRIPTOR:
                raise TooManyFiles from None
            await self._remove([key])
            file = None
        if file is None:
            self._kept.pop(key)
        return file

    async def _make(self, key: str, work: Awaitable[bytes]) -> OpenFile:
        data = await work
        self._made += 1
        return await self._keep(key, data)

    async def _keep(self, key: str, data: bytes) -> OpenFile:
        """Keep a segment if that can be; return it open in any case."""
        try:
            try:
                file = await self._put(key, data)
            except OSError as error:
                self._note(error)
                file = None
            if file is not None:
                return file
            self._unkept += 1  # a full disk costs time, and keeps nobody from playing
            return await trio.to_thread.run_sync(in_memory, data, limiter=self._limiter)
        except OSError as error:
            raise _failure(error) from None

    async def _put(self, key: str, data: bytes) -> OpenFile | None:
        """What is kept now; None if there is no room. Raises `OSError`."""
        if len(data) + self._coming > self._budget:  # what is being written cannot be removed yet
            return None
        self._coming += len(data)  # before it is written, so that there is never more on the disk
        try:
            # One at a time: what another makes room with is gone from the disk before this takes its place.
            async with self._making_room:
                gone = self._kept.make_room(self._coming)
                self._removed += len(gone)
                await self._remove(gone)
            file = await trio.to_thread.run_sync(self._shelf.put, key, data, limiter=self._limiter)
        finally:
            self._coming -= len(data)
        self._kept.put(key, len(data))  # in place of one that was made when this had been given up already
        self._failing = False
        return file

    async def _remove(self, keys: Sequence[str]) -> None:
        if keys:
            # They are not counted any more: left there because somebody went, they would stay beyond the budget.
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(self._shelf.remove, keys, limiter=self._limiter)

    def _note(self, error: OSError) -> None:
        """Say that the disk does not do what it should, once until it does again."""
        if not self._failing:
            log.warning("segments cannot be kept, and are made for everybody anew", reason=str(error))
        self._failing = True


def _weight(_: str, size: int) -> int:
    return size


def _share(made: OpenFile) -> OpenFile:
    """A descriptor of its own for one who waited. Raises `TooManyFiles`."""
    return OpenFile.dup(made.fd)


def _failure(error: OSError) -> TooManyFiles | MediaWorkerFailed:
    """Why it cannot even be had in memory."""
    if error.errno in NO_DESCRIPTOR:
        return TooManyFiles()
    return MediaWorkerFailed(f"there is no room for a segment: {error.strerror or error}")
