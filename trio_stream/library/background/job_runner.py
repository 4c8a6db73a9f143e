"""Runs a background job in the sandbox, and writes the row that records its outcome.

Invariant: if the file is at fault, the reason is recorded and the job is not tried again until the file changes. Any
other failure is raised. Files are never read here, only in the sandbox.
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

PROBE_DEADLINE, SUBTITLE_DEADLINE, ARTWORK_DEADLINE = 60.0, 600.0, 1800.0
"""Seconds that a job may take."""

ARTWORK_TIME_LIMIT = 1500.0
"""Seconds after which an artwork job ends with the images it has so far."""

log = structlog.get_logger("trio_stream.library")


class Stale(Exception):
    """A file changed while it was read, so the result belongs to neither content."""


class JobRunner:
    """Runs jobs on the files below `root`. An artwork job uses at most `share` of a processor (0 to 1).

    Each method returns whether a row was written. If the file changed since it was scanned, none is written; the
    scanner will notice that. The methods raise `Stale`, `StoreError`, `OSError`, and what `Sandbox.run` raises except
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

    async def probe(self, job: Job) -> bool:
        """Probe a content and store its media info."""
        async with self._file(job.name, job.signature) as fd:
            if fd is None:
                return False
            if not os.fstat(fd).st_size:  # needs no probe, and there may be thousands
                await self._store_unreadable(job, "the file is empty")
                return True
            # Counted before the attempt: a file that crashes the server is given up on after a few starts.
            if await self._writer.write(partial(jobs.begin_probe, revisions=[job.revision])):
                return True
            try:
                done = await self._run("probe", fd, job.signature, deadline=PROBE_DEADLINE)
                media_info = MediaInfo.from_json(done.result)
            except (MediaUnreadable, ValueError) as error:
                await self._store_unreadable(job, str(error))
                return True
            except BaseException:
                # Not the file's fault (the server may be stopping), so the attempt does not count.
                with trio.CancelScope(shield=True), suppress(StoreError):
                    await self._writer.write(partial(jobs.forgive_probe, revision=job.revision))
                raise
        await self._writer.write(partial(jobs.store_media_info, revision=job.revision, media_info=media_info))
        return True

    async def _store_unreadable(self, job: Job, reason: str) -> None:
        log.info("a video cannot be read", name=job.name, reason=reason)
        await self._writer.write(partial(jobs.store_unreadable, revision=job.revision, reason=reason))

    async def generate_artwork(self, job: Job) -> bool:
        """Generate a poster and trickplay sheets."""
        options = {
            "share": self._share,
            "seconds": ARTWORK_TIME_LIMIT,
            "duration": job.media_info.duration if job.media_info else None,
        }
        store = partial(jobs.store_artwork, revision=job.revision)
        async with self._file(job.name, job.signature) as fd:
            if fd is None:
                return False
            try:
                done = await self._run("artwork", fd, job.signature, options, deadline=ARTWORK_DEADLINE)
                values = await self._store_artwork_files(done)
            except (MediaUnreadable, ValueError, KeyError, TypeError) as error:
                log.info("no artwork could be generated for a video", name=job.name, reason=str(error))
                await self._writer.write(partial(store, state="failed", reason=str(error)))
                return True
        await self._writer.write(partial(store, **values))
        return True

    async def _store_artwork_files(self, done: Done) -> dict[str, Any]:
        """Store the generated files; returns the columns to write. Raises `ValueError`, `KeyError`."""
        poster = sprites = None
        if (poster_data := done.blobs.get("poster.jpg")) is not None:
            poster = await self._derived.put(poster_data, "jpg")
        grid_result = done.result["tiles"]
        if grid_result is not None:
            files = [
                await self._derived.put(done.blobs[f"sheet-{number}.jpg"], "jpg")
                for number in range(int(grid_result["sheets"]))
            ]
            grid = {item.name: int(grid_result[item.name]) for item in fields(Grid)}
            sprites = grid | {"files": files}
        return {
            "state": "made" if poster or sprites else "none",
            "reason": done.result["reason"],
            "poster": poster,
            "blurhash": done.result["blurhash"],
            "sprites": sprites,
        }

    async def extract(self, job: Job) -> bool:
        """Convert the text tracks of a video to WebVTT."""
        store = partial(subtitles.store_subtitle_tracks, revision=job.revision)
        async with self._file(job.name, job.signature) as fd:
            if fd is None:
                return False
            try:
                done = await self._run("subtitle_tracks", fd, job.signature, deadline=SUBTITLE_DEADLINE)
                tracks = {
                    track.index: (
                        await self._derived.put(vtt, "vtt"),
                        await self._put_ass(done, f"{track.index}.ass"),
                    )
                    for track in (job.media_info.subtitles if job.media_info else ())
                    if (vtt := done.blobs.get(f"{track.index}.vtt")) is not None
                }
            except (MediaUnreadable, ValueError) as error:
                log.info("the subtitles of a video cannot be read", name=job.name, reason=str(error))
                await self._writer.write(partial(store, tracks={}, reason=str(error)))
                return True
        await self._writer.write(partial(store, tracks=tracks, reason="the track is empty"))
        return True

    async def convert(self, job: SubtitleJob) -> bool:
        """Convert a subtitle file to WebVTT."""
        store = partial(subtitles.store_subtitle, number=job.number)
        options = {"suffix": f".{job.codec}", "language": job.language}
        async with self._file(job.name, job.signature) as fd:
            if fd is None:
                return False
            try:
                done = await self._run(
                    "subtitle_file", fd, job.signature, options, deadline=SUBTITLE_DEADLINE
                )
                vtt = await self._derived.put(done.blobs["subtitle.vtt"], "vtt")
                original = await self._put_ass(done, "subtitle.ass")
            except (MediaUnreadable, ValueError, KeyError) as error:
                log.info("a subtitle file cannot be read", name=job.name, reason=str(error))
                await self._writer.write(partial(store, vtt=None, original=None, reason=str(error)))
                return True
        await self._writer.write(partial(store, vtt=vtt, original=original))
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
        """Run a sandbox job on a file in the state `signature`. Raises what `Sandbox.run` raises, and `Stale`."""
        try:
            done = await self._sandbox.run(job, fd, options, deadline=deadline)
        except MediaUnreadable as error:
            if not _has_same_bytes(fd, signature):
                raise Stale from error
            raise
        if not _has_same_bytes(fd, signature):
            raise Stale
        return done

    async def _put_ass(self, done: Done, name: str) -> str | None:
        data = done.blobs.get(name)
        return None if data is None else await self._derived.put(data, "ass")

    @asynccontextmanager
    async def _file(self, name: str, signature: str) -> AsyncIterator[int | None]:
        """Lend the file; None if it changed since it was scanned, which the scanner will notice."""
        try:
            file = await trio.to_thread.run_sync(open_file, self._root, name, limiter=self._limiter)
        except VideoNotFound:
            yield None
            return
        with file:
            yield file.fd if Identity.of(os.fstat(file.fd)).signature == signature else None


def _has_same_bytes(fd: int, signature: str) -> bool:
    """Whether the file has the same bytes as in that state; its name does not matter."""
    return Identity.of(os.fstat(fd)).bytes == bytes_of(signature)
