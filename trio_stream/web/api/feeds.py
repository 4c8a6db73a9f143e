"""The data that a WebSocket sends, from a start position to the end: the bytes of a file, or fragmented MP4.

A feed does not depend on a socket. It defines what a position is: a byte offset, or the number of a segment.
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
from trio_stream.web.api.wire.parts import convert_json, read_query

AUDIO_TOLERANCE = 0.1
"""Seconds by which the cuts of audio and video may differ: the duration of two audio packets."""


EXPECTED = 'messages are JSON text: {"type": "seek", ...}, "pause" or "resume"'

# To mypy a union is not a class.
_BYTES_COMMAND: Any = SeekMessage | PauseMessage | ResumeMessage
_FRAGMENTS_COMMAND: Any = FragmentsSeekMessage | PauseMessage | ResumeMessage


class Feed(Protocol):
    """The data that one WebSocket sends."""

    @property
    def first(self) -> int:
        """The position where it starts."""

    def read(self, message: object) -> Command:
        """Convert a client's message from JSON; a seek becomes its position.

        Raises `BadRequest`, `RangeNotSatisfiable`.
        """

    def start(self, position: int, about: About) -> Start:
        """The message before the data from `position`."""

    def bodies(self, position: int) -> Iterator[tuple[Part, ...]]:
        """The data from `position`, in bodies that are sent one after the other."""

    def end(self) -> End:
        """The message after the last body."""


@dataclass(frozen=True, slots=True)
class ByteFeed:
    """The bytes of the file from `first` to `stop` (exclusive)."""

    first: int
    stop: int

    @classmethod
    def of(cls, query: Mapping[str, str], size: int) -> "ByteFeed":
        """The bytes from `start` (inclusive, default 0) to `end` (exclusive, default and maximum `size`).

        Raises `BadRequest` if a value is not a number or `end` is before `start`, `RangeNotSatisfiable` for a start
        after the end of the file.
        """
        values = read_query(BytesQuery, query)
        start, end = values.start, size if values.end is UNSET else values.end
        if start > size:
            raise RangeNotSatisfiable(size)
        if end < start:
            raise BadRequest("end is before start")
        return cls(start, min(end, size))

    def read(self, message: object) -> Command:
        command: SeekMessage | PauseMessage | ResumeMessage = convert_json(_BYTES_COMMAND, message, EXPECTED)
        if not isinstance(command, SeekMessage):
            return command
        if not self.first <= command.offset <= self.stop:
            raise RangeNotSatisfiable(self.stop)
        return command.offset

    def start(self, position: int, about: About) -> StartMessage:
        return StartMessage(offset=position, end=self.stop, **asdict(about))

    def bodies(self, position: int) -> Iterator[tuple[Part, ...]]:
        yield (ByteRanges(((position, self.stop - position),)),)

    def end(self) -> EndMessage:
        return EndMessage(offset=self.stop)


@dataclass(frozen=True, slots=True)
class FragmentFeed:
    """The video track and one audio track as one fragmented MP4 stream.

    After each start, an init segment for both is sent. Then each video segment is followed by the audio segments that
    start during it. `first` is the number of a video segment, or of an audio segment if there is no video track.
    """

    index: Index
    renditions: tuple[Rendition, ...]
    first: int

    @classmethod
    def of(cls, query: Mapping[str, str], index: Index) -> "FragmentFeed":
        """The segments from `time` (seconds, default 0), with the audio rendition named `audio` (default: the first).

        Raises `BadRequest` for an invalid time or an unknown rendition, `RangeNotSatisfiable` for a time after the
        end.
        """
        values = read_query(FragmentsQuery, query)
        audio = index.presentation.audio
        name = values.audio if values.audio is not UNSET else audio[0].name if audio else ""
        chosen = [rendition for rendition in audio if rendition.name == name]
        if name and not chosen:
            raise BadRequest("there is no such audio track")
        video = index.presentation.video
        feed = cls(index, (*((video,) if video is not None else ()), *chosen), 0)
        return cls(index, feed.renditions, feed.at(values.time))

    def at(self, time: float) -> int:
        """The number of the segment at `time`, in seconds. Raises `RangeNotSatisfiable`."""
        main = self.renditions[0]
        if time > self.index.presentation.duration:
            raise RangeNotSatisfiable(int(self.index.presentation.duration))
        number = bisect_right(main.segments.starts, time * main.timescale) - 1
        return max(0, min(number, len(main.segments) - 1))

    def read(self, message: object) -> Command:
        command: FragmentsSeekMessage | PauseMessage | ResumeMessage
        command = convert_json(_FRAGMENTS_COMMAND, message, EXPECTED)
        return self.at(command.time) if isinstance(command, FragmentsSeekMessage) else command

    def start(self, position: int, about: About) -> FragmentsStartMessage:
        main = self.renditions[0]
        codecs = ",".join(rendition.codecs for rendition in self.renditions)
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
        start = main.segments.starts[position] / main.timescale
        following = [_first(rendition, start) for rendition in others]
        codings = [
            _coding(rendition, number)
            for rendition, number in zip(self.renditions, [position, *following], strict=True)
        ]
        yield self._init(codings)
        for number in range(position, len(main.segments)):
            yield from self._init_if_changed(codings, 0, number)
            yield self._body(main, number, 1)
            until = main.segments.starts[number + 1] / main.timescale - AUDIO_TOLERANCE
            for i, rendition in enumerate(others):
                starts = rendition.segments.starts
                while following[i] < len(rendition.segments) and (
                    number == len(main.segments) - 1 or starts[following[i]] / rendition.timescale < until
                ):
                    yield from self._init_if_changed(codings, i + 1, following[i])
                    yield self._body(rendition, following[i], i + 2)
                    following[i] += 1

    def _init(self, codings: Sequence[int]) -> tuple[Part, ...]:
        """The init segment for all renditions, each with the coding of that number."""
        tracks = (self.index.tracks[rendition.name] for rendition in self.renditions)
        coded = (track.coded(number) for track, number in zip(tracks, codings, strict=True))
        return (segments.init(*coded),)

    def _init_if_changed(self, codings: list[int], i: int, number: int) -> Iterator[tuple[Part, ...]]:
        """Another init segment if the coding of a segment differs from the previous one. Updates `codings`."""
        if (coding := _coding(self.renditions[i], number)) != codings[i]:
            codings[i] = coding
            yield self._init(codings)

    def _body(self, rendition: Rendition, number: int, track_id: int) -> tuple[Part, ...]:
        first, stop = rendition.segments.samples[number], rendition.segments.samples[number + 1]
        track = self.index.tracks[rendition.name]
        try:
            return segments.segment(track, first, stop, number, self.index.size, track=track_id)
        except Malformed as error:
            raise SourceUnreadable(str(error)) from None

    def end(self) -> FragmentsEndMessage:
        return FragmentsEndMessage(segment=len(self.renditions[0].segments))


def _coding(rendition: Rendition, number: int) -> int:
    """The number of the init segment that a segment needs."""
    span = rendition.span_at(number)
    return span.init if span is not None else 0


def _first(rendition: Rendition, start: float) -> int:
    """The first segment that is needed from `start`, in seconds; the number of segments if the rendition has ended."""
    return bisect_right(rendition.segments.starts, (start + AUDIO_TOLERANCE) * rendition.timescale, 1) - 1
