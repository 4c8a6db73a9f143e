"""Presentations by content: computed once for each content, and stored in the database.

So after a restart, playlists can be sent without reading the index of every file again. Refusals are only cached in
memory, with their reason."""

from collections.abc import Awaitable, Callable
from functools import partial

import structlog
import trio

from trio_stream.caching import BoundedCache
from trio_stream.errors import (
    Encrypted,
    MediaUnreadable,
    NotTheOwner,
    StoreError,
    Unpackageable,
    copy_of,
)
from trio_stream.files import OpenFile
from trio_stream.library.records import derived
from trio_stream.mp4.edits.timeline import Unsupported
from trio_stream.packaging.from_outline import present_outline
from trio_stream.packaging.presentation import Presentation
from trio_stream.playback.indexes import Indexes, with_languages
from trio_stream.playback.remuxed import Remuxer
from trio_stream.single_flight import Flight, SingleFlight
from trio_stream.store import Connection
from trio_stream.store.database import Database
from trio_stream.store.writer import Writer

MAX_PRESENTATIONS = 256
"""Maximum number of presentations in memory; one takes about 50 KB for a two-hour video."""

BUDGET = 32 << 20
"""Bytes of all of them together."""

FIXED = 2 << 10
"""Bytes counted for any of them in addition."""

log = structlog.get_logger("trio_stream.playback")


class Presentations:
    """Presentations by revision. `writer` changes the database and `remuxer` parses files other than MP4, if this
    process has them. `serve` is its task: results are shared by all waiting requests, and long work continues if all
    clients disconnect."""

    def __init__(
        self,
        database: Database,
        indexes: Indexes,
        writer: Callable[[], Writer | None],
        remuxer: Callable[[], Remuxer | None],
        *,
        budget: int = BUDGET,
    ) -> None:
        self._database = database
        self._indexes = indexes
        self._writer = writer
        self._remuxer = remuxer
        self._cached: BoundedCache[str, Presentation | Unpackageable] = BoundedCache(
            budget, _weight, max_entries=MAX_PRESENTATIONS
        )
        self._flights: SingleFlight[str, Presentation | Unpackageable] = SingleFlight(
            "the presentation reader is not running"
        )
        self._outlining = trio.Lock()

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Compute requested presentations until cancelled."""
        await self._flights.serve(task_status=task_status)

    async def of(self, fd: int, revision: str, size: int) -> Presentation:
        """The presentation of the content of the file `fd`, which has that revision and `size` bytes.

        Raises `Unpackageable`, `SourceUnreadable`, `StoreError`, `TooManyFiles`, `MediaWorkerFailed` if `serve` is not
        running, and `NotTheOwner` if only the owner can compute it.
        """
        found = self._cached.get(revision)
        if found is None:

            def begin(flight: Flight) -> Awaitable[Presentation | Unpackageable]:
                # A duplicated descriptor: the first client may disconnect and close its own before the others are done.
                return self._load(OpenFile.dup(fd), revision, size, flight)

            found = await self._flights.get(revision, begin)
        if isinstance(found, Unpackageable):
            raise copy_of(found)
        return found

    async def _load(
        self, file: OpenFile, revision: str, size: int, flight: Flight
    ) -> Presentation | Unpackageable:
        """Look it up or compute it, and close the file."""
        with file:
            stored = await self._database.read(partial(_read_stored, revision=revision))
            found = stored or await self._compute(file.fd, revision, size, flight)
            self._cached.put(revision, found)
            return found

    async def _compute(
        self, fd: int, revision: str, size: int, flight: Flight
    ) -> Presentation | Unpackageable:
        try:
            found = (await self._indexes.get(fd, revision, size)).presentation
        except Encrypted as error:
            return type(error)(str(error))  # without its traceback frames, which would be cached with it
        except Unpackageable as error:
            try:
                found = await self._outline(fd, error, flight)
            except Unpackageable as refused:
                return type(refused)(str(refused))
        await self._store(revision, found)
        return found

    async def _outline(self, fd: int, refused: Unpackageable, flight: Flight) -> Presentation:
        """The presentation of a file that cannot be packaged directly. Raises `Unpackageable`."""
        remuxer = self._remuxer()
        if remuxer is None:
            raise NotTheOwner
        try:
            async with self._outlining:  # one at a time; a request that no client waits for leaves the queue
                # This may take a minute, longer than most pages wait. They retry, so the work must not be lost.
                flight.is_detached = True
                return with_languages(present_outline(await remuxer.outline(fd)))
        except MediaUnreadable:
            raise refused from None
        except Unsupported as error:
            raise Unpackageable(str(error)) from None

    async def _store(self, revision: str, presentation: Presentation) -> None:
        writer = self._writer()
        if writer is None:
            return
        store = partial(derived.store_presentation, revision=revision, serialized=presentation.to_bytes())
        try:
            await writer.write(store)
        except StoreError as error:
            # The library may not have recorded the content yet; the first request after a restart tries again.
            log.debug("a presentation was not stored", revision=revision, reason=str(error))


def _weight(_: str, found: Presentation | Unpackageable) -> int:
    return FIXED + (found.nbytes if isinstance(found, Presentation) else 0)


def _read_stored(connection: Connection, revision: str) -> Presentation | None:
    data = derived.stored_presentation(connection, revision)
    try:
        return None if data is None else Presentation.from_bytes(data)
    except ValueError:
        return None  # computed again
