"""Init segments and segments of files other than MP4, built in the sandbox on request.

A viewer is waiting for them, so these jobs do not yield to others, few run at once, and each has a deadline. The result
of a job may be forged by the file it parsed: its box type is checked before it is passed on.
"""

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from trio_stream.errors import MediaUnreadable, TooManyFiles
from trio_stream.files import NO_DESCRIPTOR, OpenFile
from trio_stream.media.formats.outline import SEGMENT_LIMIT, Outline
from trio_stream.media.sandbox.sandbox import Sandbox
from trio_stream.packaging.presentation import Rendition, Span
from trio_stream.playback.disk_cache import DiskCache
from trio_stream.playback.segment_cache import SegmentCache

AT_ONCE = 3
"""Maximum number of segments built at once: each is ready much faster than it plays, and the sandbox has other work."""

OUTLINE_DEADLINE, SCAN_SECONDS = 60.0, 45.0
"""Seconds for an outline, and for reading the file for it: a large file without an index is read only in part."""

DEADLINE = 20.0
"""Seconds for other jobs, which take tens of milliseconds if machine and disk are idle."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A result that can be built from a file: its key in the cache, the job that builds it with its options, and the
    kind of the first box."""

    key: str
    job: str
    options: Mapping[str, Any]
    begins: bytes


def init_recipe(revision: str, rendition: Rendition, number: int = 0) -> Recipe:
    """An init segment of a rendition of the file with that revision. Raises `LookupError` if it does not exist."""
    span = next((candidate for candidate in rendition.spans if candidate.init == number), None)
    if span is None and (number or rendition.spans):
        raise LookupError(number)
    key = f"{revision}-{rendition.name}-init{number or ''}"
    return Recipe(key, "init", _track_options(rendition, span), b"ftyp")


def segment_recipe(
    revision: str, rendition: Rendition, n: int, start: int, stop: int | None, *, until: int | None = None
) -> Recipe:
    """Segment `n` of a rendition, counted from 0: what is shown in [start, stop); None means to the end.

    The last sample of the track lasts until `until`. Times are in the track's timescale.
    """
    options = {
        **_track_options(rendition, rendition.span_at(n)),
        "start": start,
        "stop": stop,
        "sequence": n + 1,
    }
    options |= {"begins": n == 0, "until": until}
    key = f"{revision}-{rendition.name}-{n}-{_key_part(start)}-{_key_part(stop)}"
    return Recipe(key, "segment", options, b"styp")


def keyframe_recipe(revision: str, rendition: Rendition, n: int, start: int, stop: int) -> Recipe:
    """Keyframe `n` of a rendition as a segment: it is shown from `start` until `stop`."""
    options = _track_options(rendition, rendition.span_at(n, keyframe=True))
    options = {**options, "start": start, "stop": stop, "sequence": n + 1, "keyframe": True}
    options["begins"] = n == 0
    key = f"{revision}-{rendition.name}-k{n}-{_key_part(start)}-{_key_part(stop)}"
    return Recipe(key, "segment", options, b"styp")


@dataclass(frozen=True, slots=True)
class RemuxerStatistics:
    """Segments that are being built now, and those that wait for their turn."""

    running: int
    waiting: int


class Remuxer:
    """Runs jobs in `sandbox` for what `cache` does not have, at most `at_once` segments at a time.

    All methods raise `MediaUnreadable`, `SourceUnreadable`, `MediaWorkerFailed` and `TooManyFiles`.
    """

    def __init__(self, sandbox: Sandbox, cache: SegmentCache, *, at_once: int = AT_ONCE) -> None:
        self._sandbox = sandbox
        self._cache = cache
        self._limiter = trio.CapacityLimiter(at_once)

    def statistics(self) -> RemuxerStatistics:
        """Current numbers."""
        now = self._limiter.statistics()
        return RemuxerStatistics(running=now.borrowed_tokens, waiting=now.tasks_waiting)

    async def outline(self, fd: int) -> Outline:
        """What packaging needs to know about the file `fd`; takes up to `OUTLINE_DEADLINE`."""
        done = await self._sandbox.run(
            "outline", fd, {"scan_seconds": SCAN_SECONDS}, deadline=OUTLINE_DEADLINE, urgent=True
        )
        try:
            return Outline.from_json(done.result)
        except ValueError:
            raise _invalid_data() from None

    async def get(self, fd: int, recipe: Recipe) -> OpenFile:
        """An init segment, segment or keyframe of the file `fd`, from the cache if possible."""

        def build() -> Coroutine[Any, Any, bytes]:
            # A duplicated descriptor: the first client may disconnect and close its own before the segment is built.
            return self._build(OpenFile.dup(fd), recipe)

        return await self._cache.get(recipe.key, build)

    async def _build(self, file: OpenFile, recipe: Recipe) -> bytes:
        """Run the job on a file, and close the file."""
        with file:
            async with self._limiter:
                done = await self._sandbox.run(
                    recipe.job,
                    file.fd,
                    recipe.options,
                    deadline=DEADLINE,
                    limit=SEGMENT_LIMIT + (1 << 20),
                    urgent=True,
                )
        data = b"".join(done.blobs.values())
        # The type of the first box. A compromised parser may send anything, even a page with a script.
        if data[4:8] != recipe.begins:
            raise _invalid_data()
        return data


class SharedSegments:
    """The segments that the owner of the data has cached in `folder`, for the other workers of its server.

    Each file is complete and its name identifies it, so the owner is not involved and does not notice the use.
    """

    def __init__(self, folder: Path, *, threads: int = 4) -> None:
        self._disk = DiskCache(folder)
        self._limiter = trio.CapacityLimiter(threads)

    async def open(self, key: str) -> OpenFile | None:
        """The segment cached as `key`; None if there is none. Raises `TooManyFiles`."""
        try:
            return await trio.to_thread.run_sync(self._disk.open, key, limiter=self._limiter)
        except OSError as error:
            if error.errno in NO_DESCRIPTOR:
                raise TooManyFiles from None
            return None


def _key_part(time: int | None) -> str:
    return "end" if time is None else str(time).replace("-", "m")


def _track_options(rendition: Rendition, span: Span | None = None) -> dict[str, Any]:
    carriage = rendition.carriage if span is None else span.carriage
    return {"track": rendition.track, "carriage": carriage}


def _invalid_data() -> MediaUnreadable:
    return MediaUnreadable("the media parser returned invalid data")
