"""The watch state: playheads, their export, and the history."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Final, Literal, Self

from msgspec import UNSET, Meta, UnsetType, field

from trio_stream.errors import BadRequest
from trio_stream.library.naming.paths import LONGEST_NAME
from trio_stream.library.records import exports, watch_state
from trio_stream.library.records.exports import MAX_PLAYS
from trio_stream.library.records.watch_state import LONGEST
from trio_stream.library.timestamps import milliseconds, timestamp
from trio_stream.web.api.wire.parts import (
    SAMPLE,
    Body,
    Cursor,
    DateTime,
    Next,
    Number,
    Ok,
    Shape,
    Whole,
    says,
    string_format,
)
from trio_stream.web.api.wire.requests import Limited
from trio_stream.web.api.wire.videos import (
    LibraryVideo,
    Playhead,
    Watched,
)

NAME_FORM = r"^[^\u0000\uD800-\uDC7F\uDD00-\uDFFF]+\Z"
"""Valid names of files: without NUL, and with no lone surrogates except those that represent bytes (PEP 383)."""

EXPORT: Final = 1
"""The version of the export format."""

type Seconds = Annotated[float, Meta(ge=0, le=LONGEST)]


class StoredPlayhead(Playhead, frozen=True, kw_only=True):
    """A stored playhead."""

    status: Ok = "ok"


class PlayheadChange(Body, frozen=True, kw_only=True):
    """A new playhead."""

    expected: ClassVar = 'a playhead is {"position": seconds}, optionally with "duration" and "watched"'

    position: Annotated[Seconds, says("Seconds from the beginning.")]
    duration: Annotated[
        Seconds | None,
        says("The duration of the video in seconds; the value in the library has precedence."),
    ] = None
    watched: Annotated[
        bool | None,
        says("Mark it as watched or not, without adding to the history; null: let the position decide."),
    ] = None

    def read(self) -> watch_state.Playhead:
        """The playhead to store. A player that does not know the duration yet sends 0."""
        return watch_state.Playhead(self.position, self.duration or None, self.watched)


class WatchStateEntry(Shape, frozen=True, kw_only=True):
    """A playhead of an export."""

    name: Annotated[
        str,
        says(
            "Path below the folder of videos, with `/` between folders. Bytes that are not UTF-8 are lone surrogates.",
            SAMPLE,
            min_length=1,
            max_length=LONGEST_NAME,
            pattern=NAME_FORM,
        ),
    ]
    fingerprint: Annotated[str, says("The fingerprint of the video's bytes.", pattern=r"^[0-9a-f]{24}\Z")]
    position: Annotated[Seconds, says("Seconds from the beginning.")]
    duration: Annotated[Seconds | None, says("The duration of the video in seconds.")]
    watched: Watched
    plays: Annotated[int, says("How often it was watched.", ge=0, le=MAX_PLAYS)]
    updated: Annotated[
        str,
        string_format("date-time"),
        says("When it was last stored; the newer playhead wins. Dates before 1970 count as 1970."),
    ]

    @classmethod
    def of(cls, entry: exports.Entry) -> Self:
        """The entry of a playhead."""
        playhead = entry.playhead
        return cls(
            name=entry.name,
            fingerprint=entry.fingerprint,
            position=playhead.position,
            duration=playhead.duration,
            watched=playhead.watched,
            plays=playhead.plays,
            updated=timestamp(playhead.updated_at / 1000),
        )

    def read(self) -> exports.Entry:
        """The playhead to store. Raises `ValueError` if `updated` is not a date."""
        playhead = watch_state.StoredPlayhead(
            self.position, self.duration or None, self.watched, self.plays, milliseconds(self.updated)
        )
        return exports.Entry(self.name, self.fingerprint, playhead)


class WatchState(Body, frozen=True, kw_only=True):
    """An export of playheads."""

    expected: ClassVar = f'an export is {{"version": {EXPORT}, "entries": [...]}}'

    version: Annotated[Literal[1], says("The version of this format.")]
    entries: Annotated[list[WatchStateEntry], says("The playheads.")]

    @classmethod
    def of(cls, entries: Sequence[exports.Entry]) -> Self:
        """The export of these entries."""
        return cls(version=EXPORT, entries=[WatchStateEntry.of(entry) for entry in entries])

    def read(self) -> list[exports.Entry]:
        """The entries. Raises `BadRequest`, which names the first invalid one."""
        entries = []
        for number, entry in enumerate(self.entries):
            try:
                entries.append(entry.read())
            except ValueError as error:
                raise BadRequest(f"{self.expected}: {error} at entry {number}") from None
        return entries


class Imported(Shape, frozen=True, kw_only=True):
    """The result of an import."""

    imported: Annotated[Whole, says("Entries that were imported.")]
    older: Annotated[Whole, says("Entries that were not newer than the stored playhead.")]
    unknown: Annotated[Whole, says("Entries of videos that are not in the library.")]
    status: Ok = "ok"


class HistoryQuery(Limited, frozen=True, kw_only=True):
    """A page of the history."""

    cursor: Annotated[
        Cursor | UnsetType,
        says("The `next` of the previous page, for the next viewings. No other value is valid."),
    ] = UNSET


class Viewing(Shape, frozen=True, kw_only=True):
    """A continuous viewing of a video."""

    started: Annotated[DateTime, says("When it started.")]
    ended: Annotated[DateTime, says("When its playhead was last stored.")]
    first: Annotated[Number, says("The position where it started, in seconds.")] = field(name="from")
    last: Annotated[Number, says("The position where it ended, in seconds.")] = field(name="to")
    video: LibraryVideo


class History(Shape, frozen=True, kw_only=True):
    """The watch history."""

    viewings: Annotated[list[Viewing], says("Latest first.")]
    next: Next
    status: Ok = "ok"
