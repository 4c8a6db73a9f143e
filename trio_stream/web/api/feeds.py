"""What a WebSocket sends, from where it begins to its end: the bytes of a file, or the same film as fragmented MP4.

A feed knows no socket. A position is what it says it is: a byte for bytes, a number of a segment for fragments.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec import UNSET
from msgspec.structs import asdict

from trio_stream.byte_ranges import ByteRanges
from trio_stream.errors import BadRequest, RangeNotSatisfiable, SourceUnreadable
from trio_stream.http.bodies import Part
from trio_stream.mp4.boxes import Malformed
from trio_stream.packaging import segments
from trio_stream.packaging.presentation import Rendition
from trio_stream.playback.indexes import Index
from trio_stream.web.api.wire.messages import (
    About,
    BytesQuery,
    Command,
    End,
    EndMessage,
    FragmentsEndMessage,
    FragmentsQuery,
    FragmentsSeekMessage,
    FragmentsStartMessage,
    PauseMessage,
    ResumeMessage,
    SeekMessage,
    Start,
    StartMessage,
)
from trio_stream.web.api.wire.parts import checked_as, read_query

APART = 0.1
"""Seconds by which sound may be cut before or behind the pictures it goes with: two of its packets."""


WANTED = 'messages are JSON text: {"type": "seek", ...}, "pause" or "resume"'

# A type that is a union is no class to mypy.
_BYTES_COMMAND: Any = SeekMessage | PauseMessage | ResumeMessage
_FRAGMENTS_COMMAND: Any = FragmentsSeekMessage | PauseMessage | ResumeMessage


class Feed(Protocol):
    """What is sent over one WebSocket."""

    @property
    def first(self) -> int:
        """The position at which it begins."""

    def read(self, message: object) -> Command:
        """A client's message out of JSON; of a seek, the position it asks for.

        Raises `BadRequest`, `RangeNotSatisfiable`.
        """

    def start(self, position: int, about: About) -> Start:
        """What a client is told before what follows from there."""

    def bodies(self, position: int) -> Iterator[tuple[Part, ...]]:
        """What follows from there, in bodies that are sent one after the other."""

    def end(self) -> End:
        """What a client is told when everything went."""


@dataclass(frozen=True, slots=True)
class ByteFeed:
    """The bytes from `first` to `stop` (not included) of the file."""

    first: int
    stop: int

    @classmethod
    def of(cls, query: Mapping[str, str], size: int) -> "ByteFeed":
        """`start` (included, default 0) and `end` (not included, default and at most `size`), in bytes.

        Raises `BadRequest` for what is no number or backwards, `RangeNotSatisfiable` for a start past the end.
        """
        asked = read_query(BytesQuery, query)
        start, end = asked.start, size if asked.end is UNSET else asked.end
        if start > size:
            raise RangeNotSatisfiable(size)
        if end < start:
            raise BadRequest("end lies before start")
        return cls(start, min(end, size))

    def read(self, message: object) -> Command:
        found: SeekMessage | PauseMessage | ResumeMessage = checked_as(_BYTES_COMMAND, message, WANTED)
        if not isinstance(found, SeekMessage):
            return found
        if not self.first <= found.offset <= self.stop:
            raise RangeNotSatisfiable(self.stop)
        return found.offset

    def start(self, position: int, about: About) -> StartMessage:
        return StartMessage(offset=position, end=self.stop, **asdict(about))

    def bodies(self, position: int) -> Iterator[tuple[Part, ...]]:
        yield (ByteRanges(((position, self.stop - position),)),)

    def end(self) -> EndMessage:
        return EndMessage(offset=self.stop)


@dataclass(frozen=True, slots=True)
class Fragments:
    """The pictures and one sound as one fragmented MP4 stream: after each start an init segment of both, then segment
    after segment, each with the segments of the sound behind it that begin in its time. `first` is the number of a
    segment of the pictures, or of the sound alone."""

    index: Index
    renditions: tuple[Rendition, ...]
    first: int

    @classmethod
    def of(cls, query: Mapping[str, str], index: Index) -> "Fragments":
        """From `time` on (seconds, default 0), with the sound of the name `audio` (default: the first).

        Raises `BadRequest` for what is no time or no sound there is, `RangeNotSatisfiable` for a time past the end.
        """
        asked = read_query(FragmentsQuery, query)
        sounds = index.presentation.audio
        name = asked.audio if asked.audio is not UNSET else sounds[0].name if sounds else ""
        chosen = [sound for sound in sounds if sound.name == name]
        if name and not chosen:
            raise BadRequest("there is no such sound")
        video = index.presentation.video
        feed = cls(index, (*((video,) if video is not None else ()), *chosen), 0)
        return cls(index, feed.renditions, feed.at(asked.time))

    def at(self, time: float) -> int:
        """The segment in which `time` lies, in seconds. Raises `RangeNotSatisfiable`."""
        main = self.renditions[0]
        if time > self.index.presentation.duration:
            raise RangeNotSatisfiable(int(self.index.presentation.duration))
        number = bisect_right(main.segments.starts, time * main.timescale) - 1
        return max(0, min(number, len(main.segments) - 1))

    def read(self, message: object) -> Command:
        found: FragmentsSeekMessage | PauseMessage | ResumeMessage
        found = checked_as(_FRAGMENTS_COMMAND, message, WANTED)
        return self.at(found.time) if isinstance(found, FragmentsSeekMessage) else found

    def start(self, position: int, about: About) -> FragmentsStartMessage:
        main = self.renditions[0]
        codecs = ",".join(each.codecs for each in self.renditions)
        return FragmentsStartMessage(
            segment=position,
            segments=len(main.segments),
            time=main.segments.starts[position] / main.timescale,
            duration=self.index.presentation.duration,
            mime=f'{main.kind}/mp4; codecs="{codecs}"',
            **asdict(about),
        )

    def bodies(self, position: int) -> Iterator[tuple[Part, ...]]:
        main, *others = self.renditions
        begin = main.segments.starts[position] / main.timescale
        following = [_first(each, begin) for each in others]
        codings = [
            _coding(each, number)
            for each, number in zip(self.renditions, [position, *following], strict=True)
        ]
        yield self._init(codings)
        for number in range(position, len(main.segments)):
            yield from self._changed(codings, 0, number)
            yield self._body(main, number, 1)
            until = main.segments.starts[number + 1] / main.timescale - APART
            for at, each in enumerate(others):
                starts = each.segments.starts
                while following[at] < len(each.segments) and (
                    number == len(main.segments) - 1 or starts[following[at]] / each.timescale < until
                ):
                    yield from self._changed(codings, at + 1, following[at])
                    yield self._body(each, following[at], at + 2)
                    following[at] += 1

    def _init(self, codings: Sequence[int]) -> tuple[Part, ...]:
        """The init segment of all, each coded in the way of that number."""
        tracks = (self.index.tracks[each.name] for each in self.renditions)
        coded = (track.coded(number) for track, number in zip(tracks, codings, strict=True))
        return (segments.init(*coded),)

    def _changed(self, codings: list[int], at: int, number: int) -> Iterator[tuple[Part, ...]]:
        """Another init segment if a segment is coded in another way than the one before, which is noted."""
        if (coding := _coding(self.renditions[at], number)) != codings[at]:
            codings[at] = coding
            yield self._init(codings)

    def _body(self, rendition: Rendition, number: int, place: int) -> tuple[Part, ...]:
        first, stop = rendition.segments.samples[number], rendition.segments.samples[number + 1]
        track = self.index.tracks[rendition.name]
        try:
            return segments.segment(track, first, stop, number, self.index.size, track=place)
        except Malformed as error:
            raise SourceUnreadable(str(error)) from None

    def end(self) -> FragmentsEndMessage:
        return FragmentsEndMessage(segment=len(self.renditions[0].segments))


def _coding(rendition: Rendition, number: int) -> int:
    """The number of the init segment with which a segment is decoded."""
    stretch = rendition.stretch(number)
    return stretch.init if stretch is not None else 0


def _first(rendition: Rendition, begin: float) -> int:
    """The first segment that is needed from `begin` on, in seconds; their number where it has ended."""
    return bisect_right(rendition.segments.starts, (begin + APART) * rendition.timescale, 1) - 1
