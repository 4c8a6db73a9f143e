"""What is known of a video once it was probed, as plain data, to and from JSON (pure).

The JSON may come from a process that read untrusted media, or out of the database: `MediaInfo.from_json` takes nothing
that does not have exactly the types named here, and nothing longer than what the limits say.
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
"""Seconds that are missing at least, if anybody knows how many are."""

TRACK_LIMIT = 200
CHAPTER_LIMIT = 2000
KEYFRAME_LIMIT = 20_000
LIST_LIMIT = KEYFRAME_LIMIT

LARGEST = 1e12
"""No number in facts is as large: clocks count seconds since 1970, and at most 64 bits of them."""

type Hdr = Literal["HDR10", "HLG", "Dolby Vision"]


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """`codec` as FFmpeg names it, `codec_string` as browsers know it (RFC 6381), None where there is no such name.

    `width` and `height` are of the pictures as they are stored; a player makes their pixels `pixel_aspect` wide and
    then turns them clockwise by `rotation` degrees. `transfer` and `primaries` are named as in ITU-T H.273, None
    where the file does not say. `frame_rate` is the mean, pictures a second.
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
        """Width and height of the pictures as a player shows them, in square pixels."""
        width = max(1, round(self.width * self.pixel_aspect))
        return (self.height, width) if self.rotation % 180 == 90 else (width, self.height)


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """`channels` counts them, `layout` names them as FFmpeg does ("5.1(side)"); `sample_rate` in Hz."""

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
    """`text` tells those that are words from those that are pictures."""

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
    """Seconds from the beginning."""

    start: float
    end: float
    title: str | None


@dataclass(frozen=True, slots=True)
class Keyframes:
    """Where decoding of video track `track` can begin, in seconds from the beginning, to the millisecond.

    They are known up to `until` seconds, None: to the end. In an MP4 file whose groups of pictures are open they
    may be a few frames early; in a very long file with very many, not all are in the list.
    """

    track: int
    times: tuple[float, ...]
    until: float | None


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a probe found. `duration` in seconds, `bit_rate` in bits a second, of the whole file.

    All times count from where the presentation begins; the clock of the file shows `start` seconds there. Where the end
    of the file is missing, what is there ends at `until` seconds; None: nothing is missing, as far as one can tell.
    `recoded`: the sample entries of an MP4 file say that the coding of a track changes.

    `container` is a short name: mp4, mov, matroska, webm, mpegts, avi...; `video` and `audio` begin with the track that
    is played; `cover` is the index of a track of single pictures that is none of them: a picture attached to the file,
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
        """What is missing of the file, in a sentence for people; None if nothing is."""
        if self.until is None or self.duration is None:
            return None
        of_all = f" of {self.duration:.1f}" if self.duration - self.until > MEASURABLE else ""
        return f"its end is missing: {self.until:.1f}{of_all} seconds are there"

    def to_json(self) -> dict[str, Any]:
        """What `json` can hold; a fraction as "numerator/denominator"."""
        plain: dict[str, Any] = to_plain(self)
        return plain

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The inverse of `to_json`. Raises `ValueError` for anything else."""
        facts: Self = from_plain(cls, data, cls.__name__)
        return facts


def to_plain(value: Any) -> Any:
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
    """`data`, read as a `kind`."""
    if hasattr(kind, "__value__"):
        kind = kind.__value__  # a `type` statement
    origin = get_origin(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        needed = {
            each.name for each in fields(kind) if each.default is MISSING
        }  # what was kept before lacks others
        if not isinstance(data, dict) or not needed <= data.keys() <= hints.keys():
            raise ValueError(f"{where} is no {kind.__name__}")
        return kind(**{name: from_plain(hints[name], each, f"{where}.{name}") for name, each in data.items()})
    if origin in (Union, UnionType):
        if data is None:
            return None
        (kind,) = (option for option in get_args(kind) if option is not type(None))
        return from_plain(kind, data, where)
    if origin is tuple:
        if not isinstance(data, list) or len(data) > LIST_LIMIT:
            raise ValueError(f"{where} is no list of at most {LIST_LIMIT}")
        item = get_args(kind)[0]
        return tuple(from_plain(item, each, where) for each in data)
    if origin is Literal:
        if data not in get_args(kind):
            raise ValueError(f"{where} has a value that is not known")
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
        data.encode()  # half a character cannot be stored: a ValueError as well
        return data
    raise ValueError(f"{where} is no {kind.__name__}")


def _fraction(text: str, where: str) -> Fraction:
    numerator, slash, denominator = text.partition("/")
    if slash and numerator.isdigit() and denominator.isdigit() and len(text) <= 40 and int(denominator):
        return Fraction(int(numerator), int(denominator))
    raise ValueError(f"{where} is no fraction")
