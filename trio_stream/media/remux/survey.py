"""Read the packets of a file in order, and collect clocks, keyframes, sizes and ends of its tracks.

Nothing is decoded, and memory does not grow with the file: very many keyframes are thinned out. All times are
timestamps of the container.
"""

import time
from collections.abc import Sequence
from itertools import batched
from typing import NamedTuple

import av.container
import av.error
from av.audio.stream import AudioStream

from trio_stream.media.containers.keyframes import FREE_CLOCK
from trio_stream.media.containers.seams import Seam, SeamFinder
from trio_stream.media.formats.outline import KEYFRAME_LIMIT
from trio_stream.media.jobs import MediaFile
from trio_stream.media.remux.demuxing import AnyPacket, MediaStream, packets_of
from trio_stream.media.remux.headers import CODING_BITS, SELF_DESCRIBING, FrameCoding, coding_of
from trio_stream.media.remux.parameter_sets import IN_BAND, ParameterSetTracker
from trio_stream.mp4.reordering import REORDERED, reordering

ROUNDING = 2
"""Ticks by which timestamps elsewhere in a file may be off more than those that were read."""

GROUP_LIMIT = 500
"""Frames of a GOP whose order is examined."""

CHECK_EVERY = 256
"""Packets between two checks of how much was read."""


class Change(NamedTuple):
    """The position of the first packet with another coding, and when it is shown."""

    position: int
    shown: int


class TrackSurvey:
    """The packets of one track: the first and the last one, when they are shown, and how many bytes are between one
    keyframe of the file and the next. `lacks_times`: a packet had no timestamp. `sets` follows the parameter sets of
    video that has them.

    `changes`: where the coding in its frame headers changes. Then the last packet is the one before the first change.
    """

    def __init__(self, stream: MediaStream, *, may_change: bool = False) -> None:
        self.stream = stream
        self.packet: AnyPacket | None = None
        self.first: int | None = None
        self.latest: int | None = None
        self.last: tuple[int, AnyPacket] | None = None
        self.sizes = [0]
        self.lacks_times = False
        self.changes: list[Change] = []
        self._may_change = may_change
        self._coding: FrameCoding | None = None
        self._other: tuple[FrameCoding, Change] | None = None
        self._position = 0
        self._head: int | None = None
        codec = stream.codec_context.codec.canonical_name
        self.sets = (
            ParameterSetTracker(codec, stream.codec_context.extradata or b"") if codec in IN_BAND else None
        )

    def take(self, packet: AnyPacket, shown: int | None) -> None:
        """Record one packet."""
        self.sizes[-1] += packet.size
        if self.sets is not None:
            is_described_again = not self.sets.is_byte_stream and packet.has_sidedata("new_extradata")
            record = bytes(packet.get_sidedata("new_extradata")) if is_described_again else None
            self.sets.take(packet, record, shown if packet.is_keyframe else None)
        if shown is None:
            self.lacks_times = True
            return
        if self._may_change and not self._is_as_before(packet, shown):
            return
        if self.first is None:
            self.first, self.packet = shown, packet
        if packet.is_discard and self.latest is not None:
            return
        end = shown + (packet.duration or 0)
        if self.latest is None or end > self.latest:
            self.latest, self.last = end, (shown, packet)

    def _is_as_before(self, packet: AnyPacket, shown: int) -> bool:
        """Whether it is coded like the first packet. Two in a row must differ, because a single one may be damaged."""
        self._position = packet.pos if packet.pos is not None else self._position
        start = memoryview(packet)
        head = int.from_bytes(start[:4]) & CODING_BITS
        if head == self._head and self._other is None:
            return not self.changes  # nearly all packets
        coding = coding_of(bytes(start[:7]))
        self._head = head if coding is not None else None
        if coding is None or coding == self._coding or self._coding is None:
            self._coding, self._other = coding or self._coding, None
        elif self._other is not None and self._other[0] == coding:
            self._coding = coding
            self.changes.append(self._other[1])
            self._other = None
        else:
            self._other = coding, Change(self._position, shown)
        return not self.changes and self._other is None


