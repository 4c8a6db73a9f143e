"""Makes what is to be made of the videos: facts, then subtitles, then pictures, in the background and one by one.

Nobody waits for any of it. A chore ends in a row that says what was made or why nothing was; what failed for a reason
of this server's is tried again at the next round. The files are read in the sandbox, never here.
"""

import math
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import fields
from functools import partial
from typing import Any

import structlog
import trio

from trio_stream.errors import (
    TROUBLE_OF_ALL,
    MediaUnreadable,
    MediaWorkerFailed,
    SourceUnreadable,
    StoreError,
    TooManyFiles,
    VideoNotFound,
    first_error,
)
from trio_stream.library.background.derived import Derived
from trio_stream.library.folder.catalog import open_file
from trio_stream.library.folder.content import Identity, bytes_of
from trio_stream.library.records import chores, subtitles
from trio_stream.library.records.chores import Chore, SubtitleChore
from trio_stream.library.scan.progress import Progress
from trio_stream.media.formats.facts import Facts
from trio_stream.media.formats.tiles import Grid
from trio_stream.media.sandbox.outcomes import Done
from trio_stream.media.sandbox.sandbox import Sandbox
from trio_stream.store.database import Database
from trio_stream.store.writer import Writer

PROBES = 2
"""Probes at once."""

BATCH = 32
"""Chores that are fetched at once."""

PROBE_DEADLINE, TEXT_DEADLINE, PICTURE_DEADLINE = 60.0, 600.0, 1800.0
"""Seconds a job may take."""

PICTURE_TIME = 1500.0
"""Seconds after which a job that makes pictures comes to an end with those it has."""

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


class Stale(Exception):
    """A file changed while it was looked into: whatever came of that is of neither content."""


