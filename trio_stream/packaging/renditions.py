"""A track of an outline -> its rendition, with one carriage or several that follow one another.

Segment boundaries are times instead of sample numbers, and a rendition holds the parameters for the job that builds
its segments (`Rendition.carriage`).
"""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import accumulate, pairwise

from trio_stream.media.formats.codecs import HLG, PQ, TRANSFERS
from trio_stream.media.formats.media_info import VideoTrack
from trio_stream.media.formats.outline import AudioOutline, Carriage, Cuts, VideoOutline
from trio_stream.mp4.edits.timeline import Unsupported
from trio_stream.packaging.cutting import cut, cut_evenly, thin
from trio_stream.packaging.from_mp4 import HEAD, MOST_KEYS, PER_SAMPLE
from trio_stream.packaging.presentation import Rendition, Segments, Stretch

_NAMES = {"opus": "Opus", "flac": "fLaC"}
"""Codecs whose MP4 sample entry browsers spell differently."""

NEAR = 0.5
"""Seconds before the end of an audio part within which no other segment begins."""

MOST_PICTURES, SMALLEST_FRAME = 60, 1024
"""Assumed frames per second, and samples in an audio packet, if unknown."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Where audio segments begin: at `times` in seconds, with the video; empty means evenly.

    `shares`, if known, are the keyframes [first, stop) of each video segment: the outline counts the bytes of every
    track between two keyframes of the file.
    """

    times: Sequence[float] = ()
    shares: Sequence[tuple[int, int]] = ()


def cut_at_keys(keys: Cuts, timescale: int, end: float, changed: Sequence[float] = ()) -> list[int]:
    """The keyframes with which segments begin; they include those nearest to the times `changed`."""
    times = [time / timescale for time in keys.times]
    found: list[int] = []
    inner = (time for time in changed if times[0] < time < end)
    near = {min(range(len(times)), key=lambda each: abs(times[each] - time)) for time in inner}

    def is_open(low: int, number: int) -> bool:
        return keys.starts[low + number] not in (None, keys.times[low + number])

    for low, high in pairwise([*sorted({0, *near}), len(times)]):
        until = times[high] if high < len(times) else end
        chosen = cut(times[low:high], until, is_open=partial(is_open, low))
        found += [low + number for number in chosen]
    return found


type _Filmed = tuple[VideoOutline, Cuts]


def video_rendition(
    stretches: Sequence[tuple[VideoOutline, Cuts | None]], end: float, changed: Sequence[float]
) -> Rendition:
    """The video up to `end`, from one part or several that follow one another; the audio changes at `changed`."""
    filmed = [_required_cuts(each, keys) for each, keys in stretches]
    track, carriage = filmed[0][0].track, filmed[0][0].carriage
    scale = carriage.timescale
    starts: list[int] = []
    cuts: list[int] = []
    sizes: list[int] = []
    keys: tuple[list[int], list[int], list[int]] = [], [], []
    found: list[Stretch] = []
    independent = True
    limits = [*(_shown(each) for each in filmed[1:]), end]
    for (each, known), limit in zip(filmed, limits, strict=True):
        own = each.carriage.timescale
        chosen = cut_at_keys(known, own, limit, changed)
        shown = [known.times[at] if (start := known.starts[at]) is None else start for at in chosen]
        independent &= all(start == known.times[at] for start, at in zip(shown, chosen, strict=True))
        found.append(_stretch(each, len(starts), len(keys[0]), round(limit * own)))
        starts += [max(0, _scaled(start, own, scale)) for start in shown]
        cuts += [known.times[at] for at in chosen]
        sizes += [
            sum(each.carriage.sizes[first:stop]) for first, stop in pairwise([*chosen, len(known.times)])
        ]
        for column, more in zip(keys, _keys(known, each.carriage, end, scale), strict=True):
            column.extend(more)
    own = filmed[-1][0].carriage.timescale
    width, height = track.shown_size
    return Rendition(
        name=f"v{track.index}",
        kind="video",
        track=track.index,
        codecs=track.codec_string or "",
        timescale=scale,
        segments=_segments(
            [0, *starts[1:], round(end * scale)],
            [*cuts, round(end * own)],
            sizes,
            float(track.frame_rate or MOST_PICTURES) / scale,
        ),
        language=track.language,
        default=True,
        width=width,
        height=height,
        pixel_aspect=track.pixel_aspect,
        frame_rate=track.frame_rate,
        video_range=_range(track),
        keys=_segments(
            [0, *keys[0][1:], max(0, round(end * scale))], [*keys[1], round(end * own)], keys[2], 0
        ),
        independent=independent,
        carriage=_small(carriage),
        stretches=tuple(found) if len(found) > 1 else (),
    )


def _required_cuts(each: VideoOutline, keys: Cuts | None) -> _Filmed:
    if keys is None or keys.track != each.track.index or keys.until is not None or not keys.times:
        raise Unsupported("", "its keyframes are not known up to the end")
    return each, keys


def _shown(filmed: _Filmed) -> float:
    """When the first frame of a part is shown, in seconds."""
    each, keys = filmed
    first = keys.starts[0]
    return (keys.times[0] if first is None else first) / each.carriage.timescale


def _scaled(time: int, own: int, scale: int) -> int:
    return time if own == scale else round(Fraction(time * scale, own))


def _stretch(each: VideoOutline | AudioOutline, first: int, key: int, until: int) -> Stretch:
    track, carriage = each.track, each.carriage
    known = Stretch(
        first=first,
        key=key,
        carriage=_small(carriage),
        timescale=carriage.timescale,
        until=until,
        init=carriage.init,
        codecs=_NAMES.get(track.codec, track.codec_string or ""),
    )
    if isinstance(track, VideoTrack):
        width, height = track.shown_size
        return replace(known, width=width, height=height)
    return replace(known, channels=track.channels, sample_rate=track.sample_rate)


