"""Tracks for the tests of packaging: samples without bytes, since nothing here reads any."""

from array import array
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from tests.mp4.making import Sample, TrackSpec, film, payload
from trio_stream.mp4.reading.movie import Movie, read_movie
from trio_stream.packaging.presentation import Presentation, Rendition, Segments
from trio_stream.packaging.title import Source, Subtitles, Title

SCALE = 90_000
SOUND = 48_000


def video_track(
    count: int = 600,
    keys: Sequence[int] = (0,),
    *,
    rate: int = 24,
    sizes: int = 1000,
    offsets: Sequence[int] = (0,),
) -> TrackSpec:
    """A video track with keyframes at `keys`; the composition `offsets` repeat, in frames."""
    duration = SCALE // rate
    samples = tuple(
        Sample(
            sizes * (10 if number in keys else 1),
            duration,
            offsets[number % len(offsets)] * duration,
            number in keys,
        )
        for number in range(count)
    )
    return TrackSpec(samples, (count,), timescale=SCALE)


def audio_track(seconds: float = 25, *, id_: int = 2, **more: Any) -> TrackSpec:
    """An AAC track: 1024 audio samples in each packet."""
    count = round(seconds * SOUND / 1024)
    return TrackSpec((Sample(300, 1024),) * count, (count,), id=id_, handler="soun", timescale=SOUND, **more)


def movie(*tracks: TrackSpec) -> Movie:
    data = film(*tracks)
    return read_movie(payload(data), len(data))


def segments(durations: Sequence[int], sizes: Sequence[int], start: int = 0) -> Segments:
    """Segments with these durations in units and sizes in bytes, one sample in each."""
    starts = [start]
    for duration in durations:
        starts.append(starts[-1] + duration)
    return Segments(array("q", starts), array("q", range(len(starts))), array("q", sizes))


def video(name: str = "v1", **more: Any) -> Rendition:
    """Video of 16 s at 24 fps."""
    defaults: dict[str, Any] = {
        "name": name,
        "kind": "video",
        "track": 1,
        "codecs": "avc1.64001f",
        "timescale": SCALE,
        "segments": segments([180_000, 360_000, 540_000, 360_000], [250_140, 500_140, 750_140, 400_000]),
        "default": True,
        "width": 1280,
        "height": 720,
        "frame_rate": Fraction(24_000, 1001),
        "keys": segments([180_000] * 8, [30_000] * 8),
    }
    return Rendition(**defaults | more)


def audio(name: str = "a2", **more: Any) -> Rendition:
    """Audio with the segment boundaries of the video."""
    defaults: dict[str, Any] = {
        "name": name,
        "kind": "audio",
        "track": int(name[1:]),
        "codecs": "mp4a.40.2",
        "timescale": SOUND,
        "segments": segments([96_256, 191_488, 288_768, 192_512], [32_000, 64_000, 96_000, 64_000]),
        "language": "en",
        "default": name == "a2",
        "channels": 2,
        "sample_rate": SOUND,
    }
    return Rendition(**defaults | more)


REVISION = "0123456789abcdef01234567"


def title(*renditions: Rendition, subtitles: Sequence[Subtitles] = (), more: Sequence[Source] = ()) -> Title:
    """A title of one file with these renditions, and of other files."""
    own = Source("", f"r/{REVISION}", Presentation(renditions or (video(), audio())))
    return Title((own, *more), tuple(subtitles))
