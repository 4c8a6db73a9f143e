"""Hearing of changes in the folder of videos, as far as the system tells.

A watch is a help and no promise: systems bound how much may be watched, network disks tell nothing, links are not
followed. Whoever listens has to look for themselves now and then; that it does not work is told, never hidden.
"""

import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import trio
import watchfiles

GROUPED = 500
"""Milliseconds over which changes are told together at most; after 50 without another they are told at once."""

WAKE = 500
"""Milliseconds after which the thread that waits looks whether it is still wanted."""


class NotWatching(Exception):
    """The folder cannot be watched, or not any longer: `str` says why."""


class Replaced(NotWatching):
    """Another folder is there now, as after a disk was mounted: the watch is still of the one before."""


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
        told = watchfiles.watch(
            self._root,
            watch_filter=None,
            debounce=GROUPED,
            stop_event=stop,
            rust_timeout=WAKE,
            yield_on_timeout=True,
            raise_interrupt=False,
            ignore_permission_denied=True,
            force_polling=False,
        )
        ending = NotWatching("the watch has ended")
        watched = await trio.to_thread.run_sync(_identity, self._root, limiter=self._limiter)
        look = partial(_next, told, self._root)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_set_when_cancelled, stop)
            try:
                while True:
                    batch, now = await trio.to_thread.run_sync(look, limiter=self._limiter)
                    if batch is None:
                        break
                    if now != watched:
                        ending = Replaced("the folder was replaced")
                        break
                    task_status.started()
                    task_status = trio.TASK_STATUS_IGNORED
                    if batch:
                        heard({path for _, path in batch})
            except OSError as error:
                ending = NotWatching(error.strerror or str(error))
            except RuntimeError as error:  # watchfiles' own, for a name that is no UTF-8
                ending = NotWatching(str(error))
            finally:
                told.close()
            nursery.cancel_scope.cancel()
        raise ending


async def _set_when_cancelled(stop: threading.Event) -> None:
    """The thread that waits for changes looks at `stop` every 50 ms; nothing else can wake it."""
    try:
        await trio.sleep_forever()
    finally:
        stop.set()


def _next(told: Iterator[Any], root: str) -> tuple[Any, tuple[int, int] | None]:
    return next(told, None), _identity(root)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
