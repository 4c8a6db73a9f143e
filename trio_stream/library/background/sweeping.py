"""Removes derived files that no row refers to, and schedules referenced files that are lost to be generated again.

This runs after a full scan, but at most once per interval. Only disk space depends on it, so a failure is logged and
the sweep is tried again after the next full scan.
"""

from collections.abc import Callable
from functools import partial
from math import inf

import structlog
import trio

from trio_stream.errors import StoreError
from trio_stream.library.background.derived import Derived
from trio_stream.library.records import derived
from trio_stream.library.scan.progress import Progress
from trio_stream.store.database import Database
from trio_stream.store.writer import Writer

INTERVAL = 86_400.0
"""The shortest time from one sweep to the next, in seconds."""

log = structlog.get_logger("trio_stream.library")


class Sweeper:
    """Reconciles `derived` with `database` after the first full scan, then every `interval` seconds."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        derived: Derived,
        progress: Progress,
        *,
        notify: Callable[[], None] = lambda: None,
        interval: float = INTERVAL,
    ) -> None:
        self._database = database
        self._writer = writer
        self._notify = notify
        self._derived = derived
        self._progress = progress
        self._interval = interval

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Sweep after full scans, until cancelled."""
        task_status.started()
        due, seen = -inf, 0
        while True:
            while self._progress.full_scans <= seen:
                await self._progress.wait_after(self._progress.version)
            seen = self._progress.full_scans
            if trio.current_time() >= due and await self.sweep():
                due = trio.current_time() + self._interval

    async def sweep(self) -> bool:
        """Sweep now; returns whether it succeeded."""
        try:
            removed = await self._derived.sweep(
                partial(trio.from_thread.run, self._database.read, derived.wanted_files)
            )
            missing = await self._derived.missing(await self._database.read(derived.wanted_files))
            await self._writer.write(derived.remove_unused_presentations)
            scheduled = (
                await self._writer.write(partial(derived.regenerate, missing=missing)) if missing else 0
            )
        except (StoreError, OSError) as error:
            log.warning("unused derived files could not be removed; trying again later", reason=str(error))
            return False
        if scheduled:
            log.warning("derived files are missing; generating them again", jobs=scheduled)
            self._notify()
        if removed:
            log.info("removed unused derived files", files=removed)
        return True
