"""Decides when to scan, and which folders: everything at the start and at intervals, and folders that have changed.

The scan itself is in `folder_scanner`.
"""

import os
from collections.abc import Callable, Iterable
from math import inf

import structlog
import trio

from trio_stream.errors import StoreError, TooManyFiles
from trio_stream.library.folder.changes import NotWatching, Replaced, Unnameable, Watch
from trio_stream.library.folder.subtitle_files import video_folder_of
from trio_stream.library.scan.folder_scanner import FolderScanner
from trio_stream.library.scan.progress import Progress, ScanRun
from trio_stream.library.scan.settling import RETRY, SETTLE_TIME, RescanQueue
from trio_stream.store.database import Database
from trio_stream.store.writer import Writer

MAX_CHANGED_FOLDERS = 1000
"""Changed folders that are remembered. If there are more, everything is scanned."""

REWATCH_PAUSE = 0.2
"""Seconds until a new watch starts, after the folder was replaced or a name that is not UTF-8 ended the old one."""

log = structlog.get_logger("trio_stream.library")


class Scanner:
    """Scans the folder of videos whenever it may have changed."""

    def __init__(
        self,
        root: str,
        database: Database,
        writer: Writer,
        progress: Progress,
        *,
        notify: Callable[[], None] = lambda: None,
        interval: float,
        settle_time: float = SETTLE_TIME,
        threads: int = 2,
    ) -> None:
        self._root = os.path.realpath(root)
        self._progress = progress
        self._interval = interval
        self._rescan_queue = RescanQueue()
        self.folder_scanner = FolderScanner(
            self._root,
            database,
            writer,
            progress,
            self._rescan_queue,
            notify=notify,
            settle_time=settle_time,
            threads=threads,
        )
        self._changed_folders: set[str] = set()
        self._requested = False
        self._due = -inf
        """When the next full scan is due."""
        self._wake = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Scan everything, then folders that change; everything again after each interval."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self._watch)
            task_status.started()
            while True:
                await self._wait()
                now = trio.current_time()
                full = self._requested or now >= self._due
                folders = self._rescan_queue.take(now, self._changed_folders)
                self._requested, self._changed_folders = False, set()
                if full:
                    self._due = now + self._interval
                await self._try(None if full else folders)

    def request(self) -> int:
        """Request a full scan as soon as possible; returns the number of the scan that will do it.

        If the server has just started, that is its first scan.
        """
        scan = self._progress.scan
        if scan.number <= 1 and (scan.running or not scan.number):
            return 1
        self._requested = True
        self._wake.set()
        return scan.number + 1

    async def scan(self, folders: Iterable[str] | None = None) -> ScanRun:
        """Scan `folders`, or everything, and return the result. Raises `StoreError`, `TooManyFiles`."""
        return await self.folder_scanner.scan(folders)

    async def _try(self, folders: Iterable[str] | None) -> None:
        try:
            await self.folder_scanner.scan(folders)
        except (StoreError, TooManyFiles) as error:
            log.error("the scan failed; trying again later", reason=str(error))
            self._rescan_queue.after_failure("")

    async def _wait(self) -> None:
        """Return when there is something to scan."""
        while not (self._changed_folders or self._requested):
            at = min(self._due, self._rescan_queue.next())
            self._wake = trio.Event()
            with trio.move_on_at(at) as scope:
                await self._wake.wait()
            if scope.cancelled_caught:
                return

    async def _watch(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        state = self._progress.watching
        restarted = False
        while True:
            pause = RETRY
            try:
                async with trio.open_nursery() as nursery:
                    await nursery.start(Watch(self._root).run, self._note_changes)
                    state.on, state.reason = True, None
                    if restarted:
                        self.request()  # changes in between went unnoticed
                    task_status.started()
                    task_status = trio.TASK_STATUS_IGNORED
            except* Unnameable:
                # A full scan finds what else changed then, once a minute at most.
                self._due = min(self._due, trio.current_time() + RETRY)
                pause = REWATCH_PAUSE
            except* Replaced:
                state.on, state.reason, pause = False, "the folder was replaced", REWATCH_PAUSE
            except* NotWatching as group:
                state.on, state.reason = False, str(group.exceptions[0])
                log.warning(
                    "file changes cannot be watched; the folder is scanned at intervals", reason=state.reason
                )
            task_status.started()
            task_status = trio.TASK_STATUS_IGNORED
            self._progress.changed()
            restarted = True
            await trio.sleep(pause)

    def _note_changes(self, paths: set[str]) -> None:
        for path in paths:
            name = os.path.relpath(path, self._root)
            if any(part.startswith(".") for part in name.split("/") if name != "."):
                continue  # hidden, as are the temporary files of some programs
            self._changed_folders.add(video_folder_of(os.path.dirname(name)))
        if len(self._changed_folders) > MAX_CHANGED_FOLDERS:
            self._requested = True  # the next scan is a full one and clears the names
        self._wake.set()
