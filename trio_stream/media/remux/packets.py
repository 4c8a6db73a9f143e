"""The packets of one piece of a track, found by seeking.

How a container seeks is not believed. It is asked for a place somewhat before the piece, and what comes is passed over
up to where the piece begins; if it comes too late, an earlier place is asked for. So what is answered depends on the
piece alone, and what is read on its length and on how far apart the container keeps what belongs together.
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
from trio_stream.media.remux.samples import thrown_away
from trio_stream.media.remux.timing import ROUNDED, Clock
from trio_stream.mp4.reordering import REORDERED

BEFORE_PICTURES = (0.0, 2.0, 15.0)
"""Seconds before a keyframe at which it is looked for."""

BEFORE_DECODING = (0.5, 3.0, 15.0, 60.0)
"""The same in containers without an index (MPEG-TS), whose places are guessed by the time of decoding."""

BEFORE_SOUND = (1.0, 5.0, 20.0)
"""Seconds before a piece of sound at which it is looked for: it may lie before the pictures it belongs to."""

APART = 30.0
"""Seconds of pictures that are passed over when a piece of sound does not come to its end: it may have a hole there."""


type Timed = tuple[int, AnyPacket]
"""When a packet is shown, in the timescale of its track, and the packet."""


class SegmentPackets:
    """`packets` in the order of decoding, `size` bytes of them.

    `end`: when what follows is first shown; None: nothing follows.
    """

    def __init__(self, limit: int) -> None:
        self.packets: list[Timed] = []
        self.end: int | None = None
        self.size = 0
        self._limit = limit

    def add(self, time: int, packet: AnyPacket) -> None:
        """Take one more. Raises `TooLarge` when they are too many bytes to be held."""
        self.size += packet.size
        if self.size > self._limit:
            raise TooLarge(f"a segment of it has more than {self._limit >> 20} MiB")
        self.packets.append((time, packet))


class Reader:
    """Reads pieces of at most `limit` bytes of track `index`. Everything raises `Unreadable`."""

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
        self._fresh = True
        self._spliced = False
        self._begins = self._beginning() if carriage.begin else 0.0
        if hasty and index >= len(self._container.streams):  # it begins late, and nothing lists it
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
            raise Unreadable(f"it has no track {self._index}")
        return stream

    def piece(self, start: int, stop: int | None) -> SegmentPackets:
        """What is shown in [start, stop), None: to the end.

        Of video from the keyframe at `start` to the first one that is not before `stop`, whatever is shown in between.
        """
        with _translated():
            if isinstance(self.stream, VideoStream):
                return self._group(self._from_keyframe(start), stop)
            return self._sound(start, stop)

    def keyframe(self, start: int, stop: int) -> SegmentPackets:
        """The keyframe at `start` alone, shown until `stop`."""
        with _translated():
            if not isinstance(self.stream, VideoStream):
                raise Unreadable("only pictures have keyframes")
            piece = SegmentPackets(self._limit)
            piece.add(*next(self._from_keyframe(start)))
            piece.end = max(start, stop)
            return piece

    def first_bytes(self, count: int) -> list[AnyPacket]:
        """The first `count` packets that a decoder can begin with, or as many as there are."""
        with _translated():
            if isinstance(self.stream, AudioStream):
                return [packet for _, packet in self._sound(self._carriage.first, None, count).packets]
            packets = (packet for _, packet in self._packets(self.stream))
            playable = dropwhile(lambda packet: not packet.is_keyframe, packets)
            return list(islice(playable, count))

    def _from_keyframe(self, start: int) -> Iterator[Timed]:
        """The packets from the keyframe on that is shown at `start`."""
        guessed = self._container.format.name in FREE_CLOCK
        for before in BEFORE_DECODING if guessed else BEFORE_PICTURES:
            self._seek(start, before)
            packets = self._packets(self.stream)
            for time, packet in packets:
                if packet.is_keyframe and time >= start:
                    if time > start:
                        break
                    return chain([(time, packet)], packets)
        raise Unreadable("there is no keyframe where one should be")

    def _group(self, packets: Iterator[Timed], stop: int | None) -> SegmentPackets:
        piece = SegmentPackets(self._limit)
        for time, packet in packets:
            if packet.is_keyframe and piece.packets:
                if time < piece.packets[0][0]:
                    break  # time goes back: behind this there is something else
                if stop is not None and time >= stop:
                    piece.end = first_shown(time, packets)
                    break
            piece.add(time, packet)
        return piece

    def _sound(self, start: int, stop: int | None, count: int | None = None) -> SegmentPackets:
        begins = max(start, self._carriage.first)
        if stop is None or stop > begins:
            for before in BEFORE_SOUND:
                everything = self._seek(start, before) or before == BEFORE_SOUND[-1]
                piece = self._listen(start, stop, count, None if everything else begins)
                if piece is not None:
                    return piece
        return SegmentPackets(self._limit)

    def _listen(
        self, start: int, stop: int | None, count: int | None, latest: int | None
    ) -> SegmentPackets | None:
        """A piece of sound; None if what comes first is later than `latest`: something may lie before it."""
        piece = SegmentPackets(self._limit)
        risen: int | None = None
        for shown, packet in self._packets(self.stream, stop):
            if latest is not None and shown > latest:
                return None
            latest = None
            # What goes back a little, as where films were joined that overlap, is heard after what comes before it.
            if risen is None or not risen - self._carriage.timescale < shown < risen:
                risen = shown
            time = risen
            if piece.packets and time < piece.packets[-1][0] - self._carriage.timescale:
                break  # time goes back: behind this there is something else
            if (stop is not None and time >= stop) or len(piece.packets) == count:
                piece.end = time
                break
            if time >= start:
                piece.add(time, packet)
        return piece

    def _packets(self, stream: MediaStream, stop: int | None = None) -> Iterator[Timed]:
        """Packets of `stream`; no more, if pictures come that are shown long after `stop`."""
        self._fresh = False
        others = [each for each in self._guides() if each is not stream] if stop is not None else []
        decoding = self._container.format.name == "avi"  # it has no other times
        # A packet of MPEG-TS has several of sound; how long they are is not known in haste, if the track begins late.
        unsaid = isinstance(stream, AudioStream) and not stream.codec_context.sample_rate
        time: int | None = None
        for packet in packets_of(self._container, (stream, *others)):
            timestamp = packet.dts if decoding or packet.pts is None else packet.pts
            own = packet.stream_index == self._index
            if not packet.size:
                continue
            if own and timestamp is None and unsaid and time is not None:
                time += self._carriage.step
                yield time, packet
            if timestamp is None:
                continue
            if own:
                time = self._clock.at(timestamp)
                yield time, packet
            elif (
                stop is not None
                and self._seconds(packet, timestamp) > stop / self._carriage.timescale + APART
            ):
                return

    def _guides(self) -> list[VideoStream]:
        """The track by which such a file is cut and indexed, if it has one."""
        film = main_video_stream(self._container)
        return [] if film is None else [film]

    def _seconds(self, packet: AnyPacket, timestamp: int) -> float:
        return timestamp * float(packet.time_base) - self._zero

    def _seek(self, start: int, before: float) -> bool:
        """Go to `before` seconds before `start`, or somewhat before that; whether it is the very beginning."""
        seconds = start / self._carriage.timescale - self._begins - before
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
                    seconds = 0  # it names nothing that lies before the pictures
            except av.error.FFmpegError:  # it has no index
                seconds = 0
            self._fresh = False
        if seconds <= 0 and not self._fresh:
            self._open(self._file)  # to seek to the beginning may pass over what comes before a keyframe
        return seconds <= 0

    def _beginning(self) -> float:
        """When that begins of which this is a part, in seconds of the presentation."""
        start = (self._container.start_time or 0) / av.time_base
        return start - self._carriage.origin * float(self._carriage.time_base)

    def _open(self, file: MediaFile) -> None:
        self._container.close()
        self._container = open_tracks(file, hasty=self._hasty)
        self._fresh = True

    def _lacks_index(self, stream: MediaStream, position: int) -> bool:
        """Whether FFmpeg would read a large Matroska file from its beginning to find a place."""
        if self._spliced or not self._container.format.name.startswith("matroska"):
            return self._spliced
        if (self._file.size or 0) < clusters.MIN_SIZE:
            return False
        self._container.seek(0)  # the index is read when it is wanted
        entries = stream.index_entries
        last = entries[len(entries) - 1].timestamp if len(entries) else 0
        return last < position - int(APART / stream.time_base)

    def _begin_at(self, position: int) -> bool:
        head = clusters.first_cluster(self._file)
        if head is None:
            raise Unreadable("it is damaged: there is no first cluster")
        at = clusters.cluster_at(self._file, head, position)
        self._open(clusters.Spliced(self._file, head, at))
        self._spliced = at > head
        return at == head


def first_shown(time: int, packets: Iterator[Timed]) -> int:
    """When the first picture of a group is shown whose keyframe is shown at `time`; `packets` are those behind it."""
    first = time
    for number, (shown, packet) in enumerate(packets):
        if shown > time or packet.is_keyframe or number == REORDERED:
            break
        first = min(first, shown)
    return first


def length_of(packet: AnyPacket, carriage: Carriage) -> int:
    """How long the last packet of a track lasts, without what is to be thrown away of it; 0 if it does not say.

    In the timescale of the track.
    """
    known = Fraction(packet.duration or 0) * carriage.time_base * carriage.timescale
    if not carriage.step:
        return round(known)
    _, at_end = thrown_away(skipped(packet))
    if 0 < known < carriage.step - max(ROUNDED, carriage.time_base) * carriage.timescale:
        at_end = max(at_end, carriage.step - round(known))  # a last block of FLAC, as long as it has to be
    return carriage.step - min(at_end, carriage.step - 1)


def skipped(packet: AnyPacket) -> bytes | None:
    """What FFmpeg says of sound in a packet that is to be thrown away."""
    return bytes(packet.get_sidedata("skip_samples")) if packet.has_sidedata("skip_samples") else None


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except av.error.FFmpegError as error:
        raise Unreadable(f"it is damaged: {printable(error.strerror or str(error))}") from None
