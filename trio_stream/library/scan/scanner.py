"""Keeps the database as the folder is: a look at all of it at the start and now and then, and at what is heard of.

When to look, and at what; the look itself is in `looking`.
"""

import os
from collections.abc import Callable, Iterable
from math import inf

import structlog
import trio

from trio_stream.errors import StoreError, TooManyFiles
from trio_stream.library.folder.changes import NotWatching, Replaced, Unnameable, Watch
from trio_stream.library.folder.subtitle_files import around_subtitles
from trio_stream.library.scan.folder_scanner import FolderScanner
from trio_stream.library.scan.progress import Progress, ScanRun
from trio_stream.library.scan.settling import REST, RETRY, RescanQueue
from trio_stream.store.database import Database
from trio_stream.store.writer import Writer

MOST_HEARD = 1000
"""Folders that changed; of more, everything is looked at."""

REPLACED = 0.2
"""Seconds until there is a new watch: of a folder that took the place of another, or after a name that is no UTF-8."""

log = structlog.get_logger("trio_stream.library")


class Scanner:
    """Has the folder of videos looked at whenever it may have changed."""

    def __init__(
        self,
        root: str,
        database: Database,
        writer: Writer,
        progress: Progress,
        *,
        news: Callable[[], None] = lambda: None,
        interval: float,
        rest: float = REST,
        threads: int = 2,
    ) -> None:
        self._root = os.path.realpath(root)
        self._progress = progress
        self._interval = interval
        self._again = RescanQueue()
        self.looker = FolderScanner(
            self._root, database, writer, progress, self._again, news=news, rest=rest, threads=threads
        )
        self._heard: set[str] = set()
        self._asked = False
        self._due = -inf
        """When everything is looked at next."""
        self._told = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Look at everything, then at what changes; everything again after each interval."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self._watch)
            task_status.started()
            while True:
                await self._wait()
                now = trio.current_time()
                full = self._asked or now >= self._due
                folders = self._again.take(now, self._heard)
                self._asked, self._heard = False, set()
                if full:
                    self._due = now + self._interval
                await self._try(None if full else folders)

    def ask(self) -> int:
        """Have everything looked at as soon as can be; returns the number of the look that will do it.

        The first look at all, of a server that has just started, serves as well.
        """
        look = self._progress.look
        if look.number <= 1 and (look.running or not look.number):
            return 1
        self._asked = True
        self._told.set()
        return look.number + 1

    async def look(self, folders: Iterable[str] | None = None) -> ScanRun:
        """Look at `folders`, or at everything, and return what came of it. Raises `StoreError`, `TooManyFiles`."""
        return await self.looker.look(folders)

    async def _try(self, folders: Iterable[str] | None) -> None:
        try:
            await self.looker.look(folders)
        except (StoreError, TooManyFiles) as error:
            log.error("the videos could not be looked at; trying again", reason=str(error))
            self._again.after_failure("")

    async def _wait(self) -> None:
        """Return when there is something to look at."""
        while not (self._heard or self._asked):
            at = min(self._due, self._again.next())
            self._told = trio.Event()
            with trio.move_on_at(at) as scope:
                await self._told.wait()
            if scope.cancelled_caught:
                return

    async def _watch(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        state = self._progress.watching
        again = False
        while True:
            pause = RETRY
            try:
                async with trio.open_nursery() as nursery:
                    await nursery.start(Watch(self._root).run, self._hear)
                    state.on, state.reason = True, None
                    if again:
                        self.ask()  # nobody heard what happened in between
                    task_status.started()
                    task_status = trio.TASK_STATUS_IGNORED
            except* Unnameable:
                # What else happened then is heard of by a look at everything, once a minute at most.
                self._due = min(self._due, trio.current_time() + RETRY)
                pause = REPLACED
            except* Replaced:
                state.on, state.reason, pause = False, "the folder was replaced", REPLACED
            except* NotWatching as group:
                state.on, state.reason = False, str(group.exceptions[0])
                log.warning(
                    "changes are not heard of; the folder is looked at now and then", reason=state.reason
                )
            task_status.started()
            task_status = trio.TASK_STATUS_IGNORED
            self._progress.changed()
            again = True
            await trio.sleep(pause)

    def _hear(self, paths: set[str]) -> None:
        for path in paths:
            name = os.path.relpath(path, self._root)
            if any(part.startswith(".") for part in name.split("/") if name != "."):
                continue  # hidden: also what programs write to before they rename it
            self._heard.add(around_subtitles(os.path.dirname(name)))
        if len(self._heard) > MOST_HEARD:
            self._asked = True  # the names are forgotten with the next look, which is at everything
        self._told.set()
