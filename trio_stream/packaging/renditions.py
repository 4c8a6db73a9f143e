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
from trio_stream.media.formats.outline import AudioOutline, Carriage, KeyframeTable, VideoOutline
from trio_stream.mp4.edits.timeline import Unsupported
from trio_stream.packaging.cutting import cut, cut_evenly, thin
from trio_stream.packaging.from_mp4 import HEAD, MAX_KEYS, PER_SAMPLE
from trio_stream.packaging.presentation import Rendition, Segments, Span

_NAMES = {"opus": "Opus", "flac": "fLaC"}
"""Codecs whose MP4 sample entry browsers spell differently."""

NEAR = 0.5
"""Seconds before the end of an audio part within which no other segment begins."""

ASSUMED_FRAME_RATE, ASSUMED_PACKET = 60, 1024
"""Assumed frames per second, and samples in an audio packet, if unknown."""


@dataclass(frozen=True, slots=True)
class AudioBoundaries:
    """Where audio segments begin: at `times` in seconds, with the video; empty means evenly.

    `shares`, if available, are the keyframes [first, stop) of each video segment: the outline counts the bytes of every
    track between two keyframes of the file.
    """

    times: Sequence[float] = ()
    shares: Sequence[tuple[int, int]] = ()


def cut_at_keys(keys: KeyframeTable, timescale: int, end: float, changed: Sequence[float] = ()) -> list[int]:
    """The keyframes with which segments begin; they include those nearest to the times `changed`."""
    times = [time / timescale for time in keys.times]
    segment_keys: list[int] = []
    inner = (time for time in changed if times[0] < time < end)
    change_keys = {min(range(len(times)), key=lambda number: abs(times[number] - time)) for time in inner}

    def is_open(low: int, number: int) -> bool:
        return keys.starts[low + number] not in (None, keys.times[low + number])

    for low, high in pairwise([*sorted({0, *change_keys}), len(times)]):
        until = times[high] if high < len(times) else end
        chosen = cut(times[low:high], until, is_open=partial(is_open, low))
        segment_keys += [low + number for number in chosen]
    return segment_keys


type _VideoPart = tuple[VideoOutline, KeyframeTable]


def video_rendition(
    outlines: Sequence[tuple[VideoOutline, KeyframeTable | None]], end: float, changed: Sequence[float]
) -> Rendition:
    """The video up to `end`, from one part or several that follow one another; the audio changes at `changed`."""
    parts = [_required_keyframes(outline, keys) for outline, keys in outlines]
    track, carriage = parts[0][0].track, parts[0][0].carriage
    scale = carriage.timescale
    starts: list[int] = []
    boundary_times: list[int] = []
    sizes: list[int] = []
    keys: tuple[list[int], list[int], list[int]] = [], [], []
    spans: list[Span] = []
    independent = True
    limits = [*(_shown(part) for part in parts[1:]), end]
    for (outline, keyframes), limit in zip(parts, limits, strict=True):
        part_scale = outline.carriage.timescale
        chosen = cut_at_keys(keyframes, part_scale, limit, changed)
        shown = [keyframes.times[at] if (start := keyframes.starts[at]) is None else start for at in chosen]
        independent &= all(start == keyframes.times[at] for start, at in zip(shown, chosen, strict=True))
        spans.append(_span(outline, len(starts), len(keys[0]), round(limit * part_scale)))
        starts += [max(0, _scaled(start, part_scale, scale)) for start in shown]
        boundary_times += [keyframes.times[at] for at in chosen]
        sizes += [
            sum(outline.carriage.sizes[first:stop])
            for first, stop in pairwise([*chosen, len(keyframes.times)])
        ]
        for column, more in zip(keys, _keys(keyframes, outline.carriage, end, scale), strict=True):
            column.extend(more)
    part_scale = parts[-1][0].carriage.timescale
    width, height = track.shown_size
    return Rendition(
        name=f"v{track.index}",
        kind="video",
        track=track.index,
        codecs=track.codec_string or "",
        timescale=scale,
        segments=_segments(
            [0, *starts[1:], round(end * scale)],
            [*boundary_times, round(end * part_scale)],
            sizes,
            float(track.frame_rate or ASSUMED_FRAME_RATE) / scale,
        ),
        language=track.language,
        default=True,
        width=width,
        height=height,
        pixel_aspect=track.pixel_aspect,
        frame_rate=track.frame_rate,
        video_range=_video_range(track),
        keys=_segments(
            [0, *keys[0][1:], max(0, round(end * scale))], [*keys[1], round(end * part_scale)], keys[2], 0
        ),
        independent=independent,
        carriage=_job_parameters(carriage),
        spans=tuple(spans) if len(spans) > 1 else (),
    )


