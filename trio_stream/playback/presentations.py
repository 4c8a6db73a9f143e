"""How contents are presented: found out once in the life of a content, and kept in the database.

So a restart does not read the index of every film again before it can answer with a playlist. What cannot be packaged
is kept with its reason."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import structlog
import trio
from sqlalchemy import Connection, select

from trio_stream.errors import Encrypted, MediaUnreadable, NotTheOwner, StoreError, Unpackageable
from trio_stream.library.catalog import OpenVideo
from trio_stream.mp4.timeline import Unsupported
from trio_stream.packaging.outlined import present_outline
from trio_stream.packaging.presentation import Presentation
from trio_stream.playback.indexes import Indexes, in_words
from trio_stream.playback.remuxed import Remuxer
from trio_stream.store.database import Database
from trio_stream.store.tables import presentations, upsert
from trio_stream.store.writer import Writer

MOST = 256
"""Presentations in memory; one takes some 50 KB for a film of two hours."""

log = structlog.get_logger("trio_stream.playback")


class Presentations:
    """Presentations by revision. `writer` changes the database and `remuxer` looks into what is no MP4, where this
    process has them."""

    def __init__(
        self,
        database: Database,
        indexes: Indexes,
        writer: Callable[[], Writer | None],
        remuxer: Callable[[], Remuxer | None],
    ) -> None:
        self._database = database
        self._indexes = indexes
        self._writer = writer
        self._remuxer = remuxer
        self._known: OrderedDict[str, Presentation | Unpackageable] = OrderedDict()
        self._finding: dict[str, trio.Event] = {}

    async def of(self, video: OpenVideo) -> Presentation:
        """How the content of an open video is presented.

        Raises `Unpackageable`, `SourceUnreadable`, `StoreError`, and `NotTheOwner` where the owner has to look.
        """
        while (found := self._known.get(video.revision)) is None:
            if (finding := self._finding.get(video.revision)) is not None:
                await finding.wait()
            else:
                await self._learn(video)
        self._known.move_to_end(video.revision)
        if isinstance(found, Unpackageable):
            raise type(found)(str(found))
        return found

    async def _learn(self, video: OpenVideo) -> None:
        """Look it up or find it out, once for all who ask."""
        over = self._finding[video.revision] = trio.Event()
        try:
            found = await self._database.read(partial(_look_up, revision=video.revision))
            self._known[video.revision] = found or await self._find_out(video)
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        finally:
            del self._finding[video.revision]
            over.set()

    async def _find_out(self, video: OpenVideo) -> Presentation | Unpackageable:
        try:
            found = (await self._indexes.get(video.fd, video.revision, video.status.st_size)).presentation
        except Encrypted as error:
            return error.with_traceback(None)
        except Unpackageable as error:
            try:
                found = await self._outline(video, error)
            except Unpackageable as refused:
                return refused.with_traceback(None)
        await self._keep(video.revision, found)
        return found

    async def _outline(self, video: OpenVideo, refused: Unpackageable) -> Presentation:
        """How what cannot be packaged as it lies is presented. Raises `Unpackageable`."""
        remuxer = self._remuxer()
        if remuxer is None:
            raise NotTheOwner
        try:
            return in_words(present_outline(await remuxer.outline(video.fd)))
        except MediaUnreadable:
            raise refused from None
        except Unsupported as error:
            raise Unpackageable(str(error)) from None

    async def _keep(self, revision: str, presentation: Presentation) -> None:
        writer = self._writer()
        if writer is None:
            return
        row = {"revision": revision, "packed": presentation.pack()}
        try:
            await writer.write(partial(upsert, table=presentations, values=row, key=("revision",)))
        except (
            StoreError
        ) as error:  # the library may not know the content yet; the next one who asks tries again
            log.debug("a presentation was not kept", revision=revision, reason=str(error))


def _look_up(connection: Connection, revision: str) -> Presentation | None:
    packed = connection.scalar(select(presentations.c.packed).where(presentations.c.revision == revision))
    try:
        return None if packed is None else Presentation.unpack(packed)
    except ValueError:
        return None  # made anew
