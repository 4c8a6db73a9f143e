"""Hearing of changes in the folder of videos, as far as the system tells.

A watch is a help and no promise: systems bound how much may be watched, network disks tell nothing, links are not
followed. Whoever listens has to look for themselves now and then; that it does not work is told, never hidden.
"""

import os
import threading
from collections.abc import Callable

import trio

# Documented, for those who need more than `watchfiles.watch`.
from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

type FolderIdentity = tuple[int, int] | None
"""Device and inode of a folder; None while there is none."""

GROUPED = 500
"""Milliseconds over which changes are told together at most."""

STEP = 50
"""Milliseconds without another change after which those there were are told at once."""

WAKE = 500
"""Milliseconds after which the thread that waits looks whether it is still wanted."""


class NotWatching(Exception):
    """The folder cannot be watched, or not any longer: `str` says why."""


class Replaced(NotWatching):
    """Another folder is there now, as after a disk was mounted: the watch is still of the one before."""


class Unnameable(NotWatching):
    """Something happened to a file whose name is no UTF-8, which ends the watch; a new one hears of the others."""


class Watch:
    """Watches everything below `root`, a real path, from the first `run` on."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._limiter = trio.CapacityLimiter(1)

    async def run(
        self, heard: Callable[[set[str]], None], task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Hand on paths that have changed, were added or are gone; started once it hears. Raises `NotWatching`."""
        stop = threading.Event()
        # In a thread: to watch a library is a system call a folder. What is watched is noted before, so that a disk
        # that is mounted in between is found to be another folder.
        watched, told = await self._in_thread(_begin, self._root)
        try:
            task_status.started()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_set_when_cancelled, stop)
                try:
                    while True:
                        paths, there = await self._in_thread(_next, told, stop, self._root)
                        if there != watched:
                            raise Replaced("the folder was replaced")
                        if paths:
                            heard(paths)
                except NotWatching as error:
                    ending = error  # raised below, as what it is and not in a group
                    nursery.cancel_scope.cancel()
        finally:
            told.close()
        raise ending

    async def _in_thread[*Arguments, T](
        self, function: Callable[[*Arguments], T], *arguments: *Arguments
    ) -> T:
        """What it returns; what the system says against watching is raised as `NotWatching`."""
        try:
            return await trio.to_thread.run_sync(function, *arguments, limiter=self._limiter)
        except WatchfilesRustInternalError as error:
            raise Unnameable(str(error)) from None
        except (OSError, RuntimeError) as error:
            raise NotWatching(getattr(error, "strerror", None) or str(error)) from None


async def _set_when_cancelled(stop: threading.Event) -> None:
    """The thread that waits for changes looks at `stop` every 50 ms; nothing else can wake it."""
    try:
        await trio.sleep_forever()
    finally:
        stop.set()


def _begin(root: str) -> tuple[FolderIdentity, RustNotify]:
    """What is watched, and the watch, which hears from now on."""
    identity = _identity(root)
    watch = RustNotify(
        [root],
        debug=False,
        force_polling=False,
        poll_delay_ms=0,
        recursive=True,
        ignore_permission_denied=True,
    )
    return identity, watch


def _next(told: RustNotify, stop: threading.Event, root: str) -> tuple[set[str], FolderIdentity]:
    """What has changed, which is nothing after a while without changes or when `stop` is set; and what is there now."""
    batch = told.watch(GROUPED, STEP, WAKE, stop)
    return set() if isinstance(batch, str) else {path for _, path in batch}, _identity(root)


def _identity(path: str) -> FolderIdentity:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
