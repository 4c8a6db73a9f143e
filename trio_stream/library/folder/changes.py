"""Watches the folder of videos for changes, as far as the system reports them.

Notifications are not guaranteed: systems limit how much can be watched, network disks report nothing, and links are not
followed. So the caller must also scan at intervals. A watch that does not work raises an error.
"""

import os
import threading
from collections.abc import Callable

import trio

# This class is documented for programs that need more than `watchfiles.watch`.
from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

type FolderIdentity = tuple[int, int] | None
"""Device and inode of a folder; None while it does not exist."""

MAX_GROUPING = 500
"""The longest time over which changes are grouped, in milliseconds."""

QUIET_TIME = 50
"""Milliseconds without another change after which the group is reported."""

POLL_INTERVAL = 500
"""Milliseconds without changes after which the thread checks whether the folder was replaced."""


class NotWatching(Exception):
    """The folder cannot be watched, or not any longer: `str` says why."""


class Replaced(NotWatching):
    """Another folder has this path now, for example after a disk was mounted. The watch is still on the old one."""


class Unnameable(NotWatching):
    """A file whose name is not UTF-8 changed, which ends the watch. A new watch reports the other files."""


class Watch:
    """Watches everything below the real path `root` while `run` is running."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._limiter = trio.CapacityLimiter(1)

    async def run(
        self,
        on_change: Callable[[set[str]], None],
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Call `on_change` with changed paths; started once the watch is active. Raises `NotWatching`."""
        stop = threading.Event()
        # In a thread: watching a library takes one system call per folder. The identity is read before the watch
        # starts, so a disk that is mounted in between is recognised as another folder.
        initial, notifier = await self._in_thread(_begin, self._root)
        try:
            task_status.started()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_set_when_cancelled, stop)
                try:
                    while True:
                        paths, current = await self._in_thread(_next_changes, notifier, stop, self._root)
                        if current != initial:
                            raise Replaced("the folder was replaced")
                        if paths:
                            on_change(paths)
                except NotWatching as error:
                    reason = error  # raised below, outside the exception group
                    nursery.cancel_scope.cancel()
        finally:
            notifier.close()
        raise reason

    async def _in_thread[*Arguments, T](
        self, function: Callable[[*Arguments], T], *arguments: *Arguments
    ) -> T:
        """Run `function` in a thread. Errors of the system are raised as `NotWatching`."""
        try:
            return await trio.to_thread.run_sync(function, *arguments, limiter=self._limiter)
        except WatchfilesRustInternalError as error:
            raise Unnameable(str(error)) from None
        except (OSError, RuntimeError) as error:
            raise NotWatching(getattr(error, "strerror", None) or str(error)) from None


async def _set_when_cancelled(stop: threading.Event) -> None:
    """Set `stop` on cancellation. The waiting thread checks it every 50 ms; nothing else can wake it."""
    try:
        await trio.sleep_forever()
    finally:
        stop.set()


def _begin(root: str) -> tuple[FolderIdentity, RustNotify]:
    """The identity of the folder, and a watch that has started."""
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


def _next_changes(notifier: RustNotify, stop: threading.Event, root: str) -> tuple[set[str], FolderIdentity]:
    """The changed paths (none after a timeout or when `stop` is set), and the current identity of the folder."""
    batch = notifier.watch(MAX_GROUPING, QUIET_TIME, POLL_INTERVAL, stop)
    return set() if isinstance(batch, str) else {path for _, path in batch}, _identity(root)


def _identity(path: str) -> FolderIdentity:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
