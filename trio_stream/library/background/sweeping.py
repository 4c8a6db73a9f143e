"""Sweeps away what was made and nothing refers to any more, and has made again what is referred to and not there.

That happens after a look at everything, and not too often. Nothing depends on it but the room on the disk, so whatever
goes wrong is said and tried again after the next look.
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
"""Seconds from one sweep to the next at least."""

log = structlog.get_logger("trio_stream.library")


class Sweeper:
    """Brings `derived` and `database` together, once all has been looked at, then every `interval` seconds."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        derived: Derived,
        progress: Progress,
        *,
        news: Callable[[], None] = lambda: None,
        interval: float = INTERVAL,
    ) -> None:
        self._database = database
        self._writer = writer
        self._news = news
        self._derived = derived
        self._progress = progress
        self._interval = interval

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Sweep after full looks, until cancelled."""
        task_status.started()
        due, seen = -inf, 0
        while True:
            while self._progress.full_looks <= seen:
                await self._progress.wait_after(self._progress.version)
            seen = self._progress.full_looks
            if trio.current_time() >= due and await self.sweep():
                due = trio.current_time() + self._interval

    async def sweep(self) -> bool:
        """Sweep now; returns whether that went well."""
        try:
            removed = await self._derived.sweep(
                partial(trio.from_thread.run, self._database.read, derived.wanted_files)
            )
            lacking = await self._derived.lacking(await self._database.read(derived.wanted_files))
            await self._writer.write(derived.forget_presentations)
            again = await self._writer.write(partial(derived.regenerate, lacking=lacking)) if lacking else 0
        except (StoreError, OSError) as error:
            log.warning("what is not needed any more could not be swept away", reason=str(error))
            return False
        if again:
            log.warning("files that were made are not there; making them again", things=again)
            self._news()
        if removed:
            log.info("swept away what is not needed any more", files=removed)
        return True
