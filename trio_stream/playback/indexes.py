"""The indexes of MP4 files that are being played: read once and cached in memory within a budget, least recently used
dropped first.

Segments are built from the index alone, so a segment of a file whose index is cached needs no thread and no database.
Refusals are cached too, so that clients cannot make the server read such a file again and again."""

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
"""Bytes of tables in memory: about twenty two-hour videos."""

FIXED = 16 << 10
"""Bytes counted for any index in addition to its tables."""


@dataclass(frozen=True, slots=True)
class Index:
    """The index of a file of `size` bytes: its presentation, and its tracks by the names of their renditions."""

    size: int
    presentation: Presentation
    tracks: Mapping[str, PackagedTrack]

    @property
    def nbytes(self) -> int:
        """Approximate memory use, in bytes."""
        tables = sum(track.nbytes for track in self.tracks.values())
        return FIXED + tables + self.presentation.nbytes


@dataclass(frozen=True, slots=True)
class IndexStatistics:
    """`files` are in memory and use `bytes`; `read` counts the files read since the start, `refused` those of them that
    could not be packaged."""

    files: int
    bytes: int
    read: int
    refused: int


class Indexes:
    """Indexes by revision; at most `threads` are read at once. `serve` is its task."""

    def __init__(self, threads: int = 4, budget: int = BUDGET) -> None:
        self._limiter = trio.CapacityLimiter(threads)
        self._cached: BoundedCache[str, Index | Unpackageable] = BoundedCache(budget, _weight)
        self._reading: SingleFlight[str, Index | Unpackageable] = SingleFlight(
            "the MP4 index reader is not running"
        )
        self._read = self._refused = 0

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Read requested indexes until cancelled."""
        await self._reading.serve(task_status=task_status)

    async def get(self, fd: int, revision: str, size: int) -> Index:
        """The index of the file `fd`, whose content has that revision. Raises `Unpackageable`, `SourceUnreadable`,
        `TooManyFiles`, and `MediaWorkerFailed` if `serve` is not running."""
        found = self._cached.get(revision)
        if found is None:

            def begin(_: Flight) -> Awaitable[Index | Unpackageable]:
                # A duplicated descriptor: the first client may disconnect and close its own before the others are done.
                return self._load(OpenFile.dup(fd), revision, size)

            found = await self._reading.get(revision, begin)
        if isinstance(found, Unpackageable):
            raise copy_of(found)
        return found

    def peek(self, revision: str) -> Index | None:
        """The index if it is in memory; counts as a use."""
        found = self._cached.get(revision)
        if not isinstance(found, Index):
            return None
        return found

    def statistics(self) -> IndexStatistics:
        """Current memory use, and totals since the start."""
        return IndexStatistics(len(self._cached), self._cached.nbytes, self._read, self._refused)

    async def _load(self, file: OpenFile, revision: str, size: int) -> Index | Unpackageable:
        """Read the index of the file, close the file, and cache the index."""
        with file:
            self._read += 1
            found: Index | Unpackageable
            try:
                # The thread cannot be cancelled, so it is awaited even if all clients disconnect: its result is cached.
                found = await trio.to_thread.run_sync(
                    partial(read_index, file.fd, size), limiter=self._limiter
                )
            except Unpackageable as error:
                # Without its traceback frames, which would be cached with it.
                found = type(error)(str(error))
                self._refused += 1
            self._cached.put(revision, found)
            return found


def _weight(_: str, found: Index | Unpackageable) -> int:
    return found.nbytes if isinstance(found, Index) else FIXED


def read_index(fd: int, size: int) -> Index:
    """Read the index of an MP4 file. Raises `Unpackageable`, with a message for users, and `SourceUnreadable`."""

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
    names = (rendition.name for rendition in presentation.renditions)
    return Index(size, presentation, dict(zip(names, tracks, strict=True)))


def with_languages(presentation: Presentation) -> Presentation:
    """The presentation with languages as BCP 47 tags."""
    renditions = (
        replace(rendition, language=language_of(rendition.language)) for rendition in presentation.renditions
    )
    omitted = (
        replace(omission, language=language_of(omission.language)) for omission in presentation.omitted
    )
    return replace(presentation, renditions=tuple(renditions), omitted=tuple(omitted))
