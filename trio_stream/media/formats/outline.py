"""What packaging has to know of a file that is remuxed, as plain data, to and from JSON (pure).

All times of a track are whole numbers of its `timescale`, on the presentation timeline: 0 is what a player that plays
the file itself shows at 0. They are the very times that the segments of the track carry, so what a playlist says of a
segment is what is in it.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from trio_stream.media.formats import media_info

TRACK_LIMIT = 32
"""Tracks that are looked at; the others are there with that as the reason why they are not carried."""

SEGMENT_LIMIT = 160 << 20
"""Bytes of a segment that is made: six seconds of 200 Mbit/s."""

LARGEST = 1 << 50
"""No size in bytes and no time of a keyframe is that large."""

KEYFRAME_LIMIT = 10_000
"""Keyframes of one file: where there are more, every second one is left out until it is fewer."""


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """Those of H.264 or HEVC that are in force from the keyframe on that is shown at `since`: a byte stream, in
    hexadecimal."""

    since: int
    units: str


@dataclass(frozen=True, slots=True)
class Carriage:
    """How a track is carried in fragmented MP4; also what the jobs that make its segments need to know.

    A timestamp `t` of the container, in `time_base` seconds, is (t - `origin`) * `time_base` on the presentation
    timeline. `first` is the time of the first sample. It is negative where something lies before the presentation:
    the priming of an audio decoder, pictures that an edit list hides. All decode times are then `lead` higher. Pictures
    that are not shown in the order of decoding are shown `delay` later. An edit list in the init segment takes back
    both. So a segment is decoded from the time on from which it is shown, or `lead` later.

    Packets of `step` samples each lie on a grid that begins at `first`; 0: they are not equally long. `refusal` says
    why a track cannot be carried.

    `sets` are the parameter sets of a video track, as far as the jobs have to know them. If they are `in_band`, samples
    keep their own, and a keyframe that has none gets those in force. Otherwise they are in the init segment alone.

    `start` and `end` are of the track, in seconds of the presentation, as far as they are known. `sizes` are bytes, of
    all its packets that lie between one keyframe of the outline and the next; one number where it has no keyframes.

    It lies in the bytes [`begin`, `stop`) of the file (`media.containers.parts`), as its track `index`; `stop` None: up
    to the end, `index` None: as the track that it is in the outline. `init` numbers the init segments of a track: where
    they are equal, there is one.
    """

    time_base: Fraction
    origin: int
    timescale: int
    first: int
    delay: int
    step: int
    start: float
    end: float | None
    sizes: tuple[int, ...]
    refusal: str | None
    begin: int = 0
    stop: int | None = None
    index: int | None = None
    init: int = 0
    in_band: bool = False
    sets: tuple[ParameterSets, ...] = ()

    @property
    def lead(self) -> int:
        """How much higher decode times are, so that none is negative."""
        return max(0, -self.first)

    def to_json(self) -> dict[str, Any]:
        """What `json` can hold."""
        plain: dict[str, Any] = media_info.to_plain(self)
        return plain

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The inverse of `to_json`. Raises `ValueError` for anything else."""
        carriage: Self = media_info.from_plain(cls, data, cls.__name__)
        carriage.check()
        return carriage

    def check(self) -> None:
        """Raise `ValueError` for numbers with which nothing can be counted."""
        if not 0 < self.timescale < 1 << 31 or not self.time_base or min(self.step, self.delay) < 0:
            raise ValueError("a track has no clock")
        if not 0 <= min(self.sizes, default=0) <= max(self.sizes, default=0) < LARGEST:
            raise ValueError("a size that no file has")
        if not 0 <= self.begin < LARGEST or not 0 <= self.init < LARGEST or (self.stop or 0) >= LARGEST:
            raise ValueError("a part that no file has")
        for each in self.sets:
            bytes.fromhex(each.units)


@dataclass(frozen=True, slots=True)
class VideoOutline:
    """A video track: what a probe knows of it, and how it is carried."""

    track: media_info.VideoTrack
    carriage: Carriage


@dataclass(frozen=True, slots=True)
class AudioOutline:
    """An audio track: what a probe knows of it, and how it is carried."""

    track: media_info.AudioTrack
    carriage: Carriage


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where the video track `track` can be cut.

    `times` are when its keyframes are shown. `starts` say when the first picture of a segment is shown that begins with
    such a keyframe: the same where the group of pictures is closed, earlier where it is open, None where nobody looked.
    `sizes` are the bytes of the keyframes alone, None where nobody looked. They are known up to `until` seconds, None:
    to the end.
    """

    track: int
    times: tuple[int, ...]
    starts: tuple[int | None, ...]
    sizes: tuple[int | None, ...]
    until: float | None


@dataclass(frozen=True, slots=True)
class FilePart:
    """A part of a file behind the first one, on the same timeline, from `start` seconds on.

    Tracks that go on from part to part have one index.
    """

    start: float
    video: tuple[VideoOutline, ...]
    audio: tuple[AudioOutline, ...]
    cuts: Cuts | None
    changes: tuple[AudioOutline, ...] = ()

    @property
    def tracks(self) -> tuple[VideoOutline | AudioOutline, ...]:
        """All of them, one that changes more than once."""
        return (*self.video, *self.audio, *self.changes)

    def check(self) -> None:
        """Raise `ValueError` for numbers with which nothing can be counted."""
        for each in self.tracks:
            each.carriage.check()
        if (cuts := self.cuts) is not None:
            sizes = [each.carriage.sizes for each in self.video if each.track.index == cuts.track]
            columns = (cuts.times, cuts.starts, cuts.sizes, *sizes)
            if not sizes or any(len(each) != len(cuts.times) for each in columns):
                raise ValueError("keyframes of which not the same is said")
            if any(abs(each) >= LARGEST for column in columns for each in column if each is not None):
                raise ValueError("keyframes that are nowhere")


@dataclass(frozen=True, slots=True)
class Outline:
    """What the job "outline" answers. `duration` in seconds; `exact`: sizes were counted, not estimated.

    A file of several parts: this is the first, and `later` are those that follow. `changes`: where the coding of a
    sound changes, the track goes on as another one of the same index, in order. `unread` says why what lies behind the
    last part is not in the outline.
    """

    container: str
    duration: float | None
    video: tuple[VideoOutline, ...]
    audio: tuple[AudioOutline, ...]
    cuts: Cuts | None
    exact: bool
    changes: tuple[AudioOutline, ...] = ()
    later: tuple[FilePart, ...] = ()
    unread: str | None = None

    @property
    def parts(self) -> tuple[FilePart, ...]:
        """All of them, in order."""
        return (FilePart(0.0, self.video, self.audio, self.cuts, self.changes), *self.later)

    def to_json(self) -> dict[str, Any]:
        """What `json` can hold."""
        plain: dict[str, Any] = media_info.to_plain(self)
        return plain

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The inverse of `to_json`. Raises `ValueError` for anything else."""
        outline: Self = media_info.from_plain(cls, data, cls.__name__)
        for part in outline.parts:
            part.check()
        return outline