class Survey:
    """Reads packets of `tracks`; the keyframes are those of the track with the index `video`, if there is one.

    `times` are when keyframes are shown, `starts` when the first frame of each GOP is, `sizes` the bytes of each
    keyframe alone; the last two are None if not examined. `whole`: the file was read to the end. `estimated`: sizes
    were not counted.
    """

    def __init__(
        self,
        container: av.container.InputContainer,
        file: MediaFile,
        tracks: Sequence[MediaStream],
        video: int | None,
    ) -> None:
        has_free_clock = container.format.name in FREE_CLOCK
        self.tracks = {
            stream.index: TrackSurvey(stream, may_change=has_free_clock and _is_self_describing(stream))
            for stream in tracks
        }
        self._seam_finder = SeamFinder() if has_free_clock else None
        self._ticks = {stream.index: float(stream.time_base) for stream in tracks if stream.time_base}
        self.video = video
        self.times: list[int] = []
        self.starts: list[int | None] = []
        self.sizes: list[int | None] = []
        self.whole = self.estimated = False
        self._container = container
        self._file = file
        self._uses_dts = container.format.name == "avi"  # AVI has no other times
        self._delay = 0
        self._group: list[int] = []
        self._keyframes_read = 0
        self._every = 1

    def read(self, max_bytes: int, seconds: float) -> None:
        """Continue reading: to the end, for `max_bytes` or `seconds`, or to where time goes back.

        A damaged place counts as the end of what may be read: nothing after it can be trusted.
        """
        byte_limit, deadline = self._file.count + max_bytes, time.monotonic() + seconds
        try:
            packets = packets_of(self._container, (track.stream for track in self.tracks.values()))
            for number, packet in enumerate(packets):
                if packet.size and not self._take(packet):
                    return
                if number % CHECK_EVERY == 0 and (
                    self._file.count > byte_limit or time.monotonic() > deadline
                ):
                    return
            self.whole = True
            self._end_group()
        except av.error.FFmpegError:
            return

    def finish(self, max_bytes: int) -> None:
        """Continue reading from the position of the container, only to find when the tracks end."""
        byte_limit = self._file.count + max_bytes
        for packet in packets_of(self._container, (track.stream for track in self.tracks.values())):
            if packet.size:
                track_survey = self.tracks[packet.stream_index]
                sizes, track_survey.sizes = track_survey.sizes, [0]
                track_survey.take(packet, self._shown(packet))
                track_survey.sizes = sizes
            if self._file.count > byte_limit:
                return

    def _shown(self, packet: AnyPacket) -> int | None:
        return packet.dts if self._uses_dts else packet.pts

    def _take(self, packet: AnyPacket) -> bool:
        """Record one packet; return whether time continues."""
        shown = self._shown(packet)
        finder, decoded = self._seam_finder, shown if packet.dts is None else packet.dts
        if finder is not None and decoded is not None:
            index = packet.stream_index
            continues = finder.take(index, decoded * self._ticks[index], packet.pos)
            if not continues or finder.found is not None:
                return finder.found is None
        if packet.stream_index == self.video:
            if packet.is_keyframe and shown is not None:
                if self.times and (shown < self.times[-1] or packet.is_discard):
                    return False  # otherwise a segment would begin with frames that nothing can hide
                self._begin_group(shown, packet.size)
            if not self.times:
                return True  # no frame can be decoded before the first keyframe
            if shown is not None and len(self._group) < GROUP_LIMIT:
                self._group.append(shown)
            start = self.starts[-1]
            if shown is not None and start is not None and shown < start:
                self.starts[-1] = shown
        self.tracks[packet.stream_index].take(packet, shown)
        return True

    def _begin_group(self, shown: int, size: int) -> None:
        self._end_group()
        if self._keyframes_read % self._every == 0 and (not self.times or shown > self.times[-1]):
            if self.times:
                for track in self.tracks.values():
                    track.sizes.append(0)
            self.times.append(shown)
            self.starts.append(shown)
            self.sizes.append(size)
            if len(self.times) > KEYFRAME_LIMIT:
                self._thin()
        self._keyframes_read += 1

    @property
    def seam(self) -> Seam | None:
        """Where another clock begins; no packet after it was recorded."""
        return self._seam_finder.found if self._seam_finder is not None else None

    @property
    def delay(self) -> int:
        """How long before they are shown reordered frames must be decoded, as far as packets were read."""
        delay = max(self._delay, reordering(self._group, len(self._group) - REORDERED))
        return delay + ROUNDING if delay else 0

    def _end_group(self) -> None:
        """Update the delay from the frames since the last keyframe, as far as their order is certain."""
        certain = len(self._group) - (REORDERED if len(self._group) == GROUP_LIMIT else 0)
        self._delay = max(self._delay, reordering(self._group, certain))
        self._group.clear()

    def _thin(self) -> None:
        """Leave out every second keyframe, and add the bytes after it to the one before."""
        self._every *= 2
        self.times, self.starts, self.sizes = self.times[::2], self.starts[::2], self.sizes[::2]
        for track in self.tracks.values():
            track.sizes = [sum(pair) for pair in batched(track.sizes, 2)]


def _is_self_describing(stream: MediaStream) -> bool:
    return isinstance(stream, AudioStream) and stream.codec_context.codec.canonical_name in SELF_DESCRIBING