def _required_keyframes(outline: VideoOutline, keys: KeyframeTable | None) -> _VideoPart:
    if keys is None or keys.track != outline.track.index or keys.until is not None or not keys.times:
        raise Unsupported("", "its list of keyframes is incomplete")
    return outline, keys


def _shown(part: _VideoPart) -> float:
    """When the first frame of a part is shown, in seconds."""
    outline, keys = part
    first = keys.starts[0]
    return (keys.times[0] if first is None else first) / outline.carriage.timescale


def _scaled(time: int, part_scale: int, scale: int) -> int:
    return time if part_scale == scale else round(Fraction(time * scale, part_scale))


def _span(outline: VideoOutline | AudioOutline, first: int, key: int, until: int) -> Span:
    track, carriage = outline.track, outline.carriage
    span = Span(
        first=first,
        key=key,
        carriage=_job_parameters(carriage),
        timescale=carriage.timescale,
        until=until,
        init=carriage.init,
        codecs=_NAMES.get(track.codec, track.codec_string or ""),
    )
    if isinstance(track, VideoTrack):
        width, height = track.shown_size
        return replace(span, width=width, height=height)
    return replace(span, channels=track.channels, sample_rate=track.sample_rate)


def _keys(
    keys: KeyframeTable, carriage: Carriage, end: float, scale: int
) -> tuple[list[int], list[int], list[int]]:
    """Single keyframes: when each is shown, in units of `scale` and of its own timescale, and its bytes.

    A keyframe of unknown size is assumed to be as large as the average one, or as all data up to the next one.
    """
    part_scale = carriage.timescale
    measured = [size for size in keys.sizes if size is not None]
    usual = round(sum(measured) / len(measured)) if measured else max(carriage.sizes)
    shown = thin([time / part_scale for time in keys.times], max(1.0, end / MAX_KEYS), MAX_KEYS + 1)
    times = [keys.times[number] for number in shown]
    sizes = [
        min(usual, group) if size is None else size
        for size, group in ((keys.sizes[number], carriage.sizes[number]) for number in shown)
    ]
    return [max(0, _scaled(time, part_scale, scale)) for time in times], times, sizes


def stop_of(rendition: Rendition, number: int) -> tuple[int | None, int | None]:
    """The end of a segment of a remuxed rendition, in the timescale of its carriage, and until when its last sample
    lasts. None means the end of the track or part, and the sample's own duration."""
    samples, spans = rendition.segments.samples, rendition.spans
    if number == len(rendition.segments) - 1:
        return None, samples[-1]
    span = rendition.span_at(number)
    if span is not None and any(other.first == number + 1 for other in spans):
        return None, span.until
    return samples[number + 1], None


def next_key(rendition: Rendition, number: int) -> int:
    """Until when a single keyframe is shown, in the timescale of its carriage."""
    span = rendition.span_at(number, keyframe=True)
    if span is not None and any(other.key == number + 1 for other in rendition.spans):
        return span.until
    keys = rendition.keys or rendition.segments
    return keys.samples[number + 1]


