"""The tracks of an MP4 file -> its presentation: the renditions and their segment boundaries.

The first segment of each track begins with the title, however late its first sample is presented: it is decoded at 0.

A playlist needs only the keyframes from the tables, their times, and sums of sizes; no sample is read.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from itertools import accumulate, pairwise

from trio_stream.media.formats.codecs import HLG, PQ
from trio_stream.mp4.edits.extent import end_of
from trio_stream.mp4.edits.timeline import Unsupported
from trio_stream.mp4.reading.movie import Track
from trio_stream.mp4.reading.sample_entry import SampleEntry
from trio_stream.mp4.reading.tables import SampleTable
from trio_stream.packaging.coding import codec_string
from trio_stream.packaging.cutting import MAX_SEGMENTS, cut, cut_evenly, thin
from trio_stream.packaging.periods import NEAR
from trio_stream.packaging.presentation import Omission, Presentation, Rendition, Segments, Span
from trio_stream.packaging.selection import LONGEST, PackagedTrack, label_of

MAX_IN_SEGMENT = 1 << 16
"""Maximum number of samples in one segment: the header of a fragment lists each of them."""

MAX_KEYS = 10_000
"""Approximate maximum of keyframes in the trickplay playlist; they are at least a second apart."""

BLOCK = 64
"""Number of keyframes whose times are computed at once."""

HEAD = 160
PER_SAMPLE = 16
"""Maximum bytes of a segment header without its samples, and for each sample."""


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Where segments begin and the last one ends, in units of a timescale."""

    times: Sequence[int]
    timescale: int


def present(tracks: Sequence[PackagedTrack], omitted: tuple[Omission, ...] = ()) -> Presentation:
    """The presentation of these tracks, with the omitted ones. Raises `Malformed`."""
    renditions: list[Rendition] = []
    boundaries: Boundaries | None = None
    for packaged in tracks:
        if end_of(packaged.samples, packaged.timeline) > LONGEST * packaged.track.timescale:
            raise Unsupported("moov/trak", f"it is longer than {LONGEST // 3600} hours")
        if packaged.track.handler == "vide":
            rendition = _video(packaged)
            boundaries = Boundaries(rendition.segments.starts, rendition.timescale)
        else:
            boundaries = boundaries or _even_boundaries(packaged)
            rendition = _audio(
                packaged, boundaries, default=not any(other.kind == "audio" for other in renditions)
            )
        if max(after - before for before, after in pairwise(rendition.segments.samples)) > MAX_IN_SEGMENT:
            raise Unsupported(
                "moov/trak", f"there are more than {MAX_IN_SEGMENT} samples between two keyframes"
            )
        renditions.append(rendition)
        if sum(len(other.segments) for other in renditions) > MAX_SEGMENTS:
            raise Unsupported("moov", f"it would have more than {MAX_SEGMENTS} segments")
    return Presentation(tuple(renditions), omitted=omitted)


def _video(packaged: PackagedTrack) -> Rendition:
    track, samples, timeline = packaged.track, packaged.samples, packaged.timeline
    keys = _keyframes(packaged)
    scale = track.timescale
    times = _KeyTimes(packaged, keys)
    end = end_of(samples, timeline)
    is_open = cache(lambda number: samples.has_leading(keys[number]))
    chosen: list[int] = []
    trickplay: list[int] = []
    span_starts: list[tuple[int, int]] = []
    changes = [bisect_left(keys, item.first) for item in track.described[1:]]
    for low, high in pairwise([0, *changes, len(keys)]):
        part = times if not changes else _KeyTimes(packaged, keys[low:high])
        until = times[high] if high < len(keys) else end / scale
        span_starts.append((len(chosen), len(trickplay)))
        chosen += (low + number for number in cut(part, until, is_open=partial(_is_open_at, is_open, low)))
        trickplay += (low + number for number in thin(part, max(1.0, end / scale / MAX_KEYS), MAX_KEYS + 1))
    firsts = [keys[number] for number in chosen]
    bounds = [*firsts, samples.count]
    starts = [
        max(0, samples.earliest(first, stop) + timeline.offset) if is_open(number) else times.exactly(number)
        for number, first, stop in zip(chosen, firsts, bounds[1:], strict=True)
    ]
    starts[0] = 0
    original = track.samples  # their last frame is not extended beyond its duration in the file
    rate = Fraction(original.count * scale, original.end) if original.end else None
    width, height = _shown_size(track, track.entry)
    _, transfer, _, _ = track.entry.colours
    return Rendition(
        name=f"v{track.id}",
        kind="video",
        track=track.id,
        codecs=codec_string(track.entry, track.handler) or "",
        timescale=scale,
        segments=_segments(samples, [*starts, end], bounds),
        default=True,
        width=width,
        height=height,
        pixel_aspect=track.entry.pixel_aspect,
        frame_rate=_plausible(rate),
        video_range="PQ" if transfer == PQ else "HLG" if transfer == HLG else "SDR",
        keys=_keyframe_segments(
            samples, [keys[number] for number in trickplay], [0, *map(times.exactly, trickplay[1:]), end]
        ),
        independent=not any(map(is_open, chosen)) and all(map(samples.is_sync, firsts[1:])),
        spans=_spans(packaged, span_starts, bounds),
    )


