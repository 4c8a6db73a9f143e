"""Subtitles in segments: parsed WebVTT, converted from a track or from a sidecar.

The WebVTT file is a derived file named by its digest, so its parsed cues never become outdated.
"""

from functools import partial

import trio

from trio_stream.caching import BoundedCache
from trio_stream.errors import DerivedNotFound
from trio_stream.library.background.derived import LARGEST, Derived
from trio_stream.library.records import subtitles
from trio_stream.packaging.title import Subtitles, names, subtitle_label
from trio_stream.packaging.webvtt import Cues, parse
from trio_stream.store import Connection
from trio_stream.store.database import Database

PREFIX = "s-"
"""Prefix of the digest of subtitles, in the place of the name of a rendition."""

MAX_SUBTITLES = 64
"""Maximum number of subtitles in memory; one takes about 200 KB for a film."""

BUDGET = 64 << 20
"""Bytes of all of them together: one may be as large as a derived file (`LARGEST`)."""


class SubtitleCache:
    """The subtitles of videos, read by one thread at a time."""

    def __init__(self, database: Database, derived: Derived) -> None:
        self._database = database
        self._derived = derived
        self._limiter = trio.CapacityLimiter(1)
        self._cached: BoundedCache[tuple[str, str], Cues] = BoundedCache(
            BUDGET, _weight, max_entries=MAX_SUBTITLES
        )

    async def cues(self, id_: str, name: str) -> Cues:
        """The cues of these subtitles of the video. Raises `DerivedNotFound`, `StoreError`."""
        found = self._cached.get((id_, name))
        if found is None:
            available = await self._database.read(partial(subtitles_of, id_=id_))
            if not any(track.name == name for track in available):
                raise DerivedNotFound("there are no such subtitles")
            # Closed here and not in the thread: a task that is cancelled while waiting for its turn gets no thread.
            with await self._derived.open(name.removeprefix(PREFIX), "vtt") as file:
                found = await trio.to_thread.run_sync(_read, file.fd, limiter=self._limiter)
            self._cached.put((id_, name), found)
        return found


def _weight(_: tuple[str, str], cues: Cues) -> int:
    return cues.nbytes


def _read(fd: int) -> Cues:
    with open(fd, "rb", closefd=False) as file:
        return parse(file.read(LARGEST).decode("utf-8", "replace"))


def subtitles_of(connection: Connection, id_: str) -> tuple[Subtitles, ...]:
    """The subtitles of a video that have been converted to WebVTT."""
    rows = subtitles.converted_subtitles(connection, id_)
    labels_of_rows = [
        subtitle_label(row.label, row.language, forced=row.forced, hearing_impaired=row.hearing_impaired)
        for row in rows
    ]
    labels = names(labels_of_rows, [row.language for row in rows], "Subtitles")
    return tuple(
        Subtitles(
            name=f"{PREFIX}{row.vtt}",
            whole=f"r/{row.content}/subtitle-{row.vtt}.vtt",
            language=row.language,
            label=label,
            forced=row.forced,
            hearing_impaired=row.hearing_impaired,
            default=row.is_default,
        )
        for row, label in zip(rows, labels, strict=True)
    )