def audio_rendition(
    parts: Sequence[AudioOutline],
    boundaries: AudioBoundaries,
    end: float,
    until: float,
    *,
    default: bool,
) -> Rendition:
    """Audio up to `end`, with its last sample extended to `until`, from one part or several that follow one another."""
    track, carriage = parts[0].track, parts[0].carriage
    scale = carriage.timescale
    starts: list[int] = []
    boundary_times: list[int] = []
    sizes: list[int] = []
    spans: list[Span] = []
    limits = [*(part.carriage.first / part.carriage.timescale for part in parts[1:]), end]
    for outline, limit in zip(parts, limits, strict=True):
        part_scale = outline.carriage.timescale
        begin = max(0.0, outline.carriage.start)
        inner = _inner_boundaries(boundaries.times, begin, limit, alone=len(parts) == 1)
        times = [
            outline.carriage.first,
            *(_on_grid(outline.carriage, round(time * part_scale)) for time in inner),
        ]
        spans.append(_span(outline, len(starts), 0, round((until if limit == end else limit) * part_scale)))
        starts += [_scaled(time, part_scale, scale) for time in times]
        boundary_times += times
        if (
            boundaries.shares
            and len(outline.carriage.sizes) > 1
            and len(inner) == len(boundaries.shares) - 1
            and len(parts) == 1
        ):
            sizes += [sum(outline.carriage.sizes[first:stop]) for first, stop in boundaries.shares]
        else:
            bounds = [begin, *inner, max(limit, begin)]
            total, length = sum(outline.carriage.sizes), bounds[-1] - begin or 1.0
            sizes += [round(total * (after - before) / length) for before, after in pairwise(bounds)]
    part_scale = parts[-1].carriage.timescale
    return Rendition(
        name=f"a{track.index}",
        kind="audio",
        track=track.index,
        codecs=_NAMES.get(track.codec, track.codec_string or ""),
        timescale=scale,
        segments=_segments(
            [0, *starts[1:], round(until * scale)],
            [*boundary_times, round(until * part_scale)],
            sizes,
            1 / (carriage.step or ASSUMED_PACKET),
        ),
        language=track.language,
        label=track.title,
        default=default,
        channels=track.channels,
        sample_rate=track.sample_rate,
        carriage=_job_parameters(carriage),
        spans=tuple(spans) if len(spans) > 1 else (),
    )


def _inner_boundaries(boundaries: Sequence[float], begins: float, end: float, *, alone: bool) -> list[float]:
    """The segment boundaries of an audio part between its beginning and its end.

    Boundaries too close to either are left out.
    """
    if not boundaries:
        return cut_evenly(begins, end)[1:]
    if alone:
        return [time for time in boundaries[1:-1] if begins < time < end]
    return [time for time in boundaries if begins + NEAR < time < end - NEAR]


def _on_grid(carriage: Carriage, time: int) -> int:
    """When the first packet at `time` or later is played, as far as that can be computed."""
    if not carriage.step:
        return time
    return carriage.first - (carriage.first - time) // carriage.step * carriage.step


def _segments(
    starts: Sequence[int], boundary_times: Sequence[int], sizes: Sequence[int], samples: float
) -> Segments:
    """`sizes` are without the headers; `samples` is the number of samples per unit of time."""
    rising = array("q", accumulate(starts, max))
    total_sizes = (
        HEAD + size + math.ceil(PER_SAMPLE * (samples * (after - before) + 1))
        for size, (before, after) in zip(sizes, pairwise(rising), strict=True)
    )
    return Segments(rising, array("q", boundary_times), array("q", total_sizes))


def _video_range(track: VideoTrack) -> str:
    if track.transfer == TRANSFERS[PQ]:
        return "PQ"
    return "HLG" if track.transfer == TRANSFERS[HLG] else "SDR"


def _job_parameters(carriage: Carriage) -> dict[str, object]:
    """The parameters that the jobs need: without the sizes."""
    return carriage.to_json() | {"sizes": []}
