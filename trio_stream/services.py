"""The composition root: everything that lives as long as the server, opened in order in one nursery, closed in reverse.

A service that runs in the background is watched: when it dies, the server goes on serving and says so (`readyz`).
"""

import resource
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import structlog
import trio

from trio_stream.library.catalog import Catalog
from trio_stream.settings import Settings
from trio_stream.streaming.disk import Disk
from trio_stream.streaming.maps import MapPool
from trio_stream.streaming.registry import Registry
from trio_stream.telemetry.process import Sampler

log = structlog.get_logger("trio_stream.services")


@dataclass(slots=True)
class Health:
    """Which background services died, by name, and of what."""

    dead: dict[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether all of them live."""
        return not self.dead


@dataclass(frozen=True, slots=True)
class Services:
    """What the edges work with."""

    settings: Settings
    catalog: Catalog
    maps: MapPool
    disk: Disk
    registry: Registry
    sampler: Sampler
    health: Health


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Open all services for the length of the block. Raises `SettingsError` when the videos cannot be read."""
    settings.check_videos()
    raise_file_limit()
    health = Health()
    with Disk(settings.disk_threads) as disk:
        services = Services(
            settings=settings,
            catalog=Catalog(settings.videos),
            maps=MapPool(),
            disk=disk,
            registry=Registry(settings.max_streams, disk),
            sampler=Sampler(),
            health=health,
        )
        async with trio.open_nursery() as nursery:
            await nursery.start(_watched, health, "sampler", services.sampler.run)
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


async def _watched(
    health: Health,
    name: str,
    run: Callable[..., Awaitable[None]],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    try:
        await run(task_status=task_status)
    except Exception as error:
        log.exception("a background service died", service=name)
        health.dead[name] = f"{type(error).__name__}: {error}"