def _keys(keys: Cuts, carriage: Carriage, end: float, scale: int) -> tuple[list[int], list[int], list[int]]:
    """Single keyframes: when each is shown, in units of `scale` and of its own timescale, and its bytes.

    A keyframe of unknown size is assumed to be as large as the average one, or as all data up to the next one.
    """
    own = carriage.timescale
    known = [each for each in keys.sizes if each is not None]
    usual = round(sum(known) / len(known)) if known else max(carriage.sizes)
    shown = thin([time / own for time in keys.times], max(1.0, end / MOST_KEYS), MOST_KEYS + 1)
    times = [keys.times[each] for each in shown]
    sizes = [
        min(usual, group) if size is None else size
        for size, group in ((keys.sizes[each], carriage.sizes[each]) for each in shown)
    ]
    return [max(0, _scaled(time, own, scale)) for time in times], times, sizes


def stop_of(rendition: Rendition, number: int) -> tuple[int | None, int | None]:
    """The end of a segment of a remuxed rendition, in the timescale of its carriage, and until when its last sample
    lasts. None: up to the end of the track or part, and as long as the sample lasts."""
    samples, stretches = rendition.segments.samples, rendition.stretches
    if number == len(rendition.segments) - 1:
        return None, samples[-1]
    stretch = rendition.stretch(number)
    if stretch is not None and any(each.first == number + 1 for each in stretches):
        return None, stretch.until
    return samples[number + 1], None


def next_key(rendition: Rendition, number: int) -> int:
    """Until when a single keyframe is shown, in the timescale of its carriage."""
    stretch = rendition.stretch(number, keyframe=True)
    if stretch is not None and any(each.key == number + 1 for each in rendition.stretches):
        return stretch.until
    keys = rendition.keys or rendition.segments
    return keys.samples[number + 1]


def audio_rendition(
    heard: Sequence[AudioOutline],
    marks: Marks,
    end: float,
    until: float,
    *,
    default: bool,
) -> Rendition:
    """Audio up to `end`, with its last sample extended to `until`, from one part or several that follow one another."""
    track, carriage = heard[0].track, heard[0].carriage
    scale = carriage.timescale
    starts: list[int] = []
    cuts: list[int] = []
    sizes: list[int] = []
    found: list[Stretch] = []
    limits = [*(each.carriage.first / each.carriage.timescale for each in heard[1:]), end]
    for each, limit in zip(heard, limits, strict=True):
        own = each.carriage.timescale
        begins = max(0.0, each.carriage.start)
        inner = _inner(marks.times, begins, limit, alone=len(heard) == 1)
        times = [each.carriage.first, *(_on_grid(each.carriage, round(mark * own)) for mark in inner)]
        found.append(_stretch(each, len(starts), 0, round((until if limit == end else limit) * own)))
        starts += [_scaled(time, own, scale) for time in times]
        cuts += times
        if (
            marks.shares
            and len(each.carriage.sizes) > 1
            and len(inner) == len(marks.shares) - 1
            and len(heard) == 1
        ):
            sizes += [sum(each.carriage.sizes[first:stop]) for first, stop in marks.shares]
        else:
            bounds = [begins, *inner, max(limit, begins)]
            total, length = sum(each.carriage.sizes), bounds[-1] - begins or 1.0
            sizes += [round(total * (after - before) / length) for before, after in pairwise(bounds)]
    own = heard[-1].carriage.timescale
    return Rendition(
        name=f"a{track.index}",
        kind="audio",
        track=track.index,
        codecs=_NAMES.get(track.codec, track.codec_string or ""),
        timescale=scale,
        segments=_segments(
            [0, *starts[1:], round(until * scale)],
            [*cuts, round(until * own)],
            sizes,
            1 / (carriage.step or SMALLEST_FRAME),
        ),
        language=track.language,
        label=track.title,
        default=default,
        channels=track.channels,
        sample_rate=track.sample_rate,
        carriage=_small(carriage),
        stretches=tuple(found) if len(found) > 1 else (),
    )


def _inner(marks: Sequence[float], begins: float, end: float, *, alone: bool) -> list[float]:
    """The segment boundaries of an audio part between its beginning and its end.

    Boundaries too close to either are left out.
    """
    if not marks:
        return cut_evenly(begins, end)[1:]
    if alone:
        return [mark for mark in marks[1:-1] if begins < mark < end]
    return [mark for mark in marks if begins + NEAR < mark < end - NEAR]


def _on_grid(carriage: Carriage, time: int) -> int:
    """When the first packet at `time` or later is heard, as far as that can be computed."""
    if not carriage.step:
        return time
    return carriage.first - (carriage.first - time) // carriage.step * carriage.step


def _segments(starts: Sequence[int], cuts: Sequence[int], sizes: Sequence[int], samples: float) -> Segments:
    """`sizes` are without the headers; `samples` is the number of samples per unit of time."""
    rising = array("q", accumulate(starts, max))
    weighed = (
        HEAD + size + math.ceil(PER_SAMPLE * (samples * (after - before) + 1))
        for size, (before, after) in zip(sizes, pairwise(rising), strict=True)
    )
    return Segments(rising, array("q", cuts), array("q", weighed))


def _range(track: VideoTrack) -> str:
    if track.transfer == TRANSFERS[PQ]:
        return "PQ"
    return "HLG" if track.transfer == TRANSFERS[HLG] else "SDR"


def _small(carriage: Carriage) -> dict[str, object]:
    """The parameters that the jobs need: without the sizes."""
    return carriage.to_json() | {"sizes": []}
