"""What a WebSocket sends, from where it begins to its end: the bytes of a file, or the same film as fragmented MP4.

A feed knows no socket. A position is what it says it is: a byte for bytes, a number of a segment for fragments.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from trio_stream.byte_ranges import ByteRanges
from trio_stream.errors import BadRequest, RangeNotSatisfiable, SourceUnreadable
from trio_stream.http.bodies import Part
from trio_stream.http.numbers import whole_number
from trio_stream.mp4.boxes import Malformed
from trio_stream.packaging import segments
from trio_stream.packaging.presentation import Rendition
from trio_stream.playback.indexes import Index

_OFFSET = re.compile(r"0|[1-9][0-9]{0,17}")
APART = 0.1
"""Seconds by which sound may be cut before or behind the pictures it goes with: two of its packets."""

_TIME = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
"""As JSON and programs write numbers."""

LONGEST_OFFSET = 10**18 - 1
LONGEST_TIME = 10**9
"""Bytes and seconds, of which no file has so many."""


class Feed(Protocol):
    """What is sent over one WebSocket."""

    @property
    def first(self) -> int:
        """The position at which it begins."""

    def seek(self, message: Mapping[str, Any]) -> int:
        """The position a client's message asks for. Raises `BadRequest`, `RangeNotSatisfiable`."""

    def start(self, position: int) -> dict[str, Any]:
        """What a client is told before what follows from there."""

    def bodies(self, position: int) -> Iterator[tuple[Part, ...]]:
        """What follows from there, in bodies that are sent one after the other."""

    def end(self) -> dict[str, Any]:
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
        found = {}
        for name, default in (("start", 0), ("end", size)):
            text = query.get(name, str(default))
            if not _OFFSET.fullmatch(text):
                raise BadRequest(f"{name} is a number of bytes")
            found[name] = int(text)
        start, end = found["start"], found["end"]
        if start > size:
            raise RangeNotSatisfiable(size)
        if end < start:
            raise BadRequest("end lies before start")
        return cls(start, min(end, size))

    def seek(self, message: Mapping[str, Any]) -> int:
        offset = whole_number(message.get("offset"))
        if offset is None:
            raise BadRequest("a seek has the offset of a byte")
        if not self.first <= offset <= self.stop:
            raise RangeNotSatisfiable(self.stop)
        return offset

    def start(self, position: int) -> dict[str, Any]:
        return {"offset": position, "end": self.stop}

    def bodies(self, position: int) -> Iterator[tuple[Part, ...]]:
        yield (ByteRanges(((position, self.stop - position),)),)

    def end(self) -> dict[str, Any]:
        return {"offset": self.stop}


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
        text = query.get("time", "0")
        if not (_TIME.fullmatch(text) and float(text) < LONGEST_TIME):
            raise BadRequest("time is a number of seconds")
        sounds = index.presentation.audio
        name = query.get("audio", sounds[0].name if sounds else "")
        chosen = [sound for sound in sounds if sound.name == name]
        if name and not chosen:
            raise BadRequest("there is no such sound")
        video = index.presentation.video
        feed = cls(index, (*((video,) if video is not None else ()), *chosen), 0)
        return cls(index, feed.renditions, feed.at(float(text)))

    def at(self, time: float) -> int:
        """The segment in which `time` lies, in seconds. Raises `RangeNotSatisfiable`."""
        main = self.renditions[0]
        if time > self.index.presentation.duration:
            raise RangeNotSatisfiable(int(self.index.presentation.duration))
        number = bisect_right(main.segments.starts, time * main.timescale) - 1
        return max(0, min(number, len(main.segments) - 1))

    def seek(self, message: Mapping[str, Any]) -> int:
        time = message.get("time")
        if not isinstance(time, int | float) or isinstance(time, bool) or not 0 <= time < LONGEST_TIME:
            raise BadRequest("a seek has a time in seconds")
        return self.at(time)

    def start(self, position: int) -> dict[str, Any]:
        main = self.renditions[0]
        codecs = ",".join(each.codecs for each in self.renditions)
        return {
            "segment": position,
            "segments": len(main.segments),
            "time": main.segments.starts[position] / main.timescale,
            "duration": self.index.presentation.duration,
            "mime": f'{main.kind}/mp4; codecs="{codecs}"',
        }

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

    def end(self) -> dict[str, Any]:
        return {"segment": len(self.renditions[0].segments)}


def _coding(rendition: Rendition, number: int) -> int:
    """The number of the init segment with which a segment is decoded."""
    stretch = rendition.stretch(number)
    return stretch.init if stretch is not None else 0


def _first(rendition: Rendition, begin: float) -> int:
    """The first segment that is needed from `begin` on, in seconds; their number where it has ended."""
    return bisect_right(rendition.segments.starts, (begin + APART) * rendition.timescale, 1) - 1
