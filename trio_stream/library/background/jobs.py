"""Has made what is to be made of the videos: facts, then subtitles, then pictures, in the background and one by one.

Nobody waits for any of it. What failed for a reason of this server's is tried again at the next round. How each thing
is made is in `making`.
"""

import math
import os
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
import trio

from trio_stream.caching import BoundedCache
from trio_stream.errors import (
    TROUBLE_OF_ALL,
    MediaWorkerFailed,
    SourceUnreadable,
    StoreError,
    TooManyFiles,
    first_error,
)
from trio_stream.library.background.derived import Derived
from trio_stream.library.background.job_runner import JobRunner, Stale
from trio_stream.library.records import jobs
from trio_stream.library.records.jobs import Job
from trio_stream.library.scan.progress import Progress
from trio_stream.media.sandbox.sandbox import Sandbox
from trio_stream.store.database import Database
from trio_stream.store.writer import Writer

PROBES = 2
"""Probes at once."""

BATCH = 32
"""Chores that are fetched at once."""

DONE, STALE, FAILED = "done", "stale", "failed"
"""How a chore ended: written down, its file is not what it was, or it has to be tried again."""

COUNTING = 20
"""After a count, the pause before the next one is this many times as long: a count takes longer in a larger library."""

SOON = 0.5
"""Seconds between news and the look for what is to be done: a scan has news for each folder it comes through."""

RETRY = 60.0
"""Seconds after which what failed through no fault of the file is tried again."""

MOST_LATER = 1000
"""Chores whose failures are remembered."""

log = structlog.get_logger("trio_stream.library")


class BackgroundJobs:
    """Does the chores of the library in `root`. `share` of the machine (0 to 1) is what pictures may cost; 0: none."""

    def __init__(
        self,
        root: str,
        database: Database,
        writer: Writer,
        sandbox: Sandbox,
        derived: Derived,
        progress: Progress,
        *,
        share: float,
    ) -> None:
        self._database = database
        self._progress = progress
        # As many at once as it takes to use that share, each pausing as much as it has to.
        cores = share * (os.cpu_count() or 1)
        self._artists = math.ceil(cores)
        self._maker = JobRunner(
            root,
            writer,
            sandbox,
            derived,
            share=cores / self._artists if self._artists else 0.0,
            threads=PROBES + 2,
        )
        self._news = trio.Event()
        self._uncounted = trio.Event()
        self._resting: set[object] = set()
        self._later: BoundedCache[object, bool] = BoundedCache(
            MOST_LATER, _one, lifetime=RETRY, clock=trio.current_time
        )
        progress.keeping.working = True

    def wake(self) -> None:
        """Say that there may be something to do."""
        self._resting.clear()
        self._progress.keeping.working = True
        self._news.set()
        self._news = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Do what there is to do, now and whenever there may be more."""
        async with trio.open_nursery() as nursery:
            for do_all in self._kinds:
                nursery.start_soon(self._go_on, do_all)
            nursery.start_soon(self._count)
            task_status.started()

    @property
    def _kinds(self) -> tuple[Callable[[], Awaitable[bool]], ...]:
        # Side by side: pictures of a large library take days, and nothing else is to wait for them.
        return (self.probe_all, self.convert_all, self.extract_all, self.draw_all)

    async def _go_on(self, do_all: Callable[[], Awaitable[bool]]) -> None:
        while True:
            news = self._news
            whole = False
            try:
                whole = await do_all()
            except* StoreError as group:  # of those who do it side by side
                log.error("the library's chores stopped for a while", reason=str(first_error(group)))
            if news is self._news:
                self._resting.add(do_all)
            self._uncounted.set()
            with trio.move_on_after(math.inf if whole else RETRY):
                await news.wait()
            await trio.sleep(SOON)

    async def probe_all(self) -> bool:
        """Look into every content nobody has looked into; returns whether none has to be tried again later."""
        return await self._do_all(jobs.to_probe, self._maker.probe, PROBES)

    async def extract_all(self) -> bool:
        """Extract the tracks of text of every content that has some; returns as `probe_all`."""
        return await self._do_all(jobs.to_extract, self._maker.extract, 1)

    async def draw_all(self) -> bool:
        """Make the pictures of every content that has none; returns as `probe_all`."""
        return not self._artists or await self._do_all(jobs.to_draw, self._maker.draw, self._artists)

    async def convert_all(self) -> bool:
        """Convert every file of subtitles; returns as `probe_all`."""
        whole, after = True, 0
        while found := await self._database.read(partial(jobs.to_convert, after=after, most=BATCH)):
            for chore in found:
                whole &= await self._attempt(self._maker.convert, chore, chore.name) is not FAILED
            after = found[-1].number
        return whole

    async def _do_all(
        self, todo: Callable[..., list[Job]], do: Callable[[Job], Awaitable[bool]], at_once: int
    ) -> bool:
        whole, after = True, ""
        ends: set[str] = set()
        while found := await self._database.read(partial(todo, after=after, most=BATCH)):
            waiting = iter(found)

            async def work() -> None:
                for chore in waiting:  # noqa: B023 - those who work share what waits
                    ends.add(await self._attempt(do, chore, chore.name))

            async with trio.open_nursery() as nursery:
                for _ in range(at_once):
                    nursery.start_soon(work)
            after = found[-1].revision
            self._uncounted.set()
            if DONE in ends:
                self.wake()  # what was made may be what another chore begins with
            whole &= FAILED not in ends
            ends.clear()
        return whole

    async def _attempt[C](self, do: Callable[[C], Awaitable[bool]], chore: C, name: str) -> str:
        """Do one chore; returns how it ended. What failed is not tried again before its time."""
        if self._later.get(chore):
            return FAILED
        try:
            return DONE if await do(chore) else STALE
        except Stale:
            return STALE
        except (MediaWorkerFailed, SourceUnreadable, TooManyFiles, OSError) as error:
            log.warning("a video could not be looked into; trying again", name=name, reason=str(error))
            self._later.put(chore, True)
            return FAILED
        except TROUBLE_OF_ALL:
            raise
        except Exception:
            log.exception("something is wrong with what was to be made of a video", name=name)
            self._later.put(chore, True)
            return FAILED

    async def _count(self) -> None:
        """Count what is left whenever that may have changed, but spend only a small part of the time on it."""
        while True:
            await self._uncounted.wait()
            self._uncounted = trio.Event()
            began = trio.current_time()
            try:
                keeping = await self._database.read(jobs.count)
            except StoreError:  # whoever does a chore learns of it
                self._uncounted.set()
                await trio.sleep(SOON)
                continue
            keeping.working = len(self._resting) < len(self._kinds) or self._uncounted.is_set()
            self._progress.keeping = keeping
            self._progress.changed()
            await trio.sleep(COUNTING * (trio.current_time() - began))


def _one(_: object, __: bool) -> int:
    return 1  # the rows they were made of are bounded where they are written
