"""Subtitles in segments: the WebVTT that was made of a track, or of a file beside the video, taken apart.

A text is a file we made, named by its digest, so what was taken apart once stays right.
"""

from functools import partial

import trio

from trio_stream.caching import BoundedCache
from trio_stream.errors import DerivedNotFound
from trio_stream.library.background.derived import LARGEST, Derived
from trio_stream.library.records import subtitles
from trio_stream.packaging.title import Subtitles, names, text_label
from trio_stream.packaging.webvtt import Cues, parse
from trio_stream.store import Connection
from trio_stream.store.database import Database

TEXT = "s-"
"""Before the digest of a text, where a rendition has its name."""

MOST = 64
"""Texts in memory; one takes some 200 KB for a film."""

BUDGET = 64 << 20
"""Bytes that they take together: one may be as large as what is made (`LARGEST`)."""


class SubtitleCache:
    """Texts of videos, read by one thread at a time."""

    def __init__(self, database: Database, derived: Derived) -> None:
        self._database = database
        self._derived = derived
        self._limiter = trio.CapacityLimiter(1)
        self._known: BoundedCache[tuple[str, str], Cues] = BoundedCache(BUDGET, _weight, most=MOST)

    async def cues(self, id_: str, name: str) -> Cues:
        """The cues of a text of that video. Raises `DerivedNotFound`, `StoreError`."""
        found = self._known.get((id_, name))
        if found is None:
            there = await self._database.read(partial(subtitles_of, id_=id_))
            if not any(text.name == name for text in there):
                raise DerivedNotFound("there is no such text")
            # Closed here and not in the thread: who is cancelled while it waits for its turn gets no thread.
            with await self._derived.open(name.removeprefix(TEXT), "vtt") as file:
                found = await trio.to_thread.run_sync(_read, file.fd, limiter=self._limiter)
            self._known.put((id_, name), found)
        return found


def _weight(_: tuple[str, str], cues: Cues) -> int:
    return cues.nbytes


def _read(fd: int) -> Cues:
    with open(fd, "rb", closefd=False) as file:
        return parse(file.read(LARGEST).decode("utf-8", "replace"))


def subtitles_of(connection: Connection, id_: str) -> tuple[Subtitles, ...]:
    """The subtitles of a video of which there is WebVTT."""
    rows = subtitles.converted_subtitles(connection, id_)
    said = [
        text_label(row.label, row.language, forced=row.forced, hearing_impaired=row.hearing_impaired)
        for row in rows
    ]
    labels = names(said, [row.language for row in rows], "Subtitles")
    return tuple(
        Subtitles(
            name=f"{TEXT}{row.vtt}",
            whole=f"r/{row.content}/subtitle-{row.vtt}.vtt",
            language=row.language,
            label=label,
            forced=row.forced,
            hearing_impaired=row.hearing_impaired,
            default=row.is_default,
        )
        for row, label in zip(rows, labels, strict=True)
    )
