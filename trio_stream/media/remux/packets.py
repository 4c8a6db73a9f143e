"""Find the packets of one segment of a track by seeking.

We do not trust how a container seeks. We seek to a place somewhat before the segment and skip packets up to its
beginning; if the first packet is too late, we seek to an earlier place. So the result depends on the segment alone. How
much is read depends on its length, and on how far apart the container stores what belongs together.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain, dropwhile, islice

import av
import av.container
import av.error
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from trio_stream.media.containers import clusters
from trio_stream.media.containers.keyframes import FREE_CLOCK
from trio_stream.media.containers.opening import printable
from trio_stream.media.containers.streams import main_video_stream
from trio_stream.media.formats.outline import Carriage
from trio_stream.media.jobs import MediaFile, TooLarge, Unreadable
from trio_stream.media.remux.demuxing import AnyPacket, MediaStream, open_tracks, packets_of
from trio_stream.media.remux.samples import discarded_samples
from trio_stream.media.remux.timing import ROUNDED, Clock
from trio_stream.mp4.reordering import REORDERED

BEFORE_KEYFRAME = (0.0, 2.0, 15.0)
"""Seconds before a keyframe at which the search for it begins, first the shortest."""

BEFORE_DECODING = (0.5, 3.0, 15.0, 60.0)
"""The same in containers without an index (MPEG-TS), where the place is guessed from decode times."""

BEFORE_AUDIO = (1.0, 5.0, 20.0)
"""The same for an audio segment, which may be stored before the video it belongs to."""

MAX_VIDEO_AHEAD = 30.0
"""Seconds of video after which the search for the end of an audio segment stops: the audio may have a gap there."""


type Timed = tuple[int, AnyPacket]
"""When a packet is shown, in the timescale of its track, and the packet."""


class SegmentPackets:
    """`packets` in decoding order, `size` bytes in all.

    `end`: when what follows is first shown; None: nothing follows.
    """

    def __init__(self, limit: int) -> None:
        self.packets: list[Timed] = []
        self.end: int | None = None
        self.size = 0
        self._limit = limit

    def add(self, time: int, packet: AnyPacket) -> None:
        """Add a packet. Raises `TooLarge` if the packets have more bytes than may be held."""
        self.size += packet.size
        if self.size > self._limit:
            raise TooLarge(f"a segment of the file has more than {self._limit >> 20} MiB")
        self.packets.append((time, packet))


class Reader:
    """Reads segments of at most `limit` bytes of track `index`. All methods may raise `Unreadable`."""

    def __init__(
        self, file: MediaFile, index: int, carriage: Carriage, limit: int, *, hasty: bool = True
    ) -> None:
        self._file = file
        self._index = index
        self._carriage = carriage
        self._limit = limit
        self._clock = Clock(
            carriage.time_base, carriage.origin, carriage.timescale, carriage.first, carriage.step
        )
        self._zero = float(carriage.origin * carriage.time_base)
        self._hasty = hasty
        self._container = open_tracks(file, hasty=hasty)
        self._at_start = True
        self._spliced = False
        self._part_start = self._start_of_part() if carriage.begin else 0.0
        if hasty and index >= len(self._container.streams):  # a late track that the container does not list
            self._hasty = False
            self._open(file)

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def stream(self) -> MediaStream:
        """The track."""
        streams = self._container.streams
        stream = streams[self._index] if 0 <= self._index < len(streams) else None
        if not isinstance(stream, VideoStream | AudioStream) or stream.codec_context is None:
            raise Unreadable(f"the file has no track {self._index}")
        return stream

    def segment(self, start: int, stop: int | None) -> SegmentPackets:
        """Read what is shown in [start, stop), None: to the end.

        Video is read from the keyframe at `start` to the first one that is not before `stop`.
        """
        with _translating_errors():
            if isinstance(self.stream, VideoStream):
                return self._read_group(self._from_keyframe(start), stop)
            return self._audio(start, stop)

    def keyframe(self, start: int, stop: int) -> SegmentPackets:
        """Read only the keyframe at `start`, shown until `stop`."""
        with _translating_errors():
            if not isinstance(self.stream, VideoStream):
                raise Unreadable("only video tracks have keyframes")
            segment = SegmentPackets(self._limit)
            segment.add(*next(self._from_keyframe(start)))
            segment.end = max(start, stop)
            return segment

    def first_packets(self, count: int) -> list[AnyPacket]:
        """Read the first `count` packets that a decoder can begin with, or as many as there are."""
        with _translating_errors():
            if isinstance(self.stream, AudioStream):
                return [packet for _, packet in self._audio(self._carriage.first, None, count).packets]
            packets = (packet for _, packet in self._packets(self.stream))
            playable = dropwhile(lambda packet: not packet.is_keyframe, packets)
            return list(islice(playable, count))

    def _from_keyframe(self, start: int) -> Iterator[Timed]:
        """Read packets, beginning with the keyframe that is shown at `start`."""
        guessed = self._container.format.name in FREE_CLOCK
        for before in BEFORE_DECODING if guessed else BEFORE_KEYFRAME:
            self._seek(start, before)
            packets = self._packets(self.stream)
            for time, packet in packets:
                if packet.is_keyframe and time >= start:
                    if time > start:
                        break
                    return chain([(time, packet)], packets)
        raise Unreadable("there is no keyframe at the expected time")

    def _read_group(self, packets: Iterator[Timed], stop: int | None) -> SegmentPackets:
        segment = SegmentPackets(self._limit)
        for time, packet in packets:
            if packet.is_keyframe and segment.packets:
                if time < segment.packets[0][0]:
                    break  # time goes back: something else begins here
                if stop is not None and time >= stop:
                    segment.end = first_shown(time, packets)
                    break
            segment.add(time, packet)
        return segment

    def _audio(self, start: int, stop: int | None, count: int | None = None) -> SegmentPackets:
        begins = max(start, self._carriage.first)
        if stop is None or stop > begins:
            for before in BEFORE_AUDIO:
                from_beginning = self._seek(start, before) or before == BEFORE_AUDIO[-1]
                segment = self._read_audio(start, stop, count, None if from_beginning else begins)
                if segment is not None:
                    return segment
        return SegmentPackets(self._limit)

    def _read_audio(
        self, start: int, stop: int | None, count: int | None, latest: int | None
    ) -> SegmentPackets | None:
        """Read an audio segment; None if the first packet is later than `latest`, so that some may be missing."""
        segment = SegmentPackets(self._limit)
        latest_time: int | None = None
        for shown, packet in self._packets(self.stream, stop):
            if latest is not None and shown > latest:
                return None
            latest = None
            # A packet that goes back a little, as in joined recordings that overlap, plays after the one before it.
            if latest_time is None or not latest_time - self._carriage.timescale < shown < latest_time:
                latest_time = shown
            time = latest_time
            if segment.packets and time < segment.packets[-1][0] - self._carriage.timescale:
                break  # time goes back: something else begins here
            if (stop is not None and time >= stop) or len(segment.packets) == count:
                segment.end = time
                break
            if time >= start:
                segment.add(time, packet)
        return segment

    def _packets(self, stream: MediaStream, stop: int | None = None) -> Iterator[Timed]:
        """Read packets of `stream`, up to a video packet that is shown long after `stop`."""
        self._at_start = False
        others = [guide for guide in self._guides() if guide is not stream] if stop is not None else []
        uses_dts = self._container.format.name == "avi"  # it has no other times
        # A PES packet holds several audio frames. Their length is unknown if the file was opened hastily and the track
        # begins late.
        has_unknown_rate = isinstance(stream, AudioStream) and not stream.codec_context.sample_rate
        time: int | None = None
        for packet in packets_of(self._container, (stream, *others)):
            timestamp = packet.dts if uses_dts or packet.pts is None else packet.pts
            is_own = packet.stream_index == self._index
            if not packet.size:
                continue
            if is_own and timestamp is None and has_unknown_rate and time is not None:
                time += self._carriage.step
                yield time, packet
            if timestamp is None:
                continue
            if is_own:
                time = self._clock.at(timestamp)
                yield time, packet
            elif (
                stop is not None
                and self._seconds(packet, timestamp) > stop / self._carriage.timescale + MAX_VIDEO_AHEAD
            ):
                return

    def _guides(self) -> list[VideoStream]:
        """Return the video track, by which the file is cut and indexed, if it has one."""
        video = main_video_stream(self._container)
        return [] if video is None else [video]

    def _seconds(self, packet: AnyPacket, timestamp: int) -> float:
        return timestamp * float(packet.time_base) - self._zero

    def _seek(self, start: int, before: float) -> bool:
        """Seek to `before` seconds before `start`, or somewhat earlier; return whether it is the start of the file."""
        seconds = start / self._carriage.timescale - self._part_start - before
        if seconds > 0:
            stream, position = self.stream, self._clock.timestamp(start) - self._clock.ticks(before)
            indexed = self._container.format.name not in FREE_CLOCK
            if indexed:
                for guide in self._guides():
                    stream, position = guide, int((seconds + self._zero) / guide.time_base)
            try:
                if self._lacks_index(stream, position):
                    return self._begin_at(position)
                self._container.seek(position, stream=stream)
                entries = stream.index_entries
                if indexed and len(entries) and entries[0].timestamp > position:
                    seconds = 0  # it lists nothing that is stored before the video
            except av.error.FFmpegError:  # there is no index
                seconds = 0
            self._at_start = False
        if seconds <= 0 and not self._at_start:
            self._open(self._file)  # seeking to the beginning may skip what comes before a keyframe
        return seconds <= 0

    def _start_of_part(self) -> float:
        """Return when this part of the file begins, in seconds of the presentation."""
        start = (self._container.start_time or 0) / av.time_base
        return start - self._carriage.origin * float(self._carriage.time_base)

    def _open(self, file: MediaFile) -> None:
        self._container.close()
        self._container = open_tracks(file, hasty=self._hasty)
        self._at_start = True

    def _lacks_index(self, stream: MediaStream, position: int) -> bool:
        """Whether FFmpeg would read a large Matroska file from its beginning to seek."""
        if self._spliced or not self._container.format.name.startswith("matroska"):
            return self._spliced
        if (self._file.size or 0) < clusters.MIN_SIZE:
            return False
        self._container.seek(0)  # makes FFmpeg read the index
        entries = stream.index_entries
        last = entries[len(entries) - 1].timestamp if len(entries) else 0
        return last < position - int(MAX_VIDEO_AHEAD / stream.time_base)

    def _begin_at(self, position: int) -> bool:
        head = clusters.first_cluster(self._file)
        if head is None:
            raise Unreadable("the file is damaged: it has no cluster")
        at = clusters.cluster_at(self._file, head, position)
        self._open(clusters.Spliced(self._file, head, at))
        self._spliced = at > head
        return at == head


def first_shown(time: int, packets: Iterator[Timed]) -> int:
    """Return when the first frame of a GOP is shown; its keyframe is shown at `time`, and `packets` follow it."""
    first = time
    for number, (shown, packet) in enumerate(packets):
        if shown > time or packet.is_keyframe or number == REORDERED:
            break
        first = min(first, shown)
    return first


def duration_of(packet: AnyPacket, carriage: Carriage) -> int:
    """Return the duration of the last packet of a track, without discarded samples; 0 if it has none.

    It is in the timescale of the track.
    """
    stated = Fraction(packet.duration or 0) * carriage.time_base * carriage.timescale
    if not carriage.step:
        return round(stated)
    _, at_end = discarded_samples(skip_samples_of(packet))
    if 0 < stated < carriage.step - max(ROUNDED, carriage.time_base) * carriage.timescale:
        at_end = max(at_end, carriage.step - round(stated))  # the last block of FLAC may be shorter
    return carriage.step - min(at_end, carriage.step - 1)


def skip_samples_of(packet: AnyPacket) -> bytes | None:
    """Return FFmpeg's side data about discarded samples in a packet, if it has any."""
    return bytes(packet.get_sidedata("skip_samples")) if packet.has_sidedata("skip_samples") else None


@contextmanager
def _translating_errors() -> Iterator[None]:
    try:
        yield
    except av.error.FFmpegError as error:
        raise Unreadable(f"the file is damaged: {printable(error.strerror or str(error))}") from None