def _keyframes(packaged: PackagedTrack) -> Sequence[int]:
    """The samples at which decoding may begin. The first sample and each change of the coding always count."""
    samples, first = packaged.samples, packaged.timeline.first
    keys = samples.sync_within(first, samples.count)
    # Earlier samples cannot be needed.
    forced = [first, *(item.first for item in packaged.track.described[1:])]
    missing = [sample for sample in forced if not _holds(keys, sample)]
    return array("I", sorted((*keys, *missing))) if missing else keys


def _holds(ascending: Sequence[int], value: int) -> bool:
    at = bisect_left(ascending, value)
    return at < len(ascending) and ascending[at] == value


def _is_open_at(is_open: Callable[[int], bool], first: int, number: int) -> bool:
    return is_open(first + number)


def _spans(
    packaged: PackagedTrack, span_starts: Sequence[tuple[int, int]], bounds: Sequence[int]
) -> tuple[Span, ...]:
    """The spans of equally coded segments, each with its first segment and first keyframe; empty if only one."""
    track = packaged.track
    if len(track.described) == 1:
        return ()
    boxes = [coding.box for coding in packaged.codings]
    ends = [*(first for first, _ in span_starts[1:]), len(bounds) - 1]
    spans: list[Span] = []
    for described, (first, key), end in zip(track.described, span_starts, ends, strict=True):
        entry = described.description.entry
        span = Span(
            first=first,
            key=key,
            carriage={},
            timescale=track.timescale,
            until=bounds[end],
            init=boxes.index(described.description.box),
            codecs=codec_string(entry, track.handler) or "",
        )
        if track.handler == "vide":
            width, height = _shown_size(track, entry)
            spans.append(replace(span, width=width, height=height))
        else:
            rate = entry.rate or track.timescale
            spans.append(replace(span, channels=entry.channel_count, sample_rate=rate))
    return tuple(spans)


