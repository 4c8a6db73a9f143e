"""The media info of a video, found by a probe, as plain data, to and from JSON (pure).

The JSON may come from the process that parses untrusted media, or from the database. `MediaInfo.from_json` accepts
only exactly the types declared here, and nothing longer than the limits allow.
"""

import math
from dataclasses import MISSING, dataclass, fields, is_dataclass
from fractions import Fraction
from functools import cache
from types import UnionType
from typing import Any, Literal, Self, Union, get_args, get_origin, get_type_hints

TEXT_LIMIT = 1000
"""Characters of a title."""

MEASURABLE = 0.1
"""Seconds. If less than this is missing, the message does not give the full duration."""

TRACK_LIMIT = 200
CHAPTER_LIMIT = 2000
KEYFRAME_LIMIT = 20_000
LIST_LIMIT = KEYFRAME_LIMIT

LARGEST = 1e12
"""All numbers in media info are smaller: clocks count seconds since 1970, in at most 64 bits."""

type Hdr = Literal["HDR10", "HLG", "Dolby Vision"]


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """`codec` is FFmpeg's name, `codec_string` that of browsers (RFC 6381), None if there is none.

    `width` and `height` are those of the stored frames. A player stretches their pixels to the width `pixel_aspect`,
    then turns the frames clockwise by `rotation` degrees. `transfer` and `primaries` are named as in ITU-T H.273, None
    if the file does not give them. `frame_rate` is the mean in frames per second.
    """

    index: int
    codec: str
    codec_string: str | None
    profile: str | None
    width: int
    height: int
    pixel_aspect: Fraction
    rotation: int
    frame_rate: Fraction | None
    variable_frame_rate: bool
    pixel_format: str | None
    bit_depth: int | None
    transfer: str | None
    primaries: str | None
    hdr: Hdr | None
    bit_rate: int | None
    language: str | None
    title: str | None
    default: bool

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height of the frames as a player shows them, in square pixels."""
        width = max(1, round(self.width * self.pixel_aspect))
        return (self.height, width) if self.rotation % 180 == 90 else (width, self.height)


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """`channels` is their number, `layout` FFmpeg's name of the layout ("5.1(side)"); `sample_rate` in Hz."""

    index: int
    codec: str
    codec_string: str | None
    profile: str | None
    channels: int
    layout: str | None
    sample_rate: int
    bit_rate: int | None
    language: str | None
    title: str | None
    default: bool


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """`text` is true for text subtitles and false for bitmap subtitles."""

    index: int
    codec: str
    text: bool
    language: str | None
    title: str | None
    forced: bool
    hearing_impaired: bool
    default: bool


@dataclass(frozen=True, slots=True)
class Chapter:
    """Times in seconds from the beginning."""

    start: float
    end: float
    title: str | None


@dataclass(frozen=True, slots=True)
class Keyframes:
    """Where decoding of video track `track` can begin, in seconds from the beginning, to the millisecond.

    They are listed up to `until` seconds, None: to the end. In an MP4 file with open GOPs they may be a few frames
    early. A very long file may have too many to list them all.
    """

    track: int
    times: tuple[float, ...]
    until: float | None


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """The result of a probe. `duration` in seconds, `bit_rate` in bits per second, of the whole file.

    All times count from where the presentation begins; the clock of the file shows `start` seconds there. If the file
    is truncated, the available part ends at `until` seconds; None: nothing is missing, as far as can be detected.
    `recoded`: the sample entries of an MP4 file say that the coding of a track changes.

    `container` is a short name: mp4, mov, matroska, webm, mpegts, avi...; `video` and `audio` begin with the track that
    is played. `cover` is the index of a track of still images that is in neither list: an image attached to the file,
    or one for each chapter.
    """

    container: str
    duration: float | None
    bit_rate: int | None
    title: str | None
    video: tuple[VideoTrack, ...]
    audio: tuple[AudioTrack, ...]
    subtitles: tuple[SubtitleTrack, ...]
    chapters: tuple[Chapter, ...]
    keyframes: Keyframes | None
    cover: int | None
    start: float = 0.0
    until: float | None = None
    recoded: bool = False

    @property
    def missing(self) -> str | None:
        """What is missing from the file, as a message for users; None if nothing is."""
        if self.until is None or self.duration is None:
            return None
        of_duration = f" of {self.duration:.1f}" if self.duration - self.until > MEASURABLE else ""
        return f"the file is truncated: {self.until:.1f}{of_duration} seconds are available"

    def to_json(self) -> dict[str, Any]:
        """What `json` can hold; a fraction as "numerator/denominator"."""
        plain: dict[str, Any] = to_plain(self)
        return plain

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The inverse of `to_json`. Raises `ValueError` for anything else."""
        info: Self = from_plain(cls, data, cls.__name__)
        return info


def to_plain(value: Any) -> Any:
    """Convert dataclasses, tuples and fractions to what `json` can hold."""
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def from_plain(kind: Any, data: object, where: str) -> Any:  # noqa: C901, PLR0911, PLR0912 - a table of types
    """Read `data` as a `kind`. Raises `ValueError` with `where` in its message."""
    if hasattr(kind, "__value__"):
        kind = kind.__value__  # a `type` statement
    origin = get_origin(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        # Rows stored by an earlier version lack the fields with a default.
        needed = {field.name for field in fields(kind) if field.default is MISSING}
        if not isinstance(data, dict) or not needed <= data.keys() <= hints.keys():
            raise ValueError(f"{where} is not a {kind.__name__}")
        return kind(
            **{name: from_plain(hints[name], value, f"{where}.{name}") for name, value in data.items()}
        )
    if origin in (Union, UnionType):
        if data is None:
            return None
        (kind,) = (option for option in get_args(kind) if option is not type(None))
        return from_plain(kind, data, where)
    if origin is tuple:
        if not isinstance(data, list) or len(data) > LIST_LIMIT:
            raise ValueError(f"{where} is not a list of at most {LIST_LIMIT}")
        item_kind = get_args(kind)[0]
        return tuple(from_plain(item_kind, item, where) for item in data)
    if origin is Literal:
        if data not in get_args(kind):
            raise ValueError(f"{where} has an unknown value")
        return data
    if kind is float and type(data) in (int, float):
        number = float(data)  # type: ignore[arg-type] # one of the two types
        if math.isfinite(number) and abs(number) < LARGEST:
            return number
    elif kind is int and type(data) is int and abs(data) < 1 << 62:
        return data
    elif kind is Fraction and isinstance(data, str):
        return _fraction(data, where)
    elif kind is bool and isinstance(data, bool):
        return data
    elif kind is str and isinstance(data, str) and len(data) <= TEXT_LIMIT and "\0" not in data:
        data.encode()  # a lone surrogate cannot be stored: UnicodeEncodeError is a ValueError
        return data
    raise ValueError(f"{where} is not a {kind.__name__}")


def _fraction(text: str, where: str) -> Fraction:
    numerator, slash, denominator = text.partition("/")
    if slash and numerator.isdigit() and denominator.isdigit() and len(text) <= 40 and int(denominator):
        return Fraction(int(numerator), int(denominator))
    raise ValueError(f"{where} is not a fraction")
