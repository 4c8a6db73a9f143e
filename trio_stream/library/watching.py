"""Hearing of changes in the folder of videos, as far as the system tells.

A watch is a help and no promise: systems bound how much may be watched, network disks tell nothing, links are not
followed. Whoever listens has to look for themselves now and then; that it does not work is told, never hidden.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import trio
import watchfiles

GROUPED = 500
"""Milliseconds over which changes are told together at most; after 50 without another they are told at once."""

WAKE = 500
"""Milliseconds after which the thread that waits looks whether it is still wanted."""


class NotWatching(Exception):
    """The folder cannot be watched, or not any longer: `str` says why."""


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
        reason = "the watch has ended"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_set_when_cancelled, stop)
            try:
                while (
                    batch := await trio.to_thread.run_sync(_next, told, limiter=self._limiter)
                ) is not None:
                    task_status.started()
                    task_status = trio.TASK_STATUS_IGNORED
                    if batch:
                        heard({path for _, path in batch})
            except OSError as error:
                reason = error.strerror or str(error)
            except RuntimeError as error:  # watchfiles' own, for a name that is no UTF-8
                reason = str(error)
            finally:
                told.close()
            nursery.cancel_scope.cancel()
        raise NotWatching(reason)


async def _set_when_cancelled(stop: threading.Event) -> None:
    """The thread that waits for changes looks at `stop` every 50 ms; nothing else can wake it."""
    try:
        await trio.sleep_forever()
    finally:
        stop.set()


def _next(told: Iterator[Any]) -> Any:
    return next(told, None)