class _KeyTimes:
    """Presentation times of keyframes: in seconds, or exact. They are computed in blocks, each once: a video of
    keyframes alone has a hundred thousand, of which only those near a segment boundary are needed."""

    def __init__(self, packaged: PackagedTrack, keys: Sequence[int]) -> None:
        self._samples = packaged.samples
        self._offset = packaged.timeline.offset
        self._timescale = packaged.track.timescale
        self._keys = keys
        self._blocks: dict[int, list[int]] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, number: int) -> float:
        block_times = self._blocks.get(number // BLOCK) or self._compute(number // BLOCK)
        return block_times[number % BLOCK] / self._timescale  # called about ten thousand times per video

    def exactly(self, number: int) -> int:
        """In units of the timescale."""
        block_times = self._blocks.get(number // BLOCK) or self._compute(number // BLOCK)
        return block_times[number % BLOCK]

    def _compute(self, block: int) -> list[int]:
        shown = self._samples.all_shown_at(self._keys[block * BLOCK : (block + 1) * BLOCK])
        found = self._blocks[block] = [max(0, time + self._offset) for time in shown]
        return found


def _plausible(rate: Fraction | None) -> Fraction | None:
    """The frame rate that was meant: an integer or an NTSC rate, if one is within a thousandth."""
    if rate is None or not 0 < rate < 1000:
        return None
    for exact in (Fraction(round(rate)), Fraction(round(rate * 1001 / 1000) * 1000, 1001)):
        if exact and abs(rate - exact) < exact / 2000:
            return exact
    return rate.limit_denominator(1001)


def _shown_size(track: Track, entry: SampleEntry) -> tuple[int, int]:
    """Width and height in square pixels, rotated as the file says."""
    width, height = max(1, round(entry.width * entry.pixel_aspect)), entry.height
    return (height, width) if track.rotated and _is_quarter_turn(track) else (width, height)


def _is_quarter_turn(track: Track) -> bool:
    """Whether the matrix of `tkhd` rotates by a quarter turn: horizontal becomes vertical."""
    at = 8 + 4 + (32 if track.header[8] else 20) + 16
    return track.header[at : at + 4] == bytes(4)


def _keyframe_segments(samples: SampleTable, keys: Sequence[int], starts: Sequence[int]) -> Segments:
    sizes = [HEAD + PER_SAMPLE + samples.bytes_of(key, key + 1) for key in keys]
    return Segments(_non_decreasing(starts), array("q", (*keys, samples.count)), array("q", sizes))


def _audio(packaged: PackagedTrack, boundaries: Boundaries, *, default: bool) -> Rendition:
    track, samples, timeline = packaged.track, packaged.samples, packaged.timeline
    scale, offset = track.timescale, timeline.offset
    firsts = [timeline.first]
    # Without the last boundary: audio that ends shortly after the video gets no segment for that.
    for boundary in boundaries.times[1:-1]:
        sample = samples.durations.at(boundary * scale // boundaries.timescale - offset)
        if firsts[-1] < sample < samples.count:
            firsts.append(sample)
    last = samples.durations.time(firsts[-1]) + offset
    end = end_of(samples, timeline)
    later = cut_evenly(last / scale, end / scale)[1:] if end - last > 12 * scale else []
    for time in later:  # audio that continues after the end of the video
        sample = samples.durations.at(round(time * scale) - offset)
        if firsts[-1] < sample < samples.count:
            firsts.append(sample)
    changes = [item.first for item in track.described[1:]]
    firsts = _with_changes(firsts, changes, samples, round(NEAR * scale))
    bounds = [*firsts, samples.count]
    starts = [0, *(max(0, samples.durations.time(first) + offset) for first in firsts[1:])]
    return Rendition(
        name=f"a{track.id}",
        kind="audio",
        track=track.id,
        codecs=codec_string(track.entry, track.handler) or "",
        timescale=scale,
        segments=_segments(samples, [*starts, end], bounds),
        language=track.language,
        label=label_of(track),
        default=default,
        channels=track.entry.channel_count,
        sample_rate=track.entry.rate or track.timescale,
        spans=_spans(packaged, [(firsts.index(sample), 0) for sample in [firsts[0], *changes]], bounds),
    )


def _with_changes(
    firsts: Sequence[int], changes: Sequence[int], samples: SampleTable, near: int
) -> list[int]:
    """The first samples of audio segments, with one at each of `changes` and no other close to it."""
    if not changes:
        return list(firsts)
    times = samples.durations.times(changes)

    def is_apart(sample: int) -> bool:
        time = samples.durations.time(sample)
        at = bisect_left(times, time)
        return all(abs(time - change) >= near for change in times[max(0, at - 1) : at + 1])

    return sorted({firsts[0], *filter(is_apart, firsts[1:]), *changes})


def _even_boundaries(packaged: PackagedTrack) -> Boundaries:
    scale, timeline = packaged.track.timescale, packaged.timeline
    end = end_of(packaged.samples, timeline)
    times = cut_evenly(max(0, timeline.offset) / scale, end / scale)
    return Boundaries([*(round(time * scale) for time in times), end], scale)


def _segments(samples: SampleTable, starts: Sequence[int], bounds: Sequence[int]) -> Segments:
    sizes = [
        HEAD + PER_SAMPLE * (stop - first) + samples.bytes_of(first, stop) for first, stop in pairwise(bounds)
    ]
    return Segments(_non_decreasing(starts), array("q", bounds), array("q", sizes))


def _non_decreasing(times: Iterable[int]) -> "array[int]":
    """The times, each raised to the one before if it is smaller: the file is not trusted."""
    return array("q", accumulate(times, max))
