"""Schedules the background jobs: media info, then subtitles, then artwork, one by one.

No client waits for them. A job that failed because of the server is tried again later. `job_runner` runs each job.
"""

import math
import os
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
import trio

from trio_stream.caching import BoundedCache
from trio_stream.errors import (
    SHARED_FAILURES,
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

MAX_PROBES = 2
"""Probes that run at once."""

BATCH = 32
"""Jobs that are fetched at once."""

DONE, STALE, FAILED = "done", "stale", "failed"
"""How a job ended: its outcome is recorded, its file has changed, or it must be tried again."""

COUNT_PAUSE_FACTOR = 20
"""The pause after a count is this many times as long as the count, which takes longer in a larger library."""

WAKE_DELAY = 0.5
"""Seconds from a notification to the next round of jobs. A scan notifies once per folder."""

RETRY = 60.0
"""Seconds after which a job is tried again if it failed through no fault of its file."""

MAX_POSTPONED = 1000
"""Failed jobs that are remembered."""

log = structlog.get_logger("trio_stream.library")


class BackgroundJobs:
    """Runs the jobs of the library in `root`. Artwork may use `share` of the machine (0 to 1); 0 disables it."""

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
        # Just enough workers to use that share. Each one pauses to stay within its part.
        cores = share * (os.cpu_count() or 1)
        self._artwork_workers = math.ceil(cores)
        self._runner = JobRunner(
            root,
            writer,
            sandbox,
            derived,
            share=cores / self._artwork_workers if self._artwork_workers else 0.0,
            threads=MAX_PROBES + 2,
        )
        self._wake_up = trio.Event()
        self._uncounted = trio.Event()
        self._idle: set[object] = set()
        self._postponed: BoundedCache[object, bool] = BoundedCache(
            MAX_POSTPONED, _weight, lifetime=RETRY, clock=trio.current_time
        )
        progress.pending_jobs.working = True

    def wake(self) -> None:
        """Report that there may be jobs to run."""
        self._idle.clear()
        self._progress.pending_jobs.working = True
        self._wake_up.set()
        self._wake_up = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the pending jobs, now and after each `wake`."""
        async with trio.open_nursery() as nursery:
            for run_all in self._job_kinds:
                nursery.start_soon(self._repeat, run_all)
            nursery.start_soon(self._count)
            task_status.started()

    @property
    def _job_kinds(self) -> tuple[Callable[[], Awaitable[bool]], ...]:
        # In parallel: the artwork of a large library takes days, and the other jobs must not wait for it.
        return (self.probe_all, self.convert_all, self.extract_all, self.generate_all_artwork)

    async def _repeat(self, run_all: Callable[[], Awaitable[bool]]) -> None:
        while True:
            wake_up = self._wake_up
            all_done = False
            try:
                all_done = await run_all()
            except* StoreError as group:  # from parallel workers
                log.error("the background jobs stopped; trying again later", reason=str(first_error(group)))
            if wake_up is self._wake_up:
                self._idle.add(run_all)
            self._uncounted.set()
            with trio.move_on_after(math.inf if all_done else RETRY):
                await wake_up.wait()
            await trio.sleep(WAKE_DELAY)

    async def probe_all(self) -> bool:
        """Probe every content that has not been probed; returns whether none must be tried again later."""
        return await self._run_all(jobs.to_probe, self._runner.probe, MAX_PROBES)

    async def extract_all(self) -> bool:
        """Extract the text tracks of every content that has some; returns the same as `probe_all`."""
        return await self._run_all(jobs.to_extract, self._runner.extract, 1)

    async def generate_all_artwork(self) -> bool:
        """Generate the artwork of every content that has none; returns the same as `probe_all`."""
        return not self._artwork_workers or await self._run_all(
            jobs.to_draw, self._runner.generate_artwork, self._artwork_workers
        )

    async def convert_all(self) -> bool:
        """Convert every subtitle file; returns the same as `probe_all`."""
        all_done, after = True, 0
        while batch := await self._database.read(partial(jobs.to_convert, after=after, limit=BATCH)):
            for job in batch:
                all_done &= await self._attempt(self._runner.convert, job, job.name) is not FAILED
            after = batch[-1].number
        return all_done

    async def _run_all(
        self, fetch: Callable[..., list[Job]], run_job: Callable[[Job], Awaitable[bool]], at_once: int
    ) -> bool:
        all_done, after = True, ""
        outcomes: set[str] = set()
        while batch := await self._database.read(partial(fetch, after=after, limit=BATCH)):
            waiting = iter(batch)

            async def work() -> None:
                for job in waiting:  # noqa: B023 - the workers share one iterator
                    outcomes.add(await self._attempt(run_job, job, job.name))

            async with trio.open_nursery() as nursery:
                for _ in range(at_once):
                    nursery.start_soon(work)
            after = batch[-1].revision
            self._uncounted.set()
            if DONE in outcomes:
                self.wake()  # the result may be what another job needs
            all_done &= FAILED not in outcomes
            outcomes.clear()
        return all_done

    async def _attempt[C](self, run_job: Callable[[C], Awaitable[bool]], job: C, name: str) -> str:
        """Run one job; returns how it ended. A job that failed is not tried again until `RETRY` seconds later."""
        if self._postponed.get(job):
            return FAILED
        try:
            return DONE if await run_job(job) else STALE
        except Stale:
            return STALE
        except (MediaWorkerFailed, SourceUnreadable, TooManyFiles, OSError) as error:
            log.warning("a background job failed; trying again later", name=name, reason=str(error))
            self._postponed.put(job, True)
            return FAILED
        except SHARED_FAILURES:
            raise
        except Exception:
            log.exception("a background job failed unexpectedly; trying again later", name=name)
            self._postponed.put(job, True)
            return FAILED

    async def _count(self) -> None:
        """Count the pending jobs whenever their number may have changed, but spend only little time on it."""
        while True:
            await self._uncounted.wait()
            self._uncounted = trio.Event()
            began = trio.current_time()
            try:
                pending = await self._database.read(jobs.count)
            except StoreError:  # the tasks that run the jobs log it
                self._uncounted.set()
                await trio.sleep(WAKE_DELAY)
                continue
            pending.working = len(self._idle) < len(self._job_kinds) or self._uncounted.is_set()
            self._progress.pending_jobs = pending
            self._progress.changed()
            await trio.sleep(COUNT_PAUSE_FACTOR * (trio.current_time() - began))


def _weight(_: object, __: bool) -> int:
    return 1  # entries are counted: each is small, because the size of a row is limited when it is written
