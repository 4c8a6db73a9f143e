"""Find keyframes: in the index if the container has one, else in the packets, up to a limit.

Nothing is decoded. `Keyframes.until` says how far an incomplete list goes.
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
"""How much of a file without an index is read for its keyframes; a tenth of a second of CPU time."""

MAX_TIMESTAMPS = 500
"""How many frames are compared to find out whether the frame rate is constant."""

TIMESTAMP_BYTES = 4 << 20
"""How much of a file with an index is read for these timestamps."""

READ_WHOLE_BYTES = 4 << 20
"""Bytes. A file of at most this size is read completely, because an index may list only some keyframes."""

FREE_CLOCK = {"mpegts", "mpeg"}
"""Containers whose clock may start at any time; in the others it is the presentation time."""


class Scan:
    """Finds the keyframes of one track, in the index or packet by packet."""

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
        self.timestamps: list[int] = []

    def keyframes(self, scan_bytes: int) -> media_info.Keyframes:
        """Return the keyframes found; errors of a damaged file end the search and are not raised."""
        times: list[float] = []
        until: float | None = None
        try:
            if self.name in {"mp4", "mov", "3gp"}:
                times, until = self._from_tables()
            if not times and self.name not in FREE_CLOCK and (self.file.size or 0) > READ_WHOLE_BYTES:
                times = self._from_index()
            if not times:
                times, until = self._from_packets(scan_bytes)
        except (av.error.FFmpegError, ValueError, OSError):
            until = times[-1] if times else 0.0
        return media_info.Keyframes(self.stream.index, self._thinned(times), until)

    def _from_tables(self) -> tuple[list[float], float | None]:
        """Read the sample tables of an MP4 file. They hold decode times; the first frame gives the offset to PTS."""
        shift = 0.0
        first = next(self.container.demux(self.stream), None)
        if first is not None and first.pts is not None and first.dts is not None:
            shift = (first.pts - first.dts) * self.base
        if self.stream.frames == 0:  # fragments: demuxing without data reads all their indexes
            for stream in self.container.streams:
                stream.discard = Discard.all
            for _ in self.container.demux(self.stream):
                pass
        self.timestamps = [entry.timestamp for entry in self.stream.index_entries[:MAX_TIMESTAMPS]]
        return [time + shift for time in self._entries()], None

    def _from_index(self) -> list[float]:
        """Read an index of keyframes; return nothing if it does not reach the end."""
        self.container.seek(0)  # makes FFmpeg read the index of Matroska
        times = list(self._entries())
        if len(times) < 2 or self.duration is None:
            return []
        widest = max(after - before for before, after in itertools.pairwise(times))
        if self.duration - times[-1] > max(10.0, 2 * widest):
            return []
        self._from_packets(TIMESTAMP_BYTES, MAX_TIMESTAMPS)
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

    def _from_packets(
        self, scan_bytes: int, packets: int = 10 * media_info.KEYFRAME_LIMIT
    ) -> tuple[list[float], float | None]:
        """Read packets from the beginning, up to the limits."""
        for stream in self.container.streams:
            if stream.index != self.stream.index:
                stream.discard = Discard.all
        times: list[float] = []
        latest = 0.0
        enough = self.file.count + scan_bytes
        try:
            for number, packet in enumerate(self.container.demux(self.stream)):
                shown = packet.pts if packet.pts is not None else packet.dts  # AVI has only DTS
                if shown is None:
                    continue
                if number < MAX_TIMESTAMPS:
                    self.timestamps.append(shown)
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
        """Sort the times, round them to the millisecond, drop duplicates, and keep at most KEYFRAME_LIMIT."""
        ordered = sorted({seconds(time) for time in times})
        if len(ordered) > media_info.KEYFRAME_LIMIT:
            every = math.ceil(len(ordered) / media_info.KEYFRAME_LIMIT)
            ordered = ordered[::every]
        return tuple(ordered)


def is_variable_frame_rate(timestamps: list[int]) -> bool | None:
    """Whether frames with these timestamps, in any order, have different durations; None if there are too few.

    A twentieth of them may differ: an edit, a lost frame. Times are rounded, so a quarter more or less counts as equal.
    """
    ordered = sorted(timestamps)
    lengths = [after - before for before, after in itertools.pairwise(ordered)]
    if len(lengths) < 10:
        return None
    usual = statistics.median(lengths)
    return sum(abs(length - usual) > usual / 4 for length in lengths) > len(lengths) / 20


def rational(value: Any) -> Fraction | None:
    """Convert to a `Fraction`, or to None if it is not positive."""
    if value is None or not value.denominator or value.numerator <= 0 or value.denominator < 0:
        return None
    return Fraction(value.numerator, value.denominator)


def seconds(value: float) -> float:
    """Convert to a valid position: finite, not before the beginning, to the millisecond."""
    return round(min(max(value, 0.0), 1e8), 3) if math.isfinite(value) else 0.0
