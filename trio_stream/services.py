"""The composition root: everything that lives as long as the server, opened in order in one nursery, closed in reverse.

A service that runs in the background is watched: when it dies, the server goes on serving and says so (`readyz`) until
the service has begun again.

Of several processes with one data folder one is the owner: it alone writes, scans and makes. The others serve, and one
of them takes over when the owner has gone.
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
"""What there is in the data folder, beside the owner's lock and socket."""

LISTENERS = 64
"""Who may listen to events at once, in one process: each is a connection and a few tasks that stay for hours, and takes
no place of a stream. A house has one or two operators; the others are pages that were left open, or strangers."""

log = structlog.get_logger("trio_stream.services")


@dataclass(slots=True)
class Health:
    """Which background services died and have not begun again, by name, and of what."""

    dead: dict[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether all of them live."""
        return not self.dead


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """What the owner works with."""

    writer: Writer
    scanner: Scanner
    keeper: BackgroundJobs
    sandbox: Sandbox
    progress: Progress
    segments: SegmentCache
    remuxer: Remuxer


@dataclass(slots=True)
class Owner:
    """Who owns the data: this process, while `housekeeping` is there."""

    ownership: Ownership
    housekeeping: Housekeeping | None = None
    appointed: trio.Event = field(default_factory=trio.Event)

    @property
    def mine(self) -> bool:
        """Whether this process is the owner, and works as one."""
        return self.housekeeping is not None

    def writer(self) -> Writer | None:
        """What changes the database, if this process is the owner."""
        return None if self.housekeeping is None else self.housekeeping.writer

    def remuxer(self) -> Remuxer | None:
        """What makes segments of what is no MP4, if this process is the owner."""
        return None if self.housekeeping is None else self.housekeeping.remuxer

    def get(self) -> Housekeeping:
        """What the owner works with. Raises `NotTheOwner`."""
        if self.housekeeping is None:
            raise NotTheOwner
        return self.housekeeping


@dataclass(frozen=True, slots=True)
class Services:
    """What the edges work with."""

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
    texts: SubtitleCache
    made: SharedSegments
    owner: Owner


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Open all services for the length of the block.

    Raises `SettingsError` when the videos cannot be read or the data not be used, `StoreError`.
    """
    settings.check_videos()
    raise_file_limit()
    with Disk(settings.disk_threads) as disk, open_ownership(settings.data) as ownership:
        # Before the database is opened: where it has an older form, whoever owns it brings it to the newest.
        await _be_or_wait_for_the_owner(ownership, settings)
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
                texts=SubtitleCache(database, derived),
                made=SharedSegments(settings.data / SEGMENTS),
                owner=owner,
            )
            async with trio.open_nursery() as nursery:
                await nursery.start(watched, services.health, "sampler", services.sampler.run)
                await nursery.start(watched, services.health, "indexes", indexes.serve)
                await nursery.start(watched, services.health, "presentations", presentations.serve)
                if ownership.mine:
                    await nursery.start(_keep_house, services)
                else:
                    # Not waited for: the others serve at once, and one of them becomes the owner some day.
                    nursery.start_soon(watched, services.health, "owner", partial(_take_over, services))
                # Within a nursery, which only an `asynccontextmanager` may (PEP 789): the block is cancelled where
                # something below it fails. No service does that, as `watched` begins it again.
                yield services
                nursery.cancel_scope.cancel()


