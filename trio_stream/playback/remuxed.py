"""What is no MP4, as init segments and segments of MP4, made in the sandbox when somebody wants them.

A viewer waits for what is made here, so its jobs do not yield to others, are few at once, and have a deadline. What a
job answers may be made up by the file it read: it is checked to be of the kind it should be before it is handed on.
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
from trio_stream.packaging.presentation import Rendition, Stretch
from trio_stream.playback.disk_cache import DiskCache
from trio_stream.playback.segment_cache import SegmentCache

AT_ONCE = 3
"""Segments that are made at once: one is ready in much less time than it plays, and the sandbox has other work too."""

OUTLINE_DEADLINE, SCAN_SECONDS = 60.0, 45.0
"""Seconds for an outline, and for reading in it: a large file without an index is known as far as that goes."""

DEADLINE = 20.0
"""Seconds for anything else: tens of milliseconds, on a machine and a disk that are not busy."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What can be made of a file: what it is kept as, the job that makes it and what that is told, and the kind of box
    it begins with."""

    key: str
    job: str
    options: Mapping[str, Any]
    begins: bytes


def init_recipe(revision: str, rendition: Rendition, number: int = 0) -> Recipe:
    """An init segment of a rendition of the file that has that revision. Raises `LookupError` if there is none such."""
    stretch = next((each for each in rendition.stretches if each.init == number), None)
    if stretch is None and (number or rendition.stretches):
        raise LookupError(number)
    key = f"{revision}-{rendition.name}-init{number or ''}"
    return Recipe(key, "init", _known(rendition, stretch), b"ftyp")


def segment_recipe(
    revision: str, rendition: Rendition, n: int, start: int, stop: int | None, *, until: int | None = None
) -> Recipe:
    """Segment `n` of a rendition, the first being 0: what is shown in [start, stop), None: to the end.

    The last sample of the track lasts until `until`. Times are in its timescale.
    """
    options = {**_known(rendition, rendition.stretch(n)), "start": start, "stop": stop, "sequence": n + 1}
    options |= {"begins": n == 0, "until": until}
    key = f"{revision}-{rendition.name}-{n}-{_word(start)}-{_word(stop)}"
    return Recipe(key, "segment", options, b"styp")


def keyframe_recipe(revision: str, rendition: Rendition, n: int, start: int, stop: int) -> Recipe:
    """Keyframe `n` of a rendition by itself: it is shown at `start`, and until `stop`."""
    known = _known(rendition, rendition.stretch(n, keyframe=True))
    options = {**known, "start": start, "stop": stop, "sequence": n + 1, "keyframe": True}
    options["begins"] = n == 0
    key = f"{revision}-{rendition.name}-k{n}-{_word(start)}-{_word(stop)}"
    return Recipe(key, "segment", options, b"styp")


@dataclass(frozen=True, slots=True)
class RemuxerStatistics:
    """Segments that are being made now, and those that wait for their turn."""

    running: int
    waiting: int


class Remuxer:
    """Asks `sandbox` for what `cache` does not have, at most `at_once` segments at a time.

    All of it raises `MediaUnreadable`, `SourceUnreadable`, `MediaWorkerFailed` and `TooManyFiles`.
    """

    def __init__(self, sandbox: Sandbox, cache: SegmentCache, *, at_once: int = AT_ONCE) -> None:
        self._sandbox = sandbox
        self._cache = cache
        self._limiter = trio.CapacityLimiter(at_once)

    def statistics(self) -> RemuxerStatistics:
        """What is going on now."""
        now = self._limiter.statistics()
        return RemuxerStatistics(running=now.borrowed_tokens, waiting=now.tasks_waiting)

    async def outline(self, fd: int) -> Outline:
        """What packaging has to know of the file `fd`; that may take as long as `OUTLINE_DEADLINE`."""
        done = await self._sandbox.run(
            "outline", fd, {"scan_seconds": SCAN_SECONDS}, deadline=OUTLINE_DEADLINE, urgent=True
        )
        try:
            return Outline.from_json(done.result)
        except ValueError:
            raise _nonsense() from None

    async def get(self, fd: int, piece: Recipe) -> OpenFile:
        """A piece of the file `fd`."""

        def make() -> Coroutine[Any, Any, bytes]:
            # A descriptor of its own: whoever asks first may leave, and close theirs, before it is made.
            return self._make(OpenFile.dup(fd), piece)

        return await self._cache.get(piece.key, make)

    async def _make(self, own: OpenFile, piece: Recipe) -> bytes:
        """What a job makes of a file, which is closed."""
        with own:
            async with self._limiter:
                done = await self._sandbox.run(
                    piece.job,
                    own.fd,
                    piece.options,
                    deadline=DEADLINE,
                    limit=SEGMENT_LIMIT + (1 << 20),
                    urgent=True,
                )
        made = b"".join(done.blobs.values())
        # The type of the first box. A parser that was taken over may send anything, also a page with a script.
        if made[4:8] != piece.begins:
            raise _nonsense()
        return made


class SharedSegments:
    """What the owner of the data has made and keeps in `folder`, for the other workers of its server.

    A file there is whole, and what it is called says what it is, so nobody needs to be asked. The owner does not learn
    that it was used.
    """

    def __init__(self, folder: Path, *, threads: int = 4) -> None:
        self._shelf = DiskCache(folder)
        self._limiter = trio.CapacityLimiter(threads)

    async def open(self, key: str) -> OpenFile | None:
        """What is kept as `key`; None if it is not there. Raises `TooManyFiles`."""
        try:
            return await trio.to_thread.run_sync(self._shelf.open, key, limiter=self._limiter)
        except OSError as error:
            if error.errno in NO_DESCRIPTOR:
                raise TooManyFiles from None
            return None


def _word(time: int | None) -> str:
    return "end" if time is None else str(time).replace("-", "m")


def _known(rendition: Rendition, stretch: Stretch | None = None) -> dict[str, Any]:
    carriage = rendition.carriage if stretch is None else stretch.carriage
    return {"track": rendition.track, "carriage": carriage}


def _nonsense() -> MediaUnreadable:
    return MediaUnreadable("its parser was made to answer nonsense")
