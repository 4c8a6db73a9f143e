"""How contents are presented: found out once in the life of a content, and kept in the database.

So a restart does not read the index of every film again before it can answer with a playlist. What cannot be packaged
is kept with its reason."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import structlog
import trio

from trio_stream.errors import (
    Encrypted,
    MediaUnreadable,
    MediaWorkerFailed,
    NotTheOwner,
    StoreError,
    TooManyFiles,
    Unpackageable,
    again,
)
from trio_stream.library.folder.catalog import OpenVideo
from trio_stream.library.records import made
from trio_stream.mp4.edits.timeline import Unsupported
from trio_stream.packaging.from_outline import present_outline
from trio_stream.packaging.presentation import Presentation
from trio_stream.playback.indexes import Indexes, with_languages
from trio_stream.playback.recent import Recent
from trio_stream.playback.remuxed import Remuxer
from trio_stream.store import Connection
from trio_stream.store.database import Database
from trio_stream.store.writer import Writer

MOST = 256
"""Presentations in memory; one takes some 50 KB for a film of two hours."""

BUDGET = 32 << 20
"""Bytes that they take together."""

FIXED = 2 << 10
"""Bytes that any of them takes, however short it is."""

log = structlog.get_logger("trio_stream.playback")


class _Finding:
    """How a content is presented is being found out: once it is `over`, it is known, or there is an error.

    While it is `running` nobody ends it."""

    def __init__(self) -> None:
        self.over = trio.Event()
        self.scope = trio.CancelScope()
        self.waiting = 0
        self.running = False
        self.error: Exception | None = MediaWorkerFailed("the server is stopping")


class Presentations:
    """Presentations by revision. `writer` changes the database and `remuxer` looks into what is no MP4, where this
    process has them. `serve` is its task: what it finds out is for all who ask, and those who leave end none of it that
    takes long."""

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
        self._known: Recent[str, Presentation | Unpackageable] = Recent(budget, _weight, most=MOST)
        self._finding: dict[str, _Finding] = {}
        self._outlining = trio.Lock()
        self._nursery: trio.Nursery | None = None

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Find out what is asked for, until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                task_status.started()
                await trio.sleep_forever()
            finally:
                self._nursery = None

    async def of(self, video: OpenVideo) -> Presentation:
        """How the content of an open video is presented.

        Raises `Unpackageable`, `SourceUnreadable`, `StoreError`, `TooManyFiles`, `MediaWorkerFailed` where nothing is
        found out now, and `NotTheOwner` where the owner has to look.
        """
        while (found := self._known.get(video.revision)) is None:
            finding = self._finding.get(video.revision) or self._begin(video)
            finding.waiting += 1
            try:
                await finding.over.wait()
            finally:
                finding.waiting -= 1
                if not finding.waiting and not finding.running:
                    finding.scope.cancel()
                    self._forget(video.revision, finding)
            if finding.error is not None:
                raise again(finding.error)
        if isinstance(found, Unpackageable):
            raise again(found)
        return found

    def _begin(self, video: OpenVideo) -> _Finding:
        if self._nursery is None:
            raise MediaWorkerFailed("the server looks into no films now")
        try:
            own = os.dup(video.fd)  # whoever asks first may leave before the others
        except OSError:
            raise TooManyFiles from None
        finding = self._finding[video.revision] = _Finding()
        self._nursery.start_soon(self._learn, replace(video, fd=own), finding)
        return finding

    def _forget(self, revision: str, finding: _Finding) -> None:
        """Who comes now wants one that is not over, nor cancelled."""
        if self._finding.get(revision) is finding:
            del self._finding[revision]

    async def _learn(self, video: OpenVideo, finding: _Finding) -> None:
        """Look it up or find it out, and close the video."""
        try:
            with finding.scope:
                found = await self._database.read(partial(_look_up, revision=video.revision))
                self._known.put(video.revision, found or await self._find_out(video, finding))
                finding.error = None
        except Exception as error:  # noqa: BLE001 - it is raised for those who wait
            finding.error = error
        finally:
            os.close(video.fd)
            self._forget(video.revision, finding)
            finding.over.set()

    async def _find_out(self, video: OpenVideo, finding: _Finding) -> Presentation | Unpackageable:
        try:
            found = (await self._indexes.get(video.fd, video.revision, video.status.st_size)).presentation
        except Encrypted as error:
            return error.with_traceback(None)
        except Unpackageable as error:
            try:
                found = await self._outline(video, error, finding)
            except Unpackageable as refused:
                return refused.with_traceback(None)
        await self._keep(video.revision, found)
        return found

    async def _outline(self, video: OpenVideo, refused: Unpackageable, finding: _Finding) -> Presentation:
        """How what cannot be packaged as it lies is presented. Raises `Unpackageable`.

        That may take a minute, so what has begun goes on when all have left: they come again. There is one at a time,
        and those that nobody waits for any more do not begin.
        """
        remuxer = self._remuxer()
        if remuxer is None:
            raise NotTheOwner
        try:
            async with self._outlining:
                finding.running = True
                return with_languages(present_outline(await remuxer.outline(video.fd)))
        except MediaUnreadable:
            raise refused from None
        except Unsupported as error:
            raise Unpackageable(str(error)) from None

    async def _keep(self, revision: str, presentation: Presentation) -> None:
        writer = self._writer()
        if writer is None:
            return
        keep = partial(made.keep_presentation, revision=revision, packed=presentation.pack())
        try:
            await writer.write(keep)
        except (
            StoreError
        ) as error:  # the library may not know the content yet; the next one who asks tries again
            log.debug("a presentation was not kept", revision=revision, reason=str(error))


def _weight(found: Presentation | Unpackageable) -> int:
    return FIXED + (found.nbytes if isinstance(found, Presentation) else 0)


def _look_up(connection: Connection, revision: str) -> Presentation | None:
    packed = made.packed_presentation(connection, revision)
    try:
        return None if packed is None else Presentation.unpack(packed)
    except ValueError:
        return None  # made anew
