"""Frames of a video at given moments, decoding nothing but keyframes.

Invariant: reading goes on from where it stopped or leaps over what is not asked for; it never starts over, so a file
is read at most a small number of times whatever its index claims. A file without keyframes, with a false index or cut
off anywhere gives what can be had of it.
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
"""Seconds ahead that are read rather than leapt over."""

HAIR = 0.05
"""Seconds that a keyframe may be late and still be "at" a moment: containers round times, each in its own way."""

RUN_UP = 3.0
LONGEST_RUN_UP = 15.0
"""Seconds before a moment where reading starts when a leap to the moment itself overshot its keyframe: this much
first, and more where keyframes are further apart."""

MOST_VAIN_LEAPS = 3
"""Leaps one after the other that led nowhere before we only read on."""


type _Packet = Packet[VideoStream]  # never looked at while the program runs, where it cannot be subscripted


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A decoded keyframe, `time` seconds after the start of the file."""

    time: float
    frame: VideoFrame


class KeyframeReader:
    """The keyframes of one video track; ask for moments in ascending order.

    The container has to be freshly opened and belongs to this reader: its other tracks are not read any more. Its clock
    shows `start` seconds at 0.
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
        self._position = 0.0  # decoding time of what was read last
        self._held: _Packet | None = None  # a keyframe that was read but is after what was asked for
        self._latest: Keyframe | None = None
        self._run_up = 0.0
        self._vain = 0
        self._over = False
        self.reached = 0.0
        """Seconds up to which there was anything to read."""

    @property
    def ended(self) -> bool:
        """Whether nothing is left to read: the file's end was met, and leaping over it led nowhere."""
        return self._over and self._vain >= MOST_VAIN_LEAPS

    def at(self, moment: float) -> Keyframe | None:
        """The last keyframe at or before `moment` seconds, or the first one there is when that is later.

        The same `Keyframe` again when there is no newer one; None when nothing could be decoded.
        """
        moment += HAIR
        if self._held is None or self._time(self._held) <= moment:
            near = NEAR if self._over else max(NEAR, self._run_up)
            far = moment > self._position + near and self._vain < MOST_VAIN_LEAPS
            self._show(self._leap(moment) if far else self._read_until(moment))
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
        """The picture of one keyframe, taken out of the decoder at once; None when it is damaged."""
        frames: list[VideoFrame] = []
        try:
            self._context.flush_buffers()
            frames += self._context.decode(packet)
            if not frames:
                frames += self._context.decode(None)
        except FFmpegError:
            pass
        return frames[0] if frames else None

    def _leap(self, moment: float) -> _Packet | None:
        """Seek to `moment`; the keyframe to show there, None when there is none newer than the latest."""
        before = self._latest.time if self._latest else -math.inf
        read = self._position
        if not self._seek(moment):
            return self._read_until(moment)
        packet = self._read_key()
        self._vain += packet is None
        if packet is None or self._time(packet) > moment:
            return self._approach(moment, before)
        time = self._time(packet)
        if time > before:
            self._vain = 0
            return packet
        if time == before and self._indexed(moment):
            self._position = max(read, time)
            return None
        # Either there really is no newer keyframe, or the index ends here and knows nothing of those that follow.
        self._vain += 1
        return self._read_until(moment)

    def _approach(self, moment: float, before: float) -> _Packet | None:
        """The keyframe for `moment` where a leap ended behind it: there is no index, it is somewhere further back."""
        run_up = max(RUN_UP, self._run_up)
        while True:
            self._seek(moment - run_up)
            packet = self._read_until(moment)
            if packet is not None or run_up >= LONGEST_RUN_UP or moment - run_up <= before:
                self._run_up = run_up
                return packet
            run_up = min(LONGEST_RUN_UP, run_up * 2)

    def _seek(self, moment: float) -> bool:
        self._held = None
        try:
            self._container.seek(int((moment + self._origin) / self._tick), stream=self._stream)
        except (FFmpegError, OverflowError):
            self._vain += 1
            self._packets = self._container.demux(self._stream)
            return False
        self._packets = self._container.demux(self._stream)
        self._position = -math.inf
        self._over = False
        return True

    def _indexed(self, moment: float) -> bool:
        """Whether the container's index reaches beyond `moment`, so that it would know of keyframes before."""
        entries = self._stream.index_entries
        return len(entries) > 0 and self._seconds(entries[len(entries) - 1].timestamp) >= moment

    def _read_until(self, moment: float) -> _Packet | None:
        """Read on up to `moment`; the last keyframe on the way that is not after it."""
        best, self._held = self._held, None
        for packet in self._read():
            if packet.is_keyframe:
                if self._time(packet) > moment:
                    self._held = packet
                    break
                best = packet
            elif self._position > moment:
                break
        known = self._latest is not None and best is not None and self._time(best) == self._latest.time
        return None if known else best

    def _read_key(self) -> _Packet | None:
        return next((packet for packet in self._read() if packet.is_keyframe), None)

    def _take_next(self) -> _Packet | None:
        packet, self._held = self._held, None
        return packet or self._read_key()

    def _read(self) -> Iterator[_Packet]:
        try:
            for packet in self._packets:
                if packet.size:  # the last one, which is empty, only tells a decoder to finish
                    self._position = self._seconds(packet.dts, packet.pts)
                    self.reached = max(self.reached, self._position)
                    yield packet
        except FFmpegError:
            pass  # damage ends what can be read from here; a leap may still find what is behind it
        self._over = True

    def _time(self, packet: _Packet) -> float:
        return self._seconds(packet.pts, packet.dts)

    def _seconds(self, *ticks: int | None) -> float:
        """The first of these that is known; files without any times are all at their start."""
        return next((known * self._tick - self._origin for known in ticks if known is not None), 0.0)


class JoinedKeyframeReader:
    """The same of a file of several parts, one behind the other; `parts` opens each, and says when it begins."""

    def __init__(self, parts: Iterator[tuple[float, KeyframeReader]]) -> None:
        self._parts = parts
        self._begins, self._now = next(parts)
        self._following = next(parts, None)
        self._shown: dict[int, Keyframe] = {}

    @property
    def ended(self) -> bool:
        """Whether nothing is left to read."""
        return self._following is None and self._now.ended

    @property
    def reached(self) -> float:
        """Seconds up to which there was anything to read."""
        return self._begins + self._now.reached

    def at(self, moment: float) -> Keyframe | None:
        """The last keyframe at or before `moment` seconds, as `KeyframeReader.at` has it."""
        while self._following is not None and moment >= self._following[0]:
            self._begins, self._now = self._following
            self._following = next(self._parts, None)
            self._shown.clear()
        still = self._now.at(moment - self._begins)
        if still is None:
            return None
        if id(still) not in self._shown:
            self._shown = {id(still): Keyframe(still.time + self._begins, still.frame)}
        return self._shown[id(still)]
