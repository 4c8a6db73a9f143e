"""Read frames of a video at given times, decoding only keyframes.

Invariant: reading continues from where it stopped, or seeks forward; it never starts over. So a file is read only a
small number of times, whatever its index claims. A file without keyframes, with a wrong index, or truncated anywhere
gives as many frames as possible.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from av import FFmpegError, Packet
from av.container import InputContainer
from av.stream import Discard
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

NEAR = 1.0
"""Seconds ahead that are read instead of skipped by seeking."""

TOLERANCE = 0.05
"""Seconds by which a keyframe may be late and still count as "at" a time, because containers round times."""

STEP_BACK = 3.0
MAX_STEP_BACK = 15.0
"""Seconds before the target at which reading starts if seeking to it ended after its keyframe: the first value, and up
to the second one if keyframes are further apart."""

MAX_FAILED_SEEKS = 3
"""Consecutive failed seeks after which the file is only read forward."""


type _Packet = Packet[VideoStream]  # never evaluated, because `Packet` cannot be subscripted at run time


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A decoded keyframe, `time` seconds after the start of the file."""

    time: float
    frame: VideoFrame


class KeyframeReader:
    """Reads the keyframes of one video track; request times in ascending order.

    The container must be freshly opened and belongs to this reader, which turns off its other tracks. Its clock shows
    `start` seconds at 0.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, start: float) -> None:
        self._container = container
        self._stream = stream
        self._context = stream.codec_context
        self._context.thread_count = 1
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        self._tick = float(stream.time_base)
        self._origin = start
        self._packets: Iterator[_Packet] = container.demux(stream)
        self._position = 0.0  # decode time of the last packet read
        self._held: _Packet | None = None  # a keyframe that was read but is after the requested time
        self._latest: Keyframe | None = None
        self._step_back = 0.0
        self._failed_seeks = 0
        self._at_end = False
        self.reached = 0.0
        """Seconds up to which packets were read."""

    @property
    def ended(self) -> bool:
        """Whether nothing is left to read: the end was reached, and seeking past it failed."""
        return self._at_end and self._failed_seeks >= MAX_FAILED_SEEKS

    def at(self, target: float) -> Keyframe | None:
        """Return the last keyframe at or before `target` seconds, or the first one of the file if that is later.

        It is the same `Keyframe` as before if there is no newer one; None if nothing could be decoded.
        """
        target += TOLERANCE
        if self._held is None or self._time(self._held) <= target:
            near = NEAR if self._at_end else max(NEAR, self._step_back)
            far = target > self._position + near and self._failed_seeks < MAX_FAILED_SEEKS
            self._show(self._jump(target) if far else self._read_until(target))
        while self._latest is None and (packet := self._take_next()) is not None:
            self._show(packet)
        return self._latest

    def _show(self, packet: _Packet | None) -> None:
        if packet is None:
            return
        frame = self._decode(packet)
        if frame is not None:
            self._latest = Keyframe(self._time(packet), frame)

    def _decode(self, packet: _Packet) -> VideoFrame | None:
        """Decode one keyframe immediately; None if it is damaged."""
        frames: list[VideoFrame] = []
        try:
            self._context.flush_buffers()
            frames += self._context.decode(packet)
            if not frames:
                frames += self._context.decode(None)
        except FFmpegError:
            pass
        return frames[0] if frames else None

    def _jump(self, target: float) -> _Packet | None:
        """Seek to `target`; return the keyframe to show there, None if there is none newer than the latest."""
        before = self._latest.time if self._latest else -math.inf
        position = self._position
        if not self._seek(target):
            return self._read_until(target)
        packet = self._read_key()
        self._failed_seeks += packet is None
        if packet is None or self._time(packet) > target:
            return self._approach(target, before)
        time = self._time(packet)
        if time > before:
            self._failed_seeks = 0
            return packet
        if time == before and self._is_indexed(target):
            self._position = max(position, time)
            return None
        # Either there is no newer keyframe, or the index ends here and does not list those that follow.
        self._failed_seeks += 1
        return self._read_until(target)

    def _approach(self, target: float, before: float) -> _Packet | None:
        """Find the keyframe for `target` after a seek that ended after it: without an index, seek further back."""
        step_back = max(STEP_BACK, self._step_back)
        while True:
            self._seek(target - step_back)
            packet = self._read_until(target)
            if packet is not None or step_back >= MAX_STEP_BACK or target - step_back <= before:
                self._step_back = step_back
                return packet
            step_back = min(MAX_STEP_BACK, step_back * 2)

    def _seek(self, target: float) -> bool:
        self._held = None
        try:
            self._container.seek(int((target + self._origin) / self._tick), stream=self._stream)
        except (FFmpegError, OverflowError):
            self._failed_seeks += 1
            self._packets = self._container.demux(self._stream)
            return False
        self._packets = self._container.demux(self._stream)
        self._position = -math.inf
        self._at_end = False
        return True

    def _is_indexed(self, target: float) -> bool:
        """Whether the index of the container reaches beyond `target`, so that it lists the keyframes before it."""
        entries = self._stream.index_entries
        return len(entries) > 0 and self._seconds(entries[len(entries) - 1].timestamp) >= target

    def _read_until(self, target: float) -> _Packet | None:
        """Read up to `target`; return the last keyframe on the way that is not after it, if it is new."""
        best, self._held = self._held, None
        for packet in self._read():
            if packet.is_keyframe:
                if self._time(packet) > target:
                    self._held = packet
                    break
                best = packet
            elif self._position > target:
                break
        is_old = self._latest is not None and best is not None and self._time(best) == self._latest.time
        return None if is_old else best

    def _read_key(self) -> _Packet | None:
        return next((packet for packet in self._read() if packet.is_keyframe), None)

    def _take_next(self) -> _Packet | None:
        packet, self._held = self._held, None
        return packet or self._read_key()

    def _read(self) -> Iterator[_Packet]:
        try:
            for packet in self._packets:
                if packet.size:  # the last packet is empty and only tells a decoder to finish
                    self._position = self._seconds(packet.dts, packet.pts)
                    self.reached = max(self.reached, self._position)
                    yield packet
        except FFmpegError:
            pass  # nothing can be read from here; seeking may still find what follows the damage
        self._at_end = True

    def _time(self, packet: _Packet) -> float:
        return self._seconds(packet.pts, packet.dts)

    def _seconds(self, *ticks: int | None) -> float:
        """Convert the first timestamp that is not None to seconds; a file without any is all at its start."""
        return next((tick * self._tick - self._origin for tick in ticks if tick is not None), 0.0)


class JoinedKeyframeReader:
    """Like `KeyframeReader`, for a file of several parts; `parts` opens each, and gives its start time."""

    def __init__(self, parts: Iterator[tuple[float, KeyframeReader]]) -> None:
        self._parts = parts
        self._offset, self._current = next(parts)
        self._next = next(parts, None)
        self._shown: dict[int, Keyframe] = {}

    @property
    def ended(self) -> bool:
        """Whether nothing is left to read."""
        return self._next is None and self._current.ended

    @property
    def reached(self) -> float:
        """Seconds up to which packets were read."""
        return self._offset + self._current.reached

    def at(self, target: float) -> Keyframe | None:
        """Return the last keyframe at or before `target` seconds, as in `KeyframeReader.at`."""
        while self._next is not None and target >= self._next[0]:
            self._offset, self._current = self._next
            self._next = next(self._parts, None)
            self._shown.clear()
        keyframe = self._current.at(target - self._offset)
        if keyframe is None:
            return None
        if id(keyframe) not in self._shown:
            self._shown = {id(keyframe): Keyframe(keyframe.time + self._offset, keyframe.frame)}
        return self._shown[id(keyframe)]
