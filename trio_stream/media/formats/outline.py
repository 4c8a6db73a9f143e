"""What packaging needs to know about a file that is remuxed, as plain data, to and from JSON (pure).

All times of a track are whole numbers of its `timescale`, on the presentation timeline: 0 is what a player shows at 0
when it plays the file itself. The segments of the track carry exactly these times, so a playlist describes each segment
correctly.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from trio_stream.media.formats import media_info

TRACK_LIMIT = 32
"""Tracks that are examined; the others are listed with the limit as the reason why they are left out."""

SEGMENT_LIMIT = 160 << 20
"""Bytes of a segment, at most: six seconds of 200 Mbit/s."""

LARGEST = 1 << 50
"""All sizes in bytes and all keyframe times are smaller."""

KEYFRAME_LIMIT = 10_000
"""Keyframes of one file: if there are more, every second one is left out until there are fewer."""


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """Parameter sets of H.264 or HEVC that apply from the keyframe shown at `since`: a byte stream, in hexadecimal."""

    since: int
    units: str


@dataclass(frozen=True, slots=True)
class Carriage:
    """How a track is carried in fragmented MP4, and what the jobs that build its segments need to know.

    A timestamp `t` of the container, in `time_base` seconds, is (t - `origin`) * `time_base` on the presentation
    timeline. `first` is the time of the first sample. It is negative if something precedes the presentation: the
    priming of an audio decoder, or frames that an edit list hides. Then all decode times are `lead` later. If frames
    are not shown in decoding order, they are shown `delay` later. An edit list in the init segment compensates for
    both. So decoding of a segment begins at the time from which it is shown, or `lead` later.

    Packets of `step` samples each lie on a grid that begins at `first`; 0: their lengths differ. `refusal` says why a
    track cannot be carried.

    `sets` are the parameter sets of a video track, as far as the jobs need them. If they are `in_band`, samples keep
    their own, and a keyframe that has none gets those that apply. Otherwise they are in the init segment only.

    `start` and `end` are those of the track, in seconds of the presentation, as far as they were found. `sizes` are the
    bytes of all its packets between one keyframe of the outline and the next; one number if the outline has none.

    The track is in the bytes [`begin`, `stop`) of the file (`media.containers.parts`), with the index `index` there.
    `stop` None: up to the end. `index` None: the index it has in the outline. `init` numbers the init segments of a
    track: equal ones have the same number.
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
        """How much is added to decode times so that none is negative."""
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
        """Raise `ValueError` for numbers that make no sense."""
        if not 0 < self.timescale < 1 << 31 or not self.time_base or min(self.step, self.delay) < 0:
            raise ValueError("a track has no valid clock")
        if not 0 <= min(self.sizes, default=0) <= max(self.sizes, default=0) < LARGEST:
            raise ValueError("an impossible size")
        if not 0 <= self.begin < LARGEST or not 0 <= self.init < LARGEST or (self.stop or 0) >= LARGEST:
            raise ValueError("an impossible part of the file")
        for parameter_sets in self.sets:
            bytes.fromhex(parameter_sets.units)


@dataclass(frozen=True, slots=True)
class VideoOutline:
    """A video track: its media info, and how it is carried."""

    track: media_info.VideoTrack
    carriage: Carriage


@dataclass(frozen=True, slots=True)
class AudioOutline:
    """An audio track: its media info, and how it is carried."""

    track: media_info.AudioTrack
    carriage: Carriage


@dataclass(frozen=True, slots=True)
class KeyframeTable:
    """Where the video track `track` can be cut.

    `times` are when its keyframes are shown. `starts` are when the first frame of a segment that begins with such a
    keyframe is shown: the same for a closed GOP, earlier for an open one, None if it was not examined. `sizes` are the
    bytes of the keyframes alone, None if they were not examined. All are listed up to `until` seconds, None: to the
    end.
    """

    track: int
    times: tuple[int, ...]
    starts: tuple[int | None, ...]
    sizes: tuple[int | None, ...]
    until: float | None


@dataclass(frozen=True, slots=True)
class FilePart:
    """A part of a file, on the timeline of the whole file, from `start` seconds on.

    A track that continues from part to part keeps its index.
    """

    start: float
    video: tuple[VideoOutline, ...]
    audio: tuple[AudioOutline, ...]
    cuts: KeyframeTable | None
    changes: tuple[AudioOutline, ...] = ()

    @property
    def tracks(self) -> tuple[VideoOutline | AudioOutline, ...]:
        """All tracks; one whose coding changes is listed more than once."""
        return (*self.video, *self.audio, *self.changes)

    def check(self) -> None:
        """Raise `ValueError` for numbers that make no sense."""
        for track in self.tracks:
            track.carriage.check()
        if (cuts := self.cuts) is not None:
            sizes = [video.carriage.sizes for video in self.video if video.track.index == cuts.track]
            columns = (cuts.times, cuts.starts, cuts.sizes, *sizes)
            if not sizes or any(len(column) != len(cuts.times) for column in columns):
                raise ValueError("lists of keyframes whose lengths differ")
            if any(abs(value) >= LARGEST for column in columns for value in column if value is not None):
                raise ValueError("keyframes at impossible times")


@dataclass(frozen=True, slots=True)
class Outline:
    """The result of the job "outline". `duration` in seconds; `exact`: sizes were counted, not estimated.

    If the file has several parts, this is the first, and `later` are the others. `changes`: where the coding of an
    audio track changes, the track continues as another one with the same index, in order. `unread` says why the outline
    ends before the file does.
    """

    container: str
    duration: float | None
    video: tuple[VideoOutline, ...]
    audio: tuple[AudioOutline, ...]
    cuts: KeyframeTable | None
    exact: bool
    changes: tuple[AudioOutline, ...] = ()
    later: tuple[FilePart, ...] = ()
    unread: str | None = None

    @property
    def parts(self) -> tuple[FilePart, ...]:
        """All parts, in order."""
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
