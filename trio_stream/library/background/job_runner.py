"""What is made of a video, one thing at a time: a job of the sandbox, and a row that says what came of it.

Invariant: whatever is the fault of the file is written down with the reason, and not tried again until the file is
another one. Whatever is not is raised. No file is read here, only in the sandbox.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import fields
from functools import partial
from typing import Any

import structlog
import trio

from trio_stream.errors import MediaUnreadable, StoreError, VideoNotFound
from trio_stream.library.background.derived import Derived
from trio_stream.library.folder.catalog import open_file
from trio_stream.library.folder.content import Identity, bytes_of
from trio_stream.library.records import jobs, subtitles
from trio_stream.library.records.jobs import Job, SubtitleJob
from trio_stream.media.formats.media_info import MediaInfo
from trio_stream.media.formats.trickplay import Grid
from trio_stream.media.sandbox.outcomes import Done
from trio_stream.media.sandbox.sandbox import Sandbox
from trio_stream.store.writer import Writer

PROBE_DEADLINE, TEXT_DEADLINE, PICTURE_DEADLINE = 60.0, 600.0, 1800.0
"""Seconds a job may take."""

PICTURE_TIME = 1500.0
"""Seconds after which a job that makes pictures comes to an end with those it has."""

log = structlog.get_logger("trio_stream.library")


class Stale(Exception):
    """A file changed while it was looked into: whatever came of that is of neither content."""


class JobRunner:
    """Makes things of the files below `root`, each with at most `share` of a processor (0 to 1) where it draws.

    Each method returns whether something was written down: not if the file is not what it was when it was scanned,
    which the scanner will notice. They raise `Stale`, `StoreError`, `OSError`, and what `Sandbox.run` raises but for
    `MediaUnreadable`.
    """

    def __init__(
        self, root: str, writer: Writer, sandbox: Sandbox, derived: Derived, *, share: float, threads: int
    ) -> None:
        self._root = os.path.realpath(root)
        self._writer = writer
        self._sandbox = sandbox
        self._derived = derived
        self._share = share
        self._limiter = trio.CapacityLimiter(threads)

    async def probe(self, chore: Job) -> bool:
        """Look into a content: what is in it."""
        async with self._file(chore.name, chore.signature) as fd:
            if fd is None:
                return False
            if not os.fstat(fd).st_size:  # nobody has to look into it, and there may be thousands
                await self._keep_unreadable(chore, "the file is empty")
                return True
            # Counted before it is tried: a file that ends the server with it is given up after some starts.
            if await self._writer.write(partial(jobs.begin_probe, revisions=[chore.revision])):
                return True
            try:
                done = await self._run("probe", fd, chore.signature, deadline=PROBE_DEADLINE)
                facts = MediaInfo.from_json(done.result)
            except (MediaUnreadable, ValueError) as error:
                await self._keep_unreadable(chore, str(error))
                return True
            except BaseException:
                # No fault of the file, as when the server stops: the attempt does not count.
                with trio.CancelScope(shield=True), suppress(StoreError):
                    await self._writer.write(partial(jobs.forgive_probe, revision=chore.revision))
                raise
        await self._writer.write(partial(jobs.store_media_info, revision=chore.revision, facts=facts))
        return True

    async def _keep_unreadable(self, chore: Job, reason: str) -> None:
        log.info("a video cannot be read", name=chore.name, reason=reason)
        await self._writer.write(partial(jobs.store_unreadable, revision=chore.revision, reason=reason))

    async def draw(self, chore: Job) -> bool:
        """Make a poster, and sheets of preview tiles."""
        options = {
            "share": self._share,
            "seconds": PICTURE_TIME,
            "duration": chore.facts.duration if chore.facts else None,
        }
        keep = partial(jobs.store_artwork, revision=chore.revision)
        async with self._file(chore.name, chore.signature) as fd:
            if fd is None:
                return False
            try:
                done = await self._run("artwork", fd, chore.signature, options, deadline=PICTURE_DEADLINE)
                made = await self._keep_pictures(done)
            except (MediaUnreadable, ValueError, KeyError, TypeError) as error:
                log.info("no picture could be made of a video", name=chore.name, reason=str(error))
                await self._writer.write(partial(keep, state="failed", reason=str(error)))
                return True
        await self._writer.write(partial(keep, **made))
        return True

    async def _keep_pictures(self, done: Done) -> dict[str, Any]:
        """Keep the files that were made; returns what there is to write down. Raises `ValueError`, `KeyError`."""
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

    async def extract(self, chore: Job) -> bool:
        """Make WebVTT of the tracks of text."""
        keep = partial(subtitles.store_subtitle_tracks, revision=chore.revision)
        async with self._file(chore.name, chore.signature) as fd:
            if fd is None:
                return False
            try:
                done = await self._run("subtitle_tracks", fd, chore.signature, deadline=TEXT_DEADLINE)
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

    async def convert(self, chore: SubtitleJob) -> bool:
        """Make WebVTT of a file of subtitles."""
        keep = partial(subtitles.store_subtitle, number=chore.number)
        options = {"suffix": f".{chore.codec}", "language": chore.language}
        async with self._file(chore.name, chore.signature) as fd:
            if fd is None:
                return False
            try:
                done = await self._run("subtitle_file", fd, chore.signature, options, deadline=TEXT_DEADLINE)
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
        """What a job on a file in the state `signature` returns. Raises as `Sandbox.run` does, and `Stale`."""
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
        """Lend the file; None if it is not what it was when it was scanned: the scanner will notice."""
        try:
            file = await trio.to_thread.run_sync(open_file, self._root, name, limiter=self._limiter)
        except VideoNotFound:
            yield None
            return
        with file:
            yield file.fd if Identity.of(os.fstat(file.fd)).signature == signature else None


def _has_the_bytes(fd: int, signature: str) -> bool:
    """Whether the file has the bytes it had in that state; its name does not matter."""
    return Identity.of(os.fstat(fd)).bytes == bytes_of(signature)
