"""The composition root: everything that lives as long as the server, opened in order in one nursery, closed in reverse.

Background services are supervised: when one dies, the server continues to serve requests, and `/readyz` reports it
until the service has restarted.

If several processes share a data folder, one of them is the owner: it alone writes, scans and generates files. The
others serve requests, and one of them takes over when the owner has ended.
"""

import resource
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import structlog
import trio

from trio_stream.backoff import Backoff
from trio_stream.errors import NotTheOwner, TrioStreamError, first_error
from trio_stream.library.background.derived import Derived
from trio_stream.library.background.jobs import BackgroundJobs
from trio_stream.library.background.sweeping import Sweeper
from trio_stream.library.folder.catalog import Catalog
from trio_stream.library.folder.listing import Listing
from trio_stream.library.scan.progress import Progress
from trio_stream.library.scan.scanner import Scanner
from trio_stream.media.sandbox.sandbox import Sandbox
from trio_stream.ownership import Ownership, open_ownership
from trio_stream.playback.indexes import Indexes
from trio_stream.playback.manifests import Manifests
from trio_stream.playback.offers import Offers
from trio_stream.playback.presentations import Presentations
from trio_stream.playback.remuxed import Remuxer, SharedSegments
from trio_stream.playback.segment_cache import SegmentCache
from trio_stream.playback.subtitles import SubtitleCache
from trio_stream.playback.video_names import Names
from trio_stream.settings import SQLITE, Settings
from trio_stream.store.database import Database, migrate, open_database
from trio_stream.store.engines import sqlite_address
from trio_stream.store.writer import Writer
from trio_stream.streaming.disk import Disk
from trio_stream.streaming.maps import MapPool
from trio_stream.streaming.registry import Registry
from trio_stream.telemetry.history import Traffic
from trio_stream.telemetry.process import Sampler

DATABASE, DERIVED, SEGMENTS = "library.db", "derived", "segments"
"""The contents of the data folder, besides the owner's lock and socket."""

LISTENERS = 64
"""How many clients of one process may listen to events at once. Each is a connection and a few tasks that stay for
hours, and does not count as a stream. A household has one or two operators; other listeners are pages that were
left open, or strangers."""

log = structlog.get_logger("trio_stream.services")


