"""Where people stopped and what they have seen."""

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
    Moment,
    Next,
    Number,
    Ok,
    Shape,
    Whole,
    form,
    says,
)
from trio_stream.web.api.wire.requests import Limited
from trio_stream.web.api.wire.videos import (
    LibraryVideo,
    Playhead,
    Watched,
)

NAME_FORM = r"^[^\u0000\uD800-\uDC7F\uDD00-\uDFFF]+\Z"
"""What the name of a file can be: without NUL, and with no lone surrogates but those that stand for bytes (PEP 383)."""

EXPORT: Final = 1
"""The version of an export."""

type Seconds = Annotated[float, Meta(ge=0, le=LONGEST)]


class KeptPlayhead(Playhead, frozen=True, kw_only=True):
    """A playhead that was stored."""

    status: Ok = "ok"


class PlayheadChange(Body, frozen=True, kw_only=True):
    """Where you are."""

    wanted: ClassVar = 'a playhead is {"position": seconds}, with "duration" and "watched" if you like'

    position: Annotated[Seconds, says("Seconds from the beginning.")]
    duration: Annotated[
        Seconds | None, says("Seconds of the whole video; what the library knows goes first.")
    ] = None
    watched: Annotated[
        bool | None, says("To mark it, which is no viewing; null leaves that to the position.")
    ] = None

    def read(self) -> watch_state.Playhead:
        """What is to be kept of it; a player that knows no duration yet says 0."""
        return watch_state.Playhead(self.position, self.duration or None, self.watched)


class WatchStateEntry(Shape, frozen=True, kw_only=True):
    """A playhead of an export."""

    name: Annotated[
        str,
        says(
            "Path below the folder of videos, with `/` between folders. Bytes that are no UTF-8 are lone surrogates.",
            SAMPLE,
            min_length=1,
            max_length=LONGEST_NAME,
            pattern=NAME_FORM,
        ),
    ]
    fingerprint: Annotated[str, says("Of the bytes of the video.", pattern=r"^[0-9a-f]{24}\Z")]
    position: Annotated[Seconds, says("Seconds from the beginning.")]
    duration: Annotated[Seconds | None, says("Seconds of the whole video.")]
    watched: Watched
    plays: Annotated[int, says("How often it was watched.", ge=0, le=MAX_PLAYS)]
    updated: Annotated[
        str,
        form("date-time"),
        says("When that was said; the newer one counts. What was before 1970 counts as 1970."),
    ]

    @classmethod
    def of(cls, entry: exports.Entry) -> Self:
        """What is exported of a playhead."""
        kept = entry.playhead
        return cls(
            name=entry.name,
            fingerprint=entry.fingerprint,
            position=kept.position,
            duration=kept.duration,
            watched=kept.watched,
            plays=kept.plays,
            updated=timestamp(kept.updated_at / 1000),
        )

    def read(self) -> exports.Entry:
        """What is to be kept of it. Raises `ValueError` where `updated` is no moment."""
        kept = watch_state.StoredPlayhead(
            self.position, self.duration or None, self.watched, self.plays, milliseconds(self.updated)
        )
        return exports.Entry(self.name, self.fingerprint, kept)


class WatchState(Body, frozen=True, kw_only=True):
    """An export of playheads."""

    wanted: ClassVar = f'an export is {{"version": {EXPORT}, "entries": [...]}}'

    version: Annotated[Literal[1], says("Of this format.")]
    entries: Annotated[list[WatchStateEntry], says("Playheads.")]

    @classmethod
    def of(cls, entries: Sequence[exports.Entry]) -> Self:
        """The export of these."""
        return cls(version=EXPORT, entries=[WatchStateEntry.of(each) for each in entries])

    def read(self) -> list[exports.Entry]:
        """The entries. Raises `BadRequest`, which names the first one that is none."""
        found = []
        for number, each in enumerate(self.entries):
            try:
                found.append(each.read())
            except ValueError as error:
                raise BadRequest(f"{self.wanted}: {error} at entry {number}") from None
        return found


class Imported(Shape, frozen=True, kw_only=True):
    """What became of the entries of an export."""

    imported: Annotated[Whole, says("So many were taken.")]
    older: Annotated[Whole, says("So many were not newer than what was here.")]
    unknown: Annotated[Whole, says("So many are of videos that are not here.")]
    status: Ok = "ok"


class HistoryQuery(Limited, frozen=True, kw_only=True):
    """A page of the history."""

    cursor: Annotated[
        Cursor | UnsetType, says("`next` of the page before, for the next viewings. No other is understood.")
    ] = UNSET


class Viewing(Shape, frozen=True, kw_only=True):
    """One time that somebody watched."""

    started: Annotated[Moment, says("When it began.")]
    ended: Annotated[Moment, says("When a playhead was last written.")]
    first: Annotated[Number, says("Seconds of the video it began at.")] = field(name="from")
    last: Annotated[Number, says("Seconds of the video it ended at.")] = field(name="to")
    video: LibraryVideo


class History(Shape, frozen=True, kw_only=True):
    """What was watched."""

    viewings: Annotated[list[Viewing], says("The last first.")]
    next: Next
    status: Ok = "ok"
