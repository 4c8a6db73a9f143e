"""What manifests are made of: the renditions of a title, each with its segments, as plain data, to and from bytes.

A `Presentation` is small (some bytes for each segment) and is kept in the database, so that a playlist needs the file
read once in its life. What a segment is made of is not in it: that takes the tables of the file.

Times of a rendition are in units of its timescale, from 0 on as players show them.
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
"""Bytes of a presentation, unpacked."""

MOST_TOGETHER = 32
"""Ways to go on with neighbouring segments that are looked at for a peak, once these last long enough."""


_FAULTS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What comes of taking anything for a presentation."""


@dataclass(frozen=True, slots=True)
class Segments:
    """`starts` has the time at which each segment begins, and the end; `samples` the first sample of each, and their
    number; `sizes` the bytes of each."""

    starts: Sequence[int]
    samples: Sequence[int]
    sizes: Sequence[int]

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def nbytes(self) -> int:
        """Memory it takes, in bytes, within some."""
        return 24 * len(self.sizes) + 300


@dataclass(frozen=True, slots=True)
class Stretch:
    """Segments of a rendition, from number `first` on, that are carried alike: of one part, coded in one way.

    `key` is the first keyframe of it. `Segments.samples` of the rendition are in units of this `timescale` here, and
    the last segment goes on to `until`. `init` numbers its init segment: there may be fewer of them than stretches. The
    rest is as `Rendition` has it.
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
    """One track as it is packaged; `name` is its place in addresses: "v1", "a2".

    `width` and `height` are those of the pictures as they are shown; `video_range` is "SDR", "PQ" or "HLG". `keys`
    are the keyframes, each with time and bytes as segments have them. `carriage` is what a remuxing job needs.
    `independent`: no segment begins with pictures that need the one before. `stretches`, if there are several ways in
    which it is carried; what else is said is then true of the first one."""

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
    stretches: tuple[Stretch, ...] = ()

    def stretch(self, number: int, *, keyframe: bool = False) -> Stretch | None:
        """That to which a segment belongs, or a keyframe; None if there are no several."""
        within = (each for each in self.stretches if (each.key if keyframe else each.first) <= number)
        return max(within, key=lambda each: each.first, default=None)

    @property
    def inits(self) -> Mapping[int, str]:
        """The numbers of segments from which on there is another init segment than before, and how it is called."""
        found = {0: init_name(0)}
        for before, after in pairwise(self.stretches):
            if after.init != before.init:
                found[after.first] = init_name(after.init)
        return found

    @property
    def longest(self) -> float:
        """Seconds of the longest segment."""
        return max(after - before for before, after in pairwise(self.segments.starts)) / self.timescale

    @property
    def end(self) -> float:
        """When it ends, in seconds."""
        return self.segments.starts[-1] / self.timescale

    @property
    def bandwidth(self) -> tuple[int, int]:
        """Bits a second: the peak of some segments in a row that last about a target (RFC 8216 section 4.3.4.2), and
        the average."""
        return bandwidth(self.segments, self.timescale)


def init_name(number: int) -> str:
    """What an init segment is called in addresses."""
    return f"init{number or ''}.mp4"


def bandwidth(segments: Segments, timescale: int, target: int | None = None) -> tuple[int, int]:
    """Peak and average bits a second.

    The peak is that of any neighbouring segments which together last from half of `target` seconds (those of the
    longest segment, where none are given) to one and a half times it.
    """
    starts, total = list(segments.starts), (segments.starts[-1] - segments.starts[0]) / timescale
    longest = (
        target * timescale
        if target is not None
        else max((after - before for before, after in pairwise(starts)), default=0)
    )
    low, high = max(1, longest / 2), longest * 1.5
    before = list(accumulate(segments.sizes, initial=0))
    last, count, peak, most, within = 0, len(starts), 0.0, 0, 1
    for first, start in enumerate(starts[:-1]):  # of each film, some thousand times
        sent, last = before[first], max(last, first + 1)
        while last < count and starts[last] < start + low:
            last += 1
        for stop in range(last, min(last + MOST_TOGETHER, count)):
            length = starts[stop] - start
            if length > high:
                break
            rate = (before[stop] - sent) / length
            if rate > peak:
                peak, most, within = rate, before[stop] - sent, length
    peak = most * 8 * timescale / within
    average = before[-1] * 8 / total if total > 0 else 0.0
    return max(round(peak), round(average), 1), max(round(average), 1)


type Reason = Literal["codec", "encrypted", "programme", "second-video", "other"]
"""Why a track is left out, for programs: its codec is not packaged; it is encrypted; it belongs to another programme of
a broadcast; other pictures are played; or else."""

REASONS: tuple[Reason, ...] = ("codec", "encrypted", "programme", "second-video", "other")


@dataclass(frozen=True, slots=True)
class Omission:
    """A track of the file that is not offered, and why: in a sentence for people, and as a `code` for programs.

    `track` numbers it as `Rendition.track` does, `codec` is what the file calls its coding.
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
    """All renditions of one file; the pictures first. `by_copy` tells that segments are the file's own bytes.

    `omitted` are the tracks of pictures and sound that are no renditions: none is left out without a reason.
    """

    renditions: tuple[Rendition, ...]
    by_copy: bool = True
    omitted: tuple[Omission, ...] = ()

    @property
    def video(self) -> Rendition | None:
        """The pictures."""
        return next((each for each in self.renditions if each.kind == "video"), None)

    @property
    def audio(self) -> tuple[Rendition, ...]:
        """The sounds."""
        return tuple(each for each in self.renditions if each.kind == "audio")

    @property
    def nbytes(self) -> int:
        """Memory it takes, in bytes, within some."""
        listed = (each for rendition in self.renditions for each in (rendition.segments, rendition.keys))
        others = len(self.omitted) + sum(len(each.stretches) for each in self.renditions)
        return sum(each.nbytes for each in listed if each is not None) + 1000 * others

    @property
    def duration(self) -> float:
        """Seconds."""
        return max((each.end for each in self.renditions), default=0.0)

    @property
    def target_duration(self) -> int:
        """Whole seconds that no segment lasts longer than, rounded (RFC 8216 section 4.3.3.1)."""
        longest = max((each.longest for each in self.renditions), default=1.0)
        return max(1, int(longest + 0.5))

    def find(self, name: str) -> Rendition | None:
        """The rendition of that name."""
        return next((each for each in self.renditions if each.name == name), None)

    def pack(self) -> bytes:
        """As bytes, for the database."""
        plain = {
            "scheme": SCHEME,
            "by_copy": self.by_copy,
            "renditions": [_plain(each) for each in self.renditions],
            "omitted": [asdict(each) for each in self.omitted],
        }
        return zlib.compress(json.dumps(plain, separators=(",", ":")).encode())

    @classmethod
    def unpack(cls, data: bytes) -> Self | None:
        """The inverse of `pack`; None for what another version packed. Raises `ValueError` for what nobody did."""
        try:
            text = zlib.decompressobj().decompress(data, LARGEST)
            plain = json.loads(text)
            if plain["scheme"] != SCHEME:
                return None
            renditions = tuple(_rendition(each) for each in plain["renditions"])
            return cls(renditions, plain["by_copy"], tuple(Omission(**each) for each in plain["omitted"]))
        except _FAULTS as error:
            raise ValueError(f"no packed presentation: {error}") from None