def raise_file_limit() -> int:
    """Let this process open as many files as it may, and answer how many: a stream is a socket."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):  # macOS says unlimited and means something less
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def _traffic(registry: Registry) -> Traffic:
    now = registry.statistics()
    return Traffic(now.bytes_sent, now.active)


def database_url(settings: Settings) -> str:
    """Where the database is."""
    if settings.database_url != SQLITE:
        return settings.database_url
    return sqlite_address(settings.data / DATABASE).render_as_string(hide_password=False)


async def _be_or_wait_for_the_owner(ownership: Ownership, settings: Settings) -> None:
    """Return once the database is there in its newest form. Raises `DataInUse`, `StoreError`."""
    if await ownership.settle() or not await ownership.wait_for_owner():
        await migrate(database_url(settings))


async def _keep_house(
    services: Services, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Work as the owner until cancelled."""
    settings, database, health = services.settings, services.database, services.health
    root, progress = str(settings.videos), Progress()
    writer, sandbox = Writer(database), Sandbox()
    keeper = BackgroundJobs(
        root, database, writer, sandbox, services.derived, progress, share=settings.artwork_share
    )
    scanner = Scanner(root, database, writer, progress, notify=keeper.wake, interval=settings.scan_interval)
    sweeper = Sweeper(database, writer, services.derived, progress, notify=keeper.wake)
    segments = SegmentCache(settings.data / SEGMENTS, settings.segment_cache)
    over = trio.Event()
    # Two nurseries: the writer outlives all who write, so what they hand in while they end is committed, too. Both
    # are cancelled in the same moment when the server stops; `_until` is what puts the one behind the other.
    async with trio.open_nursery() as nursery:
        await nursery.start(_until, over, partial(watched, health, "writer", writer.run))
        try:
            async with trio.open_nursery() as writing:
                for name, run in {
                    "sandbox": sandbox.serve,
                    "segments": segments.serve,
                    "scanner": scanner.run,
                    "keeper": keeper.run,
                    "sweeper": sweeper.run,
                }.items():
                    await writing.start(watched, health, name, run)
                services.owner.housekeeping = Housekeeping(
                    writer, scanner, keeper, sandbox, progress, segments, Remuxer(sandbox, segments)
                )
                services.owner.appointed.set()
                task_status.started()
        finally:
            services.owner.housekeeping = None  # nobody is handed what has ended
            over.set()


async def _until(
    over: trio.Event,
    run: Callable[..., Awaitable[None]],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Let `run` go on when all is cancelled, once it has started, until those who need it have ended."""
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            await nursery.start(run)  # cancelled as ever while it starts: there is nothing to protect yet
            task_status.started()
            # Cancelled by now? Then whoever starts this raises and never comes to where `over` is set.
            await trio.lowlevel.checkpoint_if_cancelled()
            # From here on no cancellation from outside comes in, neither for the wait nor for `run`; no checkpoint
            # lies between the last look and this, so none can slip through. `over` is all that ends it.
            scope.shield = True
            await over.wait()
            nursery.cancel_scope.cancel()


async def _take_over(
    services: Services, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Become the owner when there is none any more."""
    await services.owner.ownership.wait()
    log.info("this process takes over: the owner of the data has gone")
    await migrate(database_url(services.settings))
    await _keep_house(services, task_status=task_status)


async def watched(
    health: Health,
    name: str,
    run: Callable[..., Awaitable[None]],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Let a service run until cancelled. When it dies it begins again, after a pause that grows while it keeps dying.

    Whoever waits for it to begin the first time is raised what it raises.
    """
    backoff = Backoff()
    while True:
        since = trio.current_time()
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(run)
                health.dead.pop(name, None)
                task_status.started()
                # Said once: from the second life on nobody waits for it.
                task_status = trio.TASK_STATUS_IGNORED
        except Exception as error:
            if task_status is not trio.TASK_STATUS_IGNORED:
                raise
            pause = backoff.after(trio.current_time() - since)
            # What died in a nursery comes as a group, however alone it was.
            cause = first_error(error) if isinstance(error, ExceptionGroup) else error
            health.dead[name] = f"{type(cause).__name__}: {cause}"
            log.error(
                "a background service died",
                service=name,
                again_in=pause,
                reason=health.dead[name],
                exc_info=not isinstance(cause, TrioStreamError),  # those are no faults of the code
            )
        else:
            return
        await trio.sleep(pause)
