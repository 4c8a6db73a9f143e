"""The indexes of MP4 files that are being played: read once, kept in memory under a budget, the last used longest.

An index is all that segments are made with, so a segment of a file whose index is here needs no thread and no
database. What cannot be packaged is remembered too: nobody makes the server read such a file again and again."""

import os
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import trio

from trio_stream.caching import BoundedCache
from trio_stream.errors import Encrypted, SourceUnreadable, Unpackageable, copy_of
from trio_stream.files import OpenFile
from trio_stream.languages import language_of
from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.edits.extent import read_located
from trio_stream.mp4.edits.timeline import Protected
from trio_stream.mp4.reading.locating import locate
from trio_stream.packaging.from_mp4 import present
from trio_stream.packaging.presentation import Presentation
from trio_stream.packaging.selection import PackagedTrack, omitted_tracks, packaged_tracks
from trio_stream.single_flight import Flight, SingleFlight

BUDGET = 128 << 20
"""Bytes of tables in memory: some twenty films of two hours."""

FIXED = 16 << 10
"""Bytes that any index takes, whatever its tables do."""


@dataclass(frozen=True, slots=True)
class Index:
    """What is known of a file of `size` bytes: what manifests say of it, and the tracks by the names of renditions."""

    size: int
    presentation: Presentation
    tracks: Mapping[str, PackagedTrack]

    @property
    def nbytes(self) -> int:
        """Memory it takes, in bytes, within some."""
        tables = sum(each.nbytes for each in self.tracks.values())
        return FIXED + tables + self.presentation.nbytes


@dataclass(frozen=True, slots=True)
class IndexStatistics:
    """`files` are in memory and take `bytes`; `read` counts how often one was read, `refused` how many of these could
    not be packaged."""

    files: int
    bytes: int
    read: int
    refused: int


class Indexes:
    """Indexes by revision; at most `threads` are read at once. `serve` is its task."""

    def __init__(self, threads: int = 4, budget: int = BUDGET) -> None:
        self._limiter = trio.CapacityLimiter(threads)
        self._known: BoundedCache[str, Index | Unpackageable] = BoundedCache(budget, _weight)
        self._reading: SingleFlight[str, Index | Unpackageable] = SingleFlight(
            "the server reads no films now"
        )
        self._read = self._refused = 0

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Read what is asked for, until cancelled."""
        await self._reading.serve(task_status=task_status)

    async def get(self, fd: int, revision: str, size: int) -> Index:
        """The index of the file behind `fd`, whose content is that revision. Raises `Unpackageable`,
        `SourceUnreadable`, `TooManyFiles`, `MediaWorkerFailed` while nothing is served."""
        found = self._known.get(revision)
        if found is None:

            def begin(_: Flight) -> Awaitable[Index | Unpackageable]:
                # A descriptor of its own: whoever asks first may leave, and close theirs, before the others.
                return self._load(OpenFile.dup(fd), revision, size)

            found = await self._reading.get(revision, begin)
        if isinstance(found, Unpackageable):
            raise copy_of(found)
        return found

    def peek(self, revision: str) -> Index | None:
        """The index if it is in memory; it is being used then."""
        found = self._known.get(revision)
        if not isinstance(found, Index):
            return None
        return found

    def statistics(self) -> IndexStatistics:
        """What is in memory, and totals since the start."""
        return IndexStatistics(len(self._known), self._known.nbytes, self._read, self._refused)

    async def _load(self, file: OpenFile, revision: str, size: int) -> Index | Unpackageable:
        """Read the index of the file, which is closed, and keep it."""
        with file:
            self._read += 1
            found: Index | Unpackageable
            try:
                # The thread cannot be stopped, so it is waited for even when all have left: what it read is kept.
                found = await trio.to_thread.run_sync(
                    partial(read_index, file.fd, size), limiter=self._limiter
                )
            except Unpackageable as error:
                # Without the frames it came through, which would be kept with it.
                found = type(error)(str(error))
                self._refused += 1
            self._known.put(revision, found)
            return found


def _weight(_: str, found: Index | Unpackageable) -> int:
    return found.nbytes if isinstance(found, Index) else FIXED


def read_index(fd: int, size: int) -> Index:
    """Read the index of an MP4 file. Raises `Unpackageable`, with a sentence for people, and `SourceUnreadable`."""

    def read(offset: int, length: int) -> bytes:
        return os.pread(fd, length, offset)

    try:
        located = locate(read, size)
        movie = read_located(read, located, size)
        tracks = packaged_tracks(movie)
        presentation = with_languages(present(tracks, omitted_tracks(movie, tracks)))
    except Protected as error:
        raise Encrypted(str(error)) from None
    except Malformed as error:
        raise Unpackageable(str(error)) from None
    except OSError as error:
        raise SourceUnreadable(f"reading its index: {error}") from error
    names = (each.name for each in presentation.renditions)
    return Index(size, presentation, dict(zip(names, tracks, strict=True)))


def with_languages(presentation: Presentation) -> Presentation:
    """With languages as BCP 47 has them."""
    renditions = (replace(each, language=language_of(each.language)) for each in presentation.renditions)
    omitted = (replace(each, language=language_of(each.language)) for each in presentation.omitted)
    return replace(presentation, renditions=tuple(renditions), omitted=tuple(omitted))
