"""Presentations: the renditions of a title, each with its segments, as plain data that can be serialized.

A `Presentation` is small (a few bytes for each segment) and is stored in the database, so that a file has to be read
only once for its playlists. It does not say which bytes are in a segment: that takes the tables of the file.

Times of a rendition are in units of its timescale and start at 0, as players show them.
"""

import json
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any, Literal, Self

from trio_stream.packaging.cutting import SCHEME

LARGEST = 16 << 20
"""Maximum bytes of a presentation, decompressed."""

MAX_PEAK_SEGMENTS = 32
"""How many segments after the minimum duration are tried as the end of a peak."""


_FAULTS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    zlib.error,
)
"""Exceptions that arbitrary data can cause when it is read as a presentation."""


@dataclass(frozen=True, slots=True)
class Segments:
    """`starts` are the times at which segments begin, and the end; `samples` the first sample of each, and the number
    of samples; `sizes` the bytes of each."""

    starts: Sequence[int]
    samples: Sequence[int]
    sizes: Sequence[int]

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def nbytes(self) -> int:
        """Approximate memory use, in bytes."""
        return 24 * len(self.sizes) + 300


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive segments of a rendition, from number `first` on, with the same carriage: from one part of the file,
    coded in one way.

    `key` is its first keyframe. `Segments.samples` of the rendition are in units of this `timescale` here, and the last
    segment ends at `until`. `init` numbers its init segment; several of them may share one. The other fields are those
    of `Rendition`.
    """

    first: int
    key: int
    carriage: Mapping[str, Any]
    timescale: int
    until: int
    init: int
    codecs: str
    width: int = 0
    height: int = 0
    channels: int = 0
    sample_rate: int = 0


@dataclass(frozen=True, slots=True)
class Rendition:
    """One track as it is packaged; `name` is its component in URLs: "v1", "a2".

    `width` and `height` are the displayed frame size; `video_range` is "SDR", "PQ" or "HLG". `keys` are the keyframes,
    with times and sizes like segments. `carriage` has the parameters for remuxing jobs. `independent`: no segment
    begins with frames that need the previous one. `spans` is set if the carriage changes; the fields of the
    rendition are then those of the first one."""

    name: str
    kind: Literal["video", "audio"]
    track: int
    codecs: str
    timescale: int
    segments: Segments
    language: str | None = None
    label: str | None = None
    default: bool = False
    width: int = 0
    height: int = 0
    pixel_aspect: Fraction = Fraction(1)
    frame_rate: Fraction | None = None
    video_range: str = "SDR"
    channels: int = 0
    sample_rate: int = 0
    keys: Segments | None = None
    independent: bool = True
    carriage: Mapping[str, Any] | None = None
    spans: tuple[Span, ...] = ()

    def span_at(self, number: int, *, keyframe: bool = False) -> Span | None:
        """The span of a segment or keyframe; None if the carriage never changes."""
        within = (span for span in self.spans if (span.key if keyframe else span.first) <= number)
        return max(within, key=lambda span: span.first, default=None)

    @property
    def inits(self) -> Mapping[int, str]:
        """The numbers of the segments at which the init segment changes, and the name of the new one."""
        names = {0: init_name(0)}
        for before, after in pairwise(self.spans):
            if after.init != before.init:
                names[after.first] = init_name(after.init)
        return names

    @property
    def longest(self) -> float:
        """Duration of the longest segment, in seconds."""
        return max(after - before for before, after in pairwise(self.segments.starts)) / self.timescale

    @property
    def end(self) -> float:
        """The end, in seconds."""
        return self.segments.starts[-1] / self.timescale

    @property
    def bandwidth(self) -> tuple[int, int]:
        """Bits per second: the peak over consecutive segments that last about a target duration (RFC 8216 section
        4.3.4.2), and the average."""
        return bandwidth(self.segments, self.timescale)


def init_name(number: int) -> str:
    """The name of an init segment in URLs."""
    return f"init{number or ''}.mp4"


def bandwidth(segments: Segments, timescale: int, target: int | None = None) -> tuple[int, int]:
    """Peak and average bits per second.

    The peak is over consecutive segments that last between half and one and a half times `target` seconds (by default
    the duration of the longest segment).
    """
    starts, total = list(segments.starts), (segments.starts[-1] - segments.starts[0]) / timescale
    longest = (
        target * timescale
        if target is not None
        else max((after - before for before, after in pairwise(starts)), default=0)
    )
    low, high = max(1, longest / 2), longest * 1.5
    before = list(accumulate(segments.sizes, initial=0))
    last, count, peak, peak_bytes, peak_length = 0, len(starts), 0.0, 0, 1
    for first, start in enumerate(starts[:-1]):  # runs about a thousand times per video
        sent, last = before[first], max(last, first + 1)
        while last < count and starts[last] < start + low:
            last += 1
        for stop in range(last, min(last + MAX_PEAK_SEGMENTS, count)):
            length = starts[stop] - start
            if length > high:
                break
            rate = (before[stop] - sent) / length
            if rate > peak:
                peak, peak_bytes, peak_length = rate, before[stop] - sent, length
    peak = peak_bytes * 8 * timescale / peak_length
    average = before[-1] * 8 / total if total > 0 else 0.0
    return max(round(peak), round(average), 1), max(round(average), 1)


type Reason = Literal["codec", "encrypted", "programme", "second-video", "other"]
"""Code for the reason why a track is omitted: its codec is not packaged; it is encrypted; it belongs to another
programme of a broadcast; another video track is played; or something else."""

REASONS: tuple[Reason, ...] = ("codec", "encrypted", "programme", "second-video", "other")


@dataclass(frozen=True, slots=True)
class Omission:
    """A track of the file, or a part of one, that is not offered: the `reason` for users, a `code` for programs.

    `track` is numbered as in `Rendition.track`, `codec` is what the file calls its codec.
    """

    kind: Literal["video", "audio"]
    track: int
    codec: str
    reason: str
    language: str | None = None
    label: str | None = None
    code: Reason = "other"


@dataclass(frozen=True, slots=True)
class Presentation:
    """All renditions of one file, the video first. `by_copy`: segments consist of the file's own bytes.

    `omitted` are the video and audio tracks that are left out, entirely or in part: none without a reason.
    """

    renditions: tuple[Rendition, ...]
    by_copy: bool = True
    omitted: tuple[Omission, ...] = ()

    @property
    def video(self) -> Rendition | None:
        """The video rendition."""
        return next((rendition for rendition in self.renditions if rendition.kind == "video"), None)

    @property
    def audio(self) -> tuple[Rendition, ...]:
        """The audio renditions."""
        return tuple(rendition for rendition in self.renditions if rendition.kind == "audio")

    @property
    def nbytes(self) -> int:
        """Approximate memory use, in bytes."""
        listed = (
            segments for rendition in self.renditions for segments in (rendition.segments, rendition.keys)
        )
        others = len(self.omitted) + sum(len(rendition.spans) for rendition in self.renditions)
        return sum(segments.nbytes for segments in listed if segments is not None) + 1000 * others

    @property
    def duration(self) -> float:
        """In seconds."""
        return max((rendition.end for rendition in self.renditions), default=0.0)

    @property
    def target_duration(self) -> int:
        """The longest segment duration, rounded to whole seconds (RFC 8216 section 4.3.3.1)."""
        longest = max((rendition.longest for rendition in self.renditions), default=1.0)
        return max(1, int(longest + 0.5))

    def find(self, name: str) -> Rendition | None:
        """The rendition of that name."""
        return next((rendition for rendition in self.renditions if rendition.name == name), None)

    def to_bytes(self) -> bytes:
        """Serialized for the database."""
        plain = {
            "scheme": SCHEME,
            "by_copy": self.by_copy,
            "renditions": [_plain(rendition) for rendition in self.renditions],
            "omitted": [asdict(omission) for omission in self.omitted],
        }
        return zlib.compress(json.dumps(plain, separators=(",", ":")).encode())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self | None:
        """The inverse of `to_bytes`; None for data of another version. Raises `ValueError` for invalid data."""
        try:
            decompressed = zlib.decompressobj().decompress(data, LARGEST)
            plain = json.loads(decompressed)
            if plain["scheme"] != SCHEME:
                return None
            renditions = tuple(_rendition(rendition) for rendition in plain["renditions"])
            return cls(
                renditions, plain["by_copy"], tuple(Omission(**omission) for omission in plain["omitted"])
            )
        except _FAULTS as error:
            raise ValueError(f"not a stored presentation: {error}") from None


def _plain(rendition: Rendition) -> dict[str, Any]:
    plain = {field.name: getattr(rendition, field.name) for field in fields(rendition)}
    for name in ("segments", "keys"):
        if (segments := plain[name]) is not None:
            plain[name] = {key: _steps(values) for key, values in asdict(segments).items()}
    for name in ("pixel_aspect", "frame_rate"):
        plain[name] = str(plain[name]) if plain[name] is not None else None
    plain["stretches"] = [asdict(span) for span in plain.pop("spans")]
    return plain


def _rendition(plain: dict[str, Any]) -> Rendition:
    for name in ("segments", "keys"):
        if (segments := plain[name]) is not None:
            plain[name] = Segments(**{key: _sums(values) for key, values in segments.items()})
    for name in ("pixel_aspect", "frame_rate"):
        plain[name] = Fraction(plain[name]) if plain[name] is not None else None
    plain["spans"] = tuple(Span(**span) for span in plain.pop("stretches"))
    return Rendition(**plain)


def _steps(values: Sequence[int]) -> list[int]:
    """Differences: most of them are equal, and compress well."""
    return [after - before for before, after in zip([0, *values], values, strict=False)]


def _sums(steps: Sequence[int]) -> "array[int]":
    total, sums = 0, array("q")
    for step in steps:
        total += step
        sums.append(total)
    return sums
