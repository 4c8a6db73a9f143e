"""Where decoding can begin: in the index if the container has one, else in the packets, up to a bound.

Nothing is decoded. What is known only in part says how far (`Keyframes.until`).
"""

import itertools
import math
import statistics
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import av.container
import av.error
from av.stream import Discard
from av.video.stream import VideoStream

from trio_stream.media.formats import media_info
from trio_stream.media.jobs import MediaFile

SCAN_BYTES = 32 << 20
"""How much of a file without an index is read for its keyframes; a tenth of a second of processor time."""

MOMENTS = 500
"""How many pictures are looked at to tell whether all are shown equally long."""

LOOK_BYTES = 4 << 20
"""How much of a file that has an index is read for them."""

SMALL = 4 << 20
"""Bytes of a file that is read through rather than believing an index that may name only some keyframes."""

FREE_CLOCK = {"mpegts", "mpeg"}
"""Containers whose clock starts anywhere; that of the others is the time of the presentation."""


class Scan:
    """Looks for keyframes of one track, in the index or packet by packet."""

    def __init__(
        self,
        container: av.container.InputContainer,
        file: MediaFile,
        stream: VideoStream,
        name: str,
        start: float,
        duration: float | None,
    ) -> None:
        self.container = container
        self.file = file
        self.stream = stream
        self.name = name
        self.start = start
        self.duration = duration
        self.base = float(rational(stream.time_base) or 0)
        self.end: float | None = None
        self.moments: list[int] = []

    def keyframes(self, scan_bytes: int) -> media_info.Keyframes:
        """What was found; nothing it meets in a damaged file is an error any more."""
        times: list[float] = []
        until: float | None = None
        try:
            if self.name in {"mp4", "mov", "3gp"}:
                times, until = self._indexed()
            if not times and self.name not in FREE_CLOCK and (self.file.size or 0) > SMALL:
                times = self._cued()
            if not times:
                times, until = self._read(scan_bytes)
        except (av.error.FFmpegError, ValueError, OSError):
            until = times[-1] if times else 0.0
        return media_info.Keyframes(self.stream.index, self._thinned(times), until)

    def _indexed(self) -> tuple[list[float], float | None]:
        """The sample tables of an MP4 file. Their times are of decoding: the first picture tells what is between."""
        shift = 0.0
        first = next(self.container.demux(self.stream), None)
        if first is not None and first.pts is not None and first.dts is not None:
            shift = (first.pts - first.dts) * self.base
        if self.stream.frames == 0:  # fragments: to pass over what is in them is to meet all their indexes
            for each in self.container.streams:
                each.discard = Discard.all
            for _ in self.container.demux(self.stream):
                pass
        self.moments = [entry.timestamp for entry in self.stream.index_entries[:MOMENTS]]
        return [time + shift for time in self._entries()], None

    def _cued(self) -> list[float]:
        """The entries of an index of keyframes; nothing, if it does not go to the end."""
        self.container.seek(0)  # Matroska's is read when it is wanted
        times = list(self._entries())
        if len(times) < 2 or self.duration is None:
            return []
        widest = max(after - before for before, after in itertools.pairwise(times))
        if self.duration - times[-1] > max(10.0, 2 * widest):
            return []
        self._read(LOOK_BYTES, MOMENTS)
        return times

    def _entries(self) -> Iterator[float]:
        entries = self.stream.index_entries
        number = entries.search_timestamp(-(1 << 62), backward=False)
        for _ in range(len(entries)):
            if number < 0:
                return
            entry = entries[number]
            yield entry.timestamp * self.base - self.start
            number = entries.search_timestamp(entry.timestamp + 1, backward=False)

    def _read(
        self, scan_bytes: int, packets: int = 10 * media_info.KEYFRAME_LIMIT
    ) -> tuple[list[float], float | None]:
        """Packets from the beginning, until enough was read."""
        for each in self.container.streams:
            if each.index != self.stream.index:
                each.discard = Discard.all
        times: list[float] = []
        latest = 0.0
        enough = self.file.count + scan_bytes
        try:
            for number, packet in enumerate(self.container.demux(self.stream)):
                shown = packet.pts if packet.pts is not None else packet.dts  # AVI knows only the latter
                if shown is None:
                    continue
                if number < MOMENTS:
                    self.moments.append(shown)
                time = shown * self.base - self.start
                latest = max(latest, time + (packet.duration or 0) * self.base)
                if packet.is_keyframe and not packet.is_corrupt:
                    times.append(time)
                if self.file.count > enough or number >= packets:
                    return times, latest
        except (av.error.FFmpegError, ValueError):
            return times, latest
        self.end = seconds(latest) or None
        return times, None

    def _thinned(self, times: list[float]) -> tuple[float, ...]:
        """In order, to the millisecond, none twice, at most KEYFRAME_LIMIT of them."""
        ordered = sorted({seconds(time) for time in times})
        if len(ordered) > media_info.KEYFRAME_LIMIT:
            every = math.ceil(len(ordered) / media_info.KEYFRAME_LIMIT)
            ordered = ordered[::every]
        return tuple(ordered)


def are_uneven(moments: list[int]) -> bool | None:
    """Whether pictures shown at these times, in any order, are not shown equally long; None if they are too few.

    A twentieth of them may be: an edit, a lost picture. Times are rounded, so a quarter more or less is equal.
    """
    ordered = sorted(moments)
    lengths = [after - before for before, after in itertools.pairwise(ordered)]
    if len(lengths) < 10:
        return None
    usual = statistics.median(lengths)
    return sum(abs(length - usual) > usual / 4 for length in lengths) > len(lengths) / 20


def rational(value: Any) -> Fraction | None:
    """A positive fraction, or None."""
    if value is None or not value.denominator or value.numerator <= 0 or value.denominator < 0:
        return None
    return Fraction(value.numerator, value.denominator)


def seconds(value: float) -> float:
    """A position that is one: finite, not before the beginning, to the millisecond."""
    return round(min(max(value, 0.0), 1e8), 3) if math.isfinite(value) else 0.0