class Keeper:
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
        self._root = os.path.realpath(root)
        self._database = database
        self._writer = writer
        self._sandbox = sandbox
        self._derived = derived
        self._progress = progress
        self._limiter = trio.CapacityLimiter(PROBES + 2)
        cores = share * (os.cpu_count() or 1)
        self._artists = math.ceil(cores)
        self._share = cores / self._artists if self._artists else 0.0
        self._news = trio.Event()
        self._uncounted = trio.Event()
        self._resting: set[object] = set()
        self._later: dict[object, float] = {}
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
        """Look into every content nobody has looked into; answers whether none has to be tried again later."""
        return await self._do_all(chores.to_probe, self._probe, PROBES)

    async def extract_all(self) -> bool:
        """Extract the tracks of text of every content that has some; answers as `probe_all`."""
        return await self._do_all(chores.to_extract, self._extract, 1)

    async def draw_all(self) -> bool:
        """Make the pictures of every content that has none; answers as `probe_all`."""
        return not self._artists or await self._do_all(chores.to_draw, self._draw, self._artists)

    async def convert_all(self) -> bool:
        """Convert every file of subtitles; answers as `probe_all`."""
        whole, after = True, 0
        while found := await self._database.read(partial(chores.to_convert, after=after, most=BATCH)):
            for chore in found:
                whole &= await self._attempt(self._convert, chore, chore.name) is not FAILED
            after = found[-1].number
        return whole

    async def _do_all(
        self, todo: Callable[..., list[Chore]], do: Callable[[Chore], Awaitable[bool]], at_once: int
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
        """Do one chore; answers how it ended. What failed is not tried again before its time."""
        if trio.current_time() < self._later.get(chore, -math.inf):
            return FAILED
        try:
            return DONE if await do(chore) else STALE
        except Stale:
            return STALE
        except (MediaWorkerFailed, SourceUnreadable, TooManyFiles, OSError) as error:
            log.warning("a video could not be looked into; trying again", name=name, reason=str(error))
            self._put_off(chore)
            return FAILED
        except TROUBLE_OF_ALL:
            raise
        except Exception:
            log.exception("something is wrong with what was to be made of a video", name=name)
            self._put_off(chore)
            return FAILED

    def _put_off(self, chore: object) -> None:
        if len(self._later) >= MOST_LATER:
            self._later.clear()
        self._later[chore] = trio.current_time() + RETRY

    async def _probe(self, chore: Chore) -> bool:
        async with self._file(chore.name, chore.signature) as fd:
            if fd is None:
                return False
            if not os.fstat(fd).st_size:  # nobody has to look into it, and there may be thousands
                await self._keep_unreadable(chore, "the file is empty")
                return True
            if await self._writer.write(partial(chores.begin_probe, revisions=[chore.revision])):
                return True
            try:
                done = await self._run("probe", fd, chore.signature, deadline=PROBE_DEADLINE)
                facts = Facts.from_json(done.result)
            except (MediaUnreadable, ValueError) as error:
                await self._keep_unreadable(chore, str(error))
                return True
            except BaseException:
                with trio.CancelScope(shield=True), suppress(StoreError):
                    await self._writer.write(partial(chores.forgive_probe, revision=chore.revision))
                raise
        await self._writer.write(partial(chores.keep_facts, revision=chore.revision, facts=facts))
        return True

    async def _keep_unreadable(self, chore: Chore, reason: str) -> None:
        log.info("a video cannot be read", name=chore.name, reason=reason)
        await self._writer.write(partial(chores.keep_unreadable, revision=chore.revision, reason=reason))

    async def _draw(self, chore: Chore) -> bool:
        options = {
            "share": self._share,
            "seconds": PICTURE_TIME,
            "duration": chore.facts.duration if chore.facts else None,
        }
        keep = partial(chores.keep_pictures, revision=chore.revision)
        async with self._file(chore.name, chore.signature) as fd:
            if fd is None:
                return False
            try:
                done = await self._run("pictures", fd, chore.signature, options, deadline=PICTURE_DEADLINE)
                made = await self._keep_pictures(done)
            except (MediaUnreadable, ValueError, KeyError, TypeError) as error:
                log.info("no picture could be made of a video", name=chore.name, reason=str(error))
                await self._writer.write(partial(keep, state="failed", reason=str(error)))
                return True
        await self._writer.write(partial(keep, **made))
        return True

    async def _keep_pictures(self, done: Done) -> dict[str, Any]:
        """Keep the files that were made; answers what there is to write down. Raises `ValueError`, `KeyError`."""
        poster = sprites = None
        if (picture := done.blobs.get("poster.jpg")) is not None:
            poster = await self._derived.put(picture, "jpg")
        tiles = done.result["tiles"]
        if tiles is not None:
            files = [
                await self._derived.put(done.blobs[f"sheet-{number}.jpg"], "jpg")
                for number in range(int(tiles["sheets"]))
            ]
            grid = {each.name: int(tiles[each.name]) for each in fields(Grid)}
            sprites = grid | {"files": files}
        return {
            "state": "made" if poster or sprites else "none",
            "reason": done.result["reason"],
            "poster": poster,
            "blurhash": done.result["blurhash"],
            "sprites": sprites,
        }

    async def _extract(self, chore: Chore) -> bool:
        keep = partial(subtitles.keep_texts, revision=chore.revision)
        async with self._file(chore.name, chore.signature) as fd:
            if fd is None:
                return False
            try:
                done = await self._run("texts", fd, chore.signature, deadline=TEXT_DEADLINE)
                made = {
                    track.index: (
                        await self._derived.put(vtt, "vtt"),
                        await self._put_ass(done, f"{track.index}.ass"),
                    )
                    for track in (chore.facts.subtitles if chore.facts else ())
                    if (vtt := done.blobs.get(f"{track.index}.vtt")) is not None
                }
            except (MediaUnreadable, ValueError) as error:
                log.info("the subtitles of a video cannot be read", name=chore.name, reason=str(error))
                await self._writer.write(partial(keep, made={}, otherwise=str(error)))
                return True
        await self._writer.write(partial(keep, made=made, otherwise="nothing is written in it"))
        return True

    async def _convert(self, chore: SubtitleChore) -> bool:
        keep = partial(subtitles.keep_subtitle, number=chore.number)
        options = {"suffix": f".{chore.codec}", "language": chore.language}
        async with self._file(chore.name, chore.signature) as fd:
            if fd is None:
                return False
            try:
                done = await self._run("subtitle", fd, chore.signature, options, deadline=TEXT_DEADLINE)
                vtt = await self._derived.put(done.blobs["subtitle.vtt"], "vtt")
                original = await self._put_ass(done, "subtitle.ass")
            except (MediaUnreadable, ValueError, KeyError) as error:
                log.info("a file of subtitles cannot be read", name=chore.name, reason=str(error))
                await self._writer.write(partial(keep, vtt=None, original=None, reason=str(error)))
                return True
        await self._writer.write(partial(keep, vtt=vtt, original=original))
        return True

    async def _run(
        self,
        job: str,
        fd: int,
        signature: str,
        options: Mapping[str, Any] | None = None,
        *,
        deadline: float,
    ) -> Done:
        """What a job on a file in the state `signature` answers. Raises as `Sandbox.run` does, and `Stale`."""
        try:
            done = await self._sandbox.run(job, fd, options, deadline=deadline)
        except MediaUnreadable as error:
            if not _has_the_bytes(fd, signature):
                raise Stale from error
            raise
        if not _has_the_bytes(fd, signature):
            raise Stale
        return done

    async def _put_ass(self, done: Done, name: str) -> str | None:
        data = done.blobs.get(name)
        return None if data is None else await self._derived.put(data, "ass")

    @asynccontextmanager
    async def _file(self, name: str, signature: str) -> AsyncIterator[int | None]:
        """A descriptor of the file, None if it is not what it was when it was scanned: the scanner will notice."""
        try:
            fd = await trio.to_thread.run_sync(open_file, self._root, name, limiter=self._limiter)
        except VideoNotFound:
            yield None
            return
        try:
            yield fd if Identity.of(os.fstat(fd)).signature == signature else None
        finally:
            os.close(fd)

    async def _count(self) -> None:
        """Count what is left whenever that may have changed, but spend only a small part of the time on it."""
        while True:
            await self._uncounted.wait()
            self._uncounted = trio.Event()
            began = trio.current_time()
            try:
                keeping = await self._database.read(chores.count)
            except StoreError:  # whoever does a chore learns of it
                self._uncounted.set()
                await trio.sleep(SOON)
                continue
            keeping.working = len(self._resting) < len(self._kinds) or self._uncounted.is_set()
            self._progress.keeping = keeping
            self._progress.changed()
            await trio.sleep(COUNTING * (trio.current_time() - began))


def _has_the_bytes(fd: int, signature: str) -> bool:
    """Whether the file has the bytes it had in that state; its name does not matter."""
    return Identity.of(os.fstat(fd)).bytes == bytes_of(signature)