def _plain(rendition: Rendition) -> dict[str, Any]:
    plain = {field.name: getattr(rendition, field.name) for field in fields(rendition)}
    for name in ("segments", "keys"):
        if (segments := plain[name]) is not None:
            plain[name] = {key: _steps(values) for key, values in asdict(segments).items()}
    for name in ("pixel_aspect", "frame_rate"):
        plain[name] = str(plain[name]) if plain[name] is not None else None
    plain["stretches"] = [asdict(each) for each in rendition.stretches]
    return plain


def _rendition(plain: dict[str, Any]) -> Rendition:
    for name in ("segments", "keys"):
        if (segments := plain[name]) is not None:
            plain[name] = Segments(**{key: _sums(values) for key, values in segments.items()})
    for name in ("pixel_aspect", "frame_rate"):
        plain[name] = Fraction(plain[name]) if plain[name] is not None else None
    plain["stretches"] = tuple(Stretch(**each) for each in plain["stretches"])
    return Rendition(**plain)


def _steps(values: Sequence[int]) -> list[int]:
    """Differences: most of them are alike, and pack well."""
    return [after - before for before, after in zip([0, *values], values, strict=False)]


def _sums(steps: Sequence[int]) -> "array[int]":
    total, sums = 0, array("q")
    for step in steps:
        total += step
        sums.append(total)
    return sums
