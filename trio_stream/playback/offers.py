"""What manifests offer: a title, assembled from a file, its other versions, and its subtitles.

Like names, offers are cached for a second.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from sys import getsizeof

import structlog
import trio

from trio_stream.caching import BoundedCache
from trio_stream.errors import (
    SHARED_FAILURES,
    NotTheOwner,
    StoreError,
    TrioStreamError,
    Unpackageable,
    VideoNotFound,
)
from trio_stream.library.folder.catalog import Catalog, OpenVideo
from trio_stream.library.records.versions import Version, versions
from trio_stream.packaging.presentation import Presentation
from trio_stream.packaging.title import Source, Subtitles, Title
from trio_stream.playback.indexes import Index, Indexes
from trio_stream.playback.presentations import BUDGET, Presentations
from trio_stream.playback.subtitles import subtitles_of
from trio_stream.playback.video_names import Names
from trio_stream.store import Connection
from trio_stream.store.database import Database

LIFETIME = 1.0
"""Seconds for which a title is cached: its files and subtitles may change at any time."""

MAX_TITLES = 256
"""Maximum number of cached titles, within the budget of presentations; four times as many file names and warnings."""

NAMES_BUDGET = 4 << 20
"""Bytes of cached file names, and of warnings: a name may have four thousand."""

FIXED = 512
"""Bytes counted for each of them in addition to its names."""

ROUNDING_FRAMES = 1.0
"""Frames by which the segment boundaries of two files may differ, because of rounding."""

log = structlog.get_logger("trio_stream.playback")


@dataclass(frozen=True, slots=True)
class Offer:
    """The content of a video's manifests: the title, and `own`, the source that is the video's own file."""

    title: Title
    own: Source
    revision: str
    mtime_ns: int

    @property
    def target_duration(self) -> int:
        """The target duration of its playlists."""
        return self.title.target_duration

    @property
    def nbytes(self) -> int:
        """Upper estimate of the memory use, in bytes: presentations may be in memory only because of this offer."""
        return sum(source.presentation.nbytes for source in self.title.sources)


class Offers:
    """Offers by video id. `catalog` opens files, `database` says which belong together."""

    def __init__(
        self,
        catalog: Catalog,
        names: Names,
        database: Database,
        indexes: Indexes,
        presentations: Presentations,
    ) -> None:
        self._catalog = catalog
        self._names = names
        self._database = database
        self._indexes = indexes
        self._presentations = presentations
        self._offers: BoundedCache[str, Offer] = BoundedCache(
            BUDGET, _weight, max_entries=MAX_TITLES, lifetime=LIFETIME, clock=trio.current_time
        )
        self._places: BoundedCache[tuple[str, str], str] = BoundedCache(
            NAMES_BUDGET, _weight_of_place, max_entries=4 * MAX_TITLES
        )
        self._logged: BoundedCache[tuple[str, ...], bool] = BoundedCache(
            NAMES_BUDGET, _weight_of_warning, max_entries=4 * MAX_TITLES
        )

    async def open(self, id_: str, revision: str) -> OpenVideo:
        """The file of a video with the content of that revision.

        Tries the name under which the content was last found, without the database: the open file itself shows whether
        it has that content. Raises `VideoNotFound`.
        """
        key = id_, revision
        name = self._places.get(key)
        if name is not None:
            # Without the database: a segment of a video whose index is in memory needs neither it nor a thread.
            with suppress(VideoNotFound):
                video = await self._catalog.open(name)
                if video.revision == revision:
                    return video
                video.close()
            self._places.pop(key)
        name = await self._names.of(id_)
        video = await self._catalog.open(name)
        if video.revision != revision:
            video.close()
            raise VideoNotFound("the video has changed")
        self._places.put(key, name)
        return video

    def warm(self, revision: str) -> Index | None:
        """The index of a content, if it is in memory."""
        return self._indexes.peek(revision)

    async def index(self, fd: int, revision: str, size: int) -> Index:
        """The index of an open video. Raises `Unpackageable`."""
        return await self._indexes.get(fd, revision, size)

    async def presentation(self, fd: int, revision: str, size: int) -> Presentation:
        """The presentation of an open video. Raises `Unpackageable`, `StoreError`, `NotTheOwner`."""
        return await self._presentations.of(fd, revision, size)

    async def presented(self, id_: str) -> tuple[Presentation | Unpackageable, int]:
        """The presentation of a video's file, or the reason for its refusal, and its mtime in nanoseconds.

        Raises `VideoNotFound`, `StoreError`, `NotTheOwner`, and other errors if that cannot be determined now.
        """
        with await self._catalog.open(await self._names.of(id_)) as video:
            mtime_ns = video.status.st_mtime_ns
            try:
                found = await self._presentations.of(video.file.fd, video.revision, video.status.st_size)
            except Unpackageable as error:
                return error, mtime_ns
            return found, mtime_ns

    def offered(self, id_: str) -> Offer | None:
        """The offer of a video, if it is cached."""
        return self._offers.get(id_)

    async def offer(self, id_: str) -> Offer:
        """The offer of a video; the same object until its content changes.

        Raises `VideoNotFound`, `Unpackageable`, `StoreError`, `NotTheOwner`.
        """
        offer = self.offered(id_)
        if offer is None:
            began = trio.current_time()
            offer = await self._build_offer(id_)
            # Return the previous object if it is equal: manifests are cached by identity.
            if (before := self._offers.peek(id_)) is not None and before == offer:
                offer = before
            self._offers.put(id_, offer, since=began)  # it is as old as the query
        return offer

    async def _build_offer(self, id_: str) -> Offer:
        name = await self._names.of(id_)
        family, subtitles = await self._database.read(partial(_read_versions, id_=id_))
        own, video = await self._source(name, "", id_)
        sources = [own]
        for version in family:
            if version.id != id_ and own.presentation.video is not None:
                try:
                    other, _ = await self._source(version.name, f"../{version.id}/", version.id)
                except (NotTheOwner, StoreError, *SHARED_FAILURES):
                    raise  # not a problem with that file; an offer without it would be cached as complete
                except TrioStreamError as error:
                    if self._is_new_warning(version.name, str(error)):
                        log.warning("a file of a title is left out", video=version.name, reason=str(error))
                    continue
                sources.append(other)
        sources.sort(key=lambda source: -_height(source.presentation))
        if len(sources) > 1:
            sources = self._aligned(sources, own, name)
        title = Title(tuple(sources), subtitles)
        return Offer(title, own, video.revision, video.status.st_mtime_ns)

    async def _source(self, name: str, playlists: str, id_: str) -> tuple[Source, OpenVideo]:
        with await self._catalog.open(name) as video:
            presentation = await self._presentations.of(video.file.fd, video.revision, video.status.st_size)
        self._places.put((id_, video.revision), name)
        return Source(playlists, f"{playlists}r/{video.revision}", presentation), video

    def _aligned(self, sources: Sequence[Source], own: Source, name: str) -> list[Source]:
        """The sources with the segment boundaries of the requested file, the best first; warns once about others."""
        aligned = [
            source
            for source in sources
            if source is own or are_aligned(own.presentation, source.presentation)
        ]
        if len(aligned) < len(sources) and self._is_new_warning(*(source.segments for source in sources)):
            log.warning(
                "files of one title have different keyframes, so players cannot switch between them",
                video=name,
                files=len(sources),
                used=len(aligned),
            )
        return aligned

    def _is_new_warning(self, *keys: str) -> bool:
        """Whether a warning was not logged yet, or only long ago; records it as logged."""
        new = self._logged.get(keys) is None
        self._logged.put(keys, True)
        return new


def _weight(_: str, offer: Offer) -> int:
    return offer.nbytes


def _weight_of_place(_: tuple[str, str], name: str) -> int:
    return FIXED + getsizeof(name)


def _weight_of_warning(keys: tuple[str, ...], _: bool) -> int:
    return FIXED + sum(getsizeof(key) for key in keys)


def are_aligned(one: Presentation, other: Presentation) -> bool:
    """Whether a player can switch between the video of the two at any segment boundary."""
    if one.video is None or other.video is None or len(one.video.segments) != len(other.video.segments):
        return False
    slack = ROUNDING_FRAMES / float(one.video.frame_rate or 25)
    pairs = zip(one.video.segments.starts[:-1], other.video.segments.starts[:-1], strict=True)
    return all(
        abs(mine / one.video.timescale - theirs / other.video.timescale) < slack for mine, theirs in pairs
    )


def _height(presentation: Presentation) -> int:
    return presentation.video.height if presentation.video is not None else 0


def _read_versions(connection: Connection, id_: str) -> tuple[Sequence[Version], tuple[Subtitles, ...]]:
    """The files of the title, and the subtitles of the video."""
    return versions(connection, id_), subtitles_of(connection, id_)
