"""What packets of a file say of its tracks when they are read one after the other: clocks, keyframes, sizes, ends.

Nothing is decoded, and what is kept does not grow with the file: keyframes are thinned when they are very many. All
times are timestamps of the container.
"""

import time
from collections.abc import Sequence
from itertools import batched
from typing import NamedTuple

import av.container
import av.error
from av.audio.stream import AudioStream

from trio_stream.media.containers.keyframes import FREE_CLOCK
from trio_stream.media.containers.seams import Clocks, Seam
from trio_stream.media.formats.outline import KEYFRAME_LIMIT
from trio_stream.media.jobs import MediaFile
from trio_stream.media.remux.demuxing import AnyPacket, MediaStream, packets_of
from trio_stream.media.remux.headers import TELLING, TELLING_HEAD, FrameCoding, coding_of
from trio_stream.media.remux.parameter_sets import IN_BAND, Following
from trio_stream.mp4.reordering import REORDERED, reordering

ROUNDING = 2
"""Ticks that timestamps elsewhere in a file may be off more than those that were seen."""

GROUP_LIMIT = 500
"""Pictures of a group of which it is asked in what order they are shown."""

LOOK_EVERY = 256
"""Packets between two looks at how much was read."""


class Change(NamedTuple):
    """Where the first packet of another coding lies, and when it is shown."""

    position: int
    shown: int


class Seen:
    """What was seen of one track: its first packet and its last one and when they are shown, and how many bytes
    lie between one keyframe of the file and the next. `lacks_times`: a packet did not say when it is shown. `sets`
    follows the parameter sets of pictures, if they have any.

    `changes`: where its frames begin to say something else of their coding. The last packet is the one before that.
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
        self.sets = Following(codec, stream.codec_context.extradata or b"") if codec in IN_BAND else None

    def take(self, packet: AnyPacket, shown: int | None) -> None:
        """Note one packet."""
        self.sizes[-1] += packet.size
        if self.sets is not None:
            described = not self.sets.framed and packet.has_sidedata("new_extradata")
            record = bytes(packet.get_sidedata("new_extradata")) if described else None
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
        """Whether it is coded as the first packet was. Two have to say otherwise: one alone is damaged."""
        self._position = packet.pos if packet.pos is not None else self._position
        begins = memoryview(packet)
        head = int.from_bytes(begins[:4]) & TELLING_HEAD
        if head == self._head and self._other is None:
            return not self.changes  # as nearly all of them
        coding = coding_of(bytes(begins[:7]))
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
    """Reads packets of `tracks`; keyframes are those of the one with the index `video`, if there is one.

    `times` says when keyframes are shown, `starts` when the first picture of each group is, `sizes` how many bytes the
    keyframe alone has; both are None where nobody looked. `whole`: to the end;
    `estimated`: sizes were not counted.
    """

    def __init__(
        self,
        container: av.container.InputContainer,
        file: MediaFile,
        tracks: Sequence[MediaStream],
        video: int | None,
    ) -> None:
        free = container.format.name in FREE_CLOCK
        self.tracks = {each.index: Seen(each, may_change=free and _tells(each)) for each in tracks}
        self._seam = Seam() if free else None
        self._ticks = {each.index: float(each.time_base) for each in tracks if each.time_base}
        self.video = video
        self.times: list[int] = []
        self.starts: list[int | None] = []
        self.sizes: list[int | None] = []
        self.whole = self.estimated = False
        self._container = container
        self._file = file
        self._decoding = container.format.name == "avi"  # it has no other times
        self._delay = 0
        self._group: list[int] = []
        self._met = 0
        self._every = 1

    def read(self, most: int, seconds: float) -> None:
        """Read on: to the end, or until there were `most` bytes, or for so long, or to where time goes back.

        Nothing behind a place that is damaged is believed: it is as good as the end of what may be read.
        """
        enough, late = self._file.count + most, time.monotonic() + seconds
        try:
            packets = packets_of(self._container, (each.stream for each in self.tracks.values()))
            for number, packet in enumerate(packets):
                if packet.size and not self._take(packet):
                    return
                if number % LOOK_EVERY == 0 and (self._file.count > enough or time.monotonic() > late):
                    return
            self.whole = True
            self._end_group()
        except av.error.FFmpegError:
            return

    def finish(self, most: int) -> None:
        """Read on from where the container stands, only to see when the tracks end."""
        enough = self._file.count + most
        for packet in packets_of(self._container, (each.stream for each in self.tracks.values())):
            if packet.size:
                seen = self.tracks[packet.stream_index]
                sizes, seen.sizes = seen.sizes, [0]
                seen.take(packet, self._shown(packet))
                seen.sizes = sizes
            if self._file.count > enough:
                return

    def _shown(self, packet: AnyPacket) -> int | None:
        return packet.dts if self._decoding else packet.pts

    def _take(self, packet: AnyPacket) -> bool:
        """Note one packet; whether time goes on."""
        shown = self._shown(packet)
        if self._seam is not None and (stamp := shown if packet.dts is None else packet.dts) is not None:
            index = packet.stream_index
            goes_on = self._seam.take(index, stamp * self._ticks[index], packet.pos)
            if not goes_on or self._seam.found is not None:
                return self._seam.found is None
        if packet.stream_index == self.video:
            if packet.is_keyframe and shown is not None:
                if self.times and (shown < self.times[-1] or packet.is_discard):
                    return False  # or a piece begins with pictures that nothing can hide
                self._begin_group(shown, packet.size)
            if not self.times:
                return True  # no picture can be decoded before the first keyframe
            if shown is not None and len(self._group) < GROUP_LIMIT:
                self._group.append(shown)
            start = self.starts[-1]
            if shown is not None and start is not None and shown < start:
                self.starts[-1] = shown
        self.tracks[packet.stream_index].take(packet, shown)
        return True

    def _begin_group(self, shown: int, size: int) -> None:
        self._end_group()
        if self._met % self._every == 0 and (not self.times or shown > self.times[-1]):
            if self.times:
                for each in self.tracks.values():
                    each.sizes.append(0)
            self.times.append(shown)
            self.starts.append(shown)
            self.sizes.append(size)
            if len(self.times) > KEYFRAME_LIMIT:
                self._thin()
        self._met += 1

    @property
    def seam(self) -> Clocks | None:
        """Where another clock begins; nothing behind it was taken."""
        return self._seam.found if self._seam is not None else None

    @property
    def delay(self) -> int:
        """How much earlier than the first of them is shown pictures have to be decoded, as far as that was seen."""
        delay = max(self._delay, reordering(self._group, len(self._group) - REORDERED))
        return delay + ROUNDING if delay else 0

    def _end_group(self) -> None:
        """Learn from the pictures since the last keyframe; of all of them, if they were so few that all were kept."""
        sure = len(self._group) - (REORDERED if len(self._group) == GROUP_LIMIT else 0)
        self._delay = max(self._delay, reordering(self._group, sure))
        self._group.clear()

    def _thin(self) -> None:
        """Leave out every second keyframe, and count what lies behind it to the one before."""
        self._every *= 2
        self.times, self.starts, self.sizes = self.times[::2], self.starts[::2], self.sizes[::2]
        for each in self.tracks.values():
            each.sizes = [sum(pair) for pair in batched(each.sizes, 2)]


def _tells(stream: MediaStream) -> bool:
    return isinstance(stream, AudioStream) and stream.codec_context.codec.canonical_name in TELLING
