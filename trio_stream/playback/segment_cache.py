"""Segments that were made, on disk, never more than a budget; what was used longest ago goes first.

However many ask for a segment that is not there, it is made once, in a task of the cache's own, and all of them get
it. Who leaves meanwhile changes nothing for the others; with the last of them the work is cancelled. A disk that is
full or cannot be written to costs nothing but time: what was made is handed out all the same, and made again for the
next.
"""

import errno
import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
import trio

from trio_stream.errors import MediaWorkerFailed, TooManyFiles, again
from trio_stream.playback.shelf import Shelf, in_memory

NO_MORE_FILES = frozenset({errno.EMFILE, errno.ENFILE})

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


class _Making:
    """A segment that is being made: once it is `over`, there is a descriptor, or an error."""

    def __init__(self) -> None:
        self.over = trio.Event()
        self.scope = trio.CancelScope()
        self.waiting = 0
        self.fd: int | None = None
        self.error: Exception = MediaWorkerFailed("the server is stopping")

    def take(self) -> int:
        """A descriptor of its own for one who waited. Raises what making it raised."""
        if self.fd is None:
            raise again(self.error)
        try:
            return os.dup(self.fd)
        except OSError as error:
            raise _failure(error) from None

    def close(self) -> None:
        """Nobody takes any more."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


class SegmentCache:
    """Segments in `folder`, at most `budget` bytes, with `threads` threads at the disk. `serve` is its task."""

    def __init__(self, folder: Path, budget: int, *, threads: int = 4) -> None:
        self._shelf = Shelf(folder)
        self._budget = budget
        self._limiter = trio.CapacityLimiter(threads)
        self._kept: OrderedDict[str, int] = OrderedDict()
        self._size = self._coming = 0
        self._making: dict[str, _Making] = {}
        self._making_room = trio.Lock()
        self._nursery: trio.Nursery | None = None
        self._failing = False
        self._found = self._made = self._shared = self._given_up = self._removed = self._unkept = 0

    def statistics(self) -> SegmentCacheStatistics:
        """What there is now, and totals since the start."""
        return SegmentCacheStatistics(
            segments=len(self._kept),
            size=self._size,
            budget=self._budget,
            found=self._found,
            made=self._made,
            shared=self._shared,
            given_up=self._given_up,
            removed=self._removed,
            unkept=self._unkept,
            making=len(self._making),
        )

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Find again what is there, and make what is asked for, until cancelled. It may be served again."""
        self._kept.clear()
        self._size = 0
        try:
            for key, size in await trio.to_thread.run_sync(self._shelf.look, limiter=self._limiter):
                self._kept[key] = size
                self._size += size
        except OSError as error:
            self._note(error)
        await self._remove(self._oldest())
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                task_status.started()
                await trio.sleep_forever()
            finally:
                self._nursery = None

    async def get(self, key: str, make: Callable[[], Awaitable[bytes]]) -> int:
        """A descriptor of the segment `key`, a name of letters, digits and dashes; the caller owns it.

        If it is not there and nobody makes it yet, `make` is called at once, and what it answers is awaited in a task
        that may outlive this one; what that raises is raised for all who wait. Raises `MediaWorkerFailed` if nothing
        can be made now, `TooManyFiles`.
        """
        while key in self._kept:
            self._kept.move_to_end(key)
            fd = await self._open(key)
            if fd is not None:
                self._found += 1
                return fd
        making = self._making.get(key)
        if making is not None:
            self._shared += 1
        elif self._nursery is None:
            raise MediaWorkerFailed("the server makes no segments now")
        else:
            work = make()
            making = self._making[key] = _Making()
            self._nursery.start_soon(self._make, key, making, work)
        making.waiting += 1
        try:
            await making.over.wait()
            return making.take()
        finally:
            making.waiting -= 1
            if not making.waiting:
                self._leave(key, making)

    async def _open(self, key: str) -> int | None:
        """A descriptor of what is kept; None if it has gone."""
        try:
            fd = await trio.to_thread.run_sync(self._shelf.open, key, limiter=self._limiter)
        except OSError as error:
            if error.errno in NO_MORE_FILES:
                raise TooManyFiles from None
            await self._remove([key])
            fd = None
        if fd is None:
            self._size -= self._kept.pop(key, 0)
        return fd

    def _leave(self, key: str, making: _Making) -> None:
        """The last of those who waited has gone."""
        if not making.over.is_set():
            self._given_up += 1
            making.scope.cancel()
            if self._making.get(key) is making:  # who comes now wants one that is not cancelled
                del self._making[key]
        making.close()

    async def _make(self, key: str, making: _Making, work: Awaitable[bytes]) -> None:
        try:
            with making.scope:
                data = await work
                self._made += 1
                making.fd = await self._keep(key, data)
        except Exception as error:  # noqa: BLE001 - it is raised for those who wait
            making.error = error
        finally:
            if self._making.get(key) is making:
                del self._making[key]
            making.over.set()
            if not making.waiting:
                making.close()

    async def _keep(self, key: str, data: bytes) -> int:
        """Keep a segment if that can be; a descriptor of it in any case."""
        try:
            try:
                fd = await self._put(key, data)
            except OSError as error:
                self._note(error)
                fd = None
            if fd is not None:
                return fd
            self._unkept += 1
            return await trio.to_thread.run_sync(in_memory, data, limiter=self._limiter)
        except OSError as error:
            raise _failure(error) from None

    async def _put(self, key: str, data: bytes) -> int | None:
        """A descriptor of what is kept now; None if there is no room. Raises `OSError`."""
        if len(data) + self._coming > self._budget:  # what is being written cannot be removed yet
            return None
        self._size += len(data)  # before it is written, so that there is never more on the disk
        self._coming += len(data)
        try:
            async with self._making_room:  # what others remove is gone before this takes its place
                await self._remove(self._oldest())
            fd = await trio.to_thread.run_sync(self._shelf.put, key, data, limiter=self._limiter)
        except BaseException:
            self._size -= len(data)
            raise
        finally:
            self._coming -= len(data)
        self._size -= self._kept.pop(key, 0)  # made twice, as the first one was given up
        self._kept[key] = len(data)
        self._failing = False
        return fd

    def _oldest(self) -> list[str]:
        """What has to go for the rest to be within the budget; it is not counted any more."""
        going = []
        while self._size > self._budget and self._kept:
            key, size = self._kept.popitem(last=False)
            self._size -= size
            self._removed += 1
            going.append(key)
        return going

    async def _remove(self, keys: Sequence[str]) -> None:
        if keys:
            await trio.to_thread.run_sync(self._shelf.remove, keys, limiter=self._limiter)

    def _note(self, error: OSError) -> None:
        """Say that the disk does not do what it should, once until it does again."""
        if not self._failing:
            log.warning("segments cannot be kept, and are made for everybody anew", reason=str(error))
        self._failing = True


def _failure(error: OSError) -> TooManyFiles | MediaWorkerFailed:
    """Why there is no descriptor even of what is in memory."""
    if error.errno in NO_MORE_FILES:
        return TooManyFiles()
    return MediaWorkerFailed(f"there is no room for a segment: {error.strerror or error}")