@dataclass(slots=True)
class Health:
    """Which background services died and have not restarted, by name, and why."""

    dead: dict[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether all of them are running."""
        return not self.dead


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """The services that only the owner has."""

    writer: Writer
    scanner: Scanner
    jobs: BackgroundJobs
    sandbox: Sandbox
    progress: Progress
    segments: SegmentCache
    remuxer: Remuxer


@dataclass(slots=True)
class Owner:
    """Who owns the data: this process, while `housekeeping` is not None."""

    ownership: Ownership
    housekeeping: Housekeeping | None = None
    appointed: trio.Event = field(default_factory=trio.Event)

    @property
    def mine(self) -> bool:
        """Whether this process is the owner and its services are running."""
        return self.housekeeping is not None

    def writer(self) -> Writer | None:
        """The writer of the database, if this process is the owner."""
        return None if self.housekeeping is None else self.housekeeping.writer

    def remuxer(self) -> Remuxer | None:
        """The remuxer, which builds segments from files that are not MP4, if this process is the owner."""
        return None if self.housekeeping is None else self.housekeeping.remuxer

    def get(self) -> Housekeeping:
        """The services of the owner. Raises `NotTheOwner`."""
        if self.housekeeping is None:
            raise NotTheOwner
        return self.housekeeping


@dataclass(frozen=True, slots=True)
class Services:
    """The services that the routes use."""

    settings: Settings
    catalog: Catalog
    listing: Listing
    maps: MapPool
    disk: Disk
    registry: Registry
    sampler: Sampler
    listeners: trio.CapacityLimiter
    health: Health
    database: Database
    names: Names
    derived: Derived
    indexes: Indexes
    offers: Offers
    manifests: Manifests
    subtitles: SubtitleCache
    shared_segments: SharedSegments
    owner: Owner


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Open all services for the duration of the block.

    Raises `StoreError`, and `SettingsError` when the videos cannot be read or the data folder cannot be used.
    """
    settings.check_videos()
    raise_file_limit()
    with Disk(settings.disk_threads) as disk, open_ownership(settings.data) as ownership:
        # Before the database is opened: the owner migrates an older schema to the newest.
        await _migrate_or_wait_for_owner(ownership, settings)
        async with open_database(database_url(settings)) as database:
            registry = Registry(settings.max_streams, disk)
            catalog, names, indexes = Catalog(settings.videos), Names(database), Indexes()
            owner, derived = Owner(ownership), Derived(settings.data / DERIVED)
            presentations = Presentations(database, indexes, owner.writer, owner.remuxer)
            services = Services(
                settings=settings,
                catalog=catalog,
                listing=Listing(settings.videos),
                maps=MapPool(),
                disk=disk,
                registry=registry,
                sampler=Sampler(partial(_traffic, registry)),
                listeners=trio.CapacityLimiter(LISTENERS),
                health=Health(),
                database=database,
                names=names,
                derived=derived,
                indexes=indexes,
                offers=Offers(catalog, names, database, indexes, presentations),
                manifests=Manifests(),
                subtitles=SubtitleCache(database, derived),
                shared_segments=SharedSegments(settings.data / SEGMENTS),
                owner=owner,
            )
            async with trio.open_nursery() as nursery:
                await nursery.start(keep_running, services.health, "sampler", services.sampler.run)
                await nursery.start(keep_running, services.health, "indexes", indexes.serve)
                await nursery.start(keep_running, services.health, "presentations", presentations.serve)
                if ownership.mine:
                    await nursery.start(_run_as_owner, services)
                else:
                    # Not awaited: the other processes serve at once, and one of them may become the owner later.
                    nursery.start_soon(keep_running, services.health, "owner", partial(_take_over, services))
                # A yield within a nursery, which only an `asynccontextmanager` may have (PEP 789): the block is
                # cancelled if a task of the nursery fails. No service does, because `keep_running` restarts it.
                yield services
                nursery.cancel_scope.cancel()


def raise_file_limit() -> int:
    """Raise the limit of open files as far as allowed, and return it: each stream needs a socket."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):  # macOS reports unlimited and allows less
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def _traffic(registry: Registry) -> Traffic:
    now = registry.statistics()
    return Traffic(now.bytes_sent, now.active)


def database_url(settings: Settings) -> str:
    """The URL of the database."""
    if settings.database_url != SQLITE:
        return settings.database_url
    return sqlite_address(settings.data / DATABASE).render_as_string(hide_password=False)


async def _migrate_or_wait_for_owner(ownership: Ownership, settings: Settings) -> None:
    """Return once the database exists with the newest schema. Raises `DataInUse`, `StoreError`."""
    if await ownership.claim() or not await ownership.wait_for_owner():
        await migrate(database_url(settings))


async def _run_as_owner(
    services: Services, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Run the services of the owner until cancelled."""
    settings, database, health = services.settings, services.database, services.health
    root, progress = str(settings.videos), Progress()
    writer, sandbox = Writer(database), Sandbox()
    jobs = BackgroundJobs(
        root, database, writer, sandbox, services.derived, progress, share=settings.artwork_share
    )
    scanner = Scanner(root, database, writer, progress, notify=jobs.wake, interval=settings.scan_interval)
    sweeper = Sweeper(database, writer, services.derived, progress, notify=jobs.wake)
    segments = SegmentCache(settings.data / SEGMENTS, settings.segment_cache)
    done = trio.Event()
    # Two nurseries: the writer outlives all services that write, so changes that they submit while they end are
    # committed, too. When the server stops, both are cancelled at the same time; `_run_until` makes the writer wait.
    async with trio.open_nursery() as nursery:
        await nursery.start(_run_until, done, partial(keep_running, health, "writer", writer.run))
        try:
            async with trio.open_nursery() as writing:
                for name, run in {
                    "sandbox": sandbox.serve,
                    "segments": segments.serve,
                    "scanner": scanner.run,
                    "background jobs": jobs.run,
                    "sweeper": sweeper.run,
                }.items():
                    await writing.start(keep_running, health, name, run)
                services.owner.housekeeping = Housekeeping(
                    writer, scanner, jobs, sandbox, progress, segments, Remuxer(sandbox, segments)
                )
                services.owner.appointed.set()
                task_status.started()
        finally:
            services.owner.housekeeping = None  # no request gets services that have ended
            done.set()


async def _run_until(
    done: trio.Event,
    run: Callable[..., Awaitable[None]],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run `run`. Once it has started, protect it from cancellation until `done` is set."""
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            await nursery.start(run)  # can be cancelled while it starts: there is nothing to protect yet
            task_status.started()
            # If this is cancelled by now, the caller's `start` raises, and the caller never sets `done`.
            await trio.lowlevel.checkpoint_if_cancelled()
            # From here on no outer cancellation reaches the wait or `run`. There is no checkpoint between the check
            # above and the shield, so none can slip through. Only `done` ends it.
            scope.shield = True
            await done.wait()
            nursery.cancel_scope.cancel()


async def _take_over(
    services: Services, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Become the owner once the current one has ended."""
    await services.owner.ownership.wait()
    log.info("this process takes over: the owner of the data has ended")
    await migrate(database_url(services.settings))
    await _run_as_owner(services, task_status=task_status)


async def keep_running(
    health: Health,
    name: str,
    run: Callable[..., Awaitable[None]],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run a service until cancelled. When it dies, restart it after a pause, which grows while it keeps dying.

    If it dies during its first start, its exception is raised to the caller of `nursery.start`.
    """
    backoff = Backoff()
    while True:
        since = trio.current_time()
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(run)
                health.dead.pop(name, None)
                task_status.started()
                # Reported once: after a restart no task waits for it.
                task_status = trio.TASK_STATUS_IGNORED
        except Exception as error:
            if task_status is not trio.TASK_STATUS_IGNORED:
                raise
            pause = backoff.after(trio.current_time() - since)
            # An error that comes out of a nursery is always in a group, even a single one.
            cause = first_error(error) if isinstance(error, ExceptionGroup) else error
            health.dead[name] = f"{type(cause).__name__}: {cause}"
            log.error(
                "a background service died",
                service=name,
                again_in=pause,
                reason=health.dead[name],
                exc_info=not isinstance(cause, TrioStreamError),  # those are not bugs
            )
        else:
            return
        await trio.sleep(pause)
