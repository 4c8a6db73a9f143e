"""A file that is no MP4 -> its presentation, from the outline a remuxing job gives of it.

Its segments are made by another job, to which a rendition carries what it needs (`Rendition.carriage`); in place of
numbers of samples stand the times at which the track is cut. As with MP4, each track begins with the title and
ends with it: what is late is decoded at 0, and the last sample of what is short lasts until the end.
"""

import math
from array import array
from collections.abc import Sequence
from itertools import accumulate, pairwise

from trio_stream.media.choosing import ARE_STILLS
from trio_stream.media.codecs import HLG, PQ, TRANSFERS
from trio_stream.media.facts import VideoTrack
from trio_stream.media.outline import AudioOutline, Carriage, Cuts, Outline, VideoOutline
from trio_stream.mp4.heads import SHORT
from trio_stream.mp4.timeline import Unsupported
from trio_stream.packaging.cutting import MOST_SEGMENTS, cut, cut_evenly, thin
from trio_stream.packaging.presentation import Omission, Presentation, Rendition, Segments
from trio_stream.packaging.tracks import HEAD, LONGEST, MOST_KEYS, PER_SAMPLE

_NAMES = {"opus": "Opus", "flac": "fLaC"}
"""Codecs whose sample entry in MP4 is written otherwise than browsers call them."""

MOST_PICTURES, SMALLEST_FRAME = 60, 1024
"""Pictures in a second, and samples in a packet of sound, where nobody knows."""


def present_outline(outline: Outline) -> Presentation:
    """What manifests say of it. Raises `Unsupported`, with the reason."""
    try:
        return _present(outline)
    except ArithmeticError:
        raise Unsupported("", "its times are none that a film could have") from None


def _present(outline: Outline) -> Presentation:
    films = [each for each in outline.video if each.carriage.refusal != ARE_STILLS]
    video = films[0] if films and films[0].carriage.refusal is None else None
    audio = [each for each in outline.audio if each.carriage.refusal is None]
    tracks: list[VideoOutline | AudioOutline] = [*films, *outline.audio]
    if video is None and (films or not audio):
        reason = tracks[0].carriage.refusal if tracks else None
        raise Unsupported("", reason or "there is neither a picture nor a sound in it")
    renditions: list[Rendition] = []
    marks: list[float] = []
    shares: list[tuple[int, int]] = []
    keys = outline.cuts
    carried = [each.carriage for each in (*((video,) if video is not None else ()), *audio)]
    whole = min(max(_end(each, outline) for each in carried), LONGEST)
    if video is not None:
        if keys is None or keys.track != video.track.index or keys.until is not None or not keys.times:
            raise Unsupported("", "nobody knows where its pictures can be cut, up to the end")
        end = _until(_end(video.carriage, outline), whole)
        chosen = _cut(keys, video.carriage.timescale, end)
        renditions.append(_video(video, keys, chosen, end))
        marks = [start / video.carriage.timescale for start in renditions[0].segments.starts]
        shares = list(pairwise([*chosen, len(keys.times)]))
    for each in audio:
        end = _end(each.carriage, outline)
        if video is None:
            marks = [*cut_evenly(max(0.0, each.carriage.start), end), end]
        default = len(renditions) == (video is not None)
        renditions.append(_audio(each, marks, shares, end, _until(end, whole), default=default))
        if sum(len(other.segments) for other in renditions) > MOST_SEGMENTS:
            raise Unsupported("", f"there would be more than {MOST_SEGMENTS} segments")
    return Presentation(tuple(renditions), by_copy=False, omitted=_omitted(outline, renditions))


def _omitted(outline: Outline, renditions: Sequence[Rendition]) -> tuple[Omission, ...]:
    """The tracks that are no renditions, each with the reason."""
    carried = {each.track for each in renditions}
    tracks: list[VideoOutline | AudioOutline] = [*outline.video, *outline.audio]
    return tuple(
        Omission(
            kind="video" if isinstance(each, VideoOutline) else "audio",
            track=each.track.index,
            codec=each.track.codec,
            reason=each.carriage.refusal or "one track of pictures is played at a time",
            language=each.track.language,
            label=each.track.title,
            code="codec" if each.carriage.refusal else "second-video",
        )
        for each in tracks
        if each.track.index not in carried
    )


def _end(carriage: Carriage, outline: Outline) -> float:
    end = carriage.end if carriage.end is not None else outline.duration
    if end is None or not end > carriage.start:
        raise Unsupported("", "nobody knows how long it lasts")
    if end > LONGEST:
        raise Unsupported("", f"it lasts longer than {LONGEST // 3600} hours")
    return end


def _until(end: float, whole: float) -> float:
    """Until when a track lasts that ends at `end`, where the longest one does at `whole`."""
    return whole if whole - end > SHORT else end


def _cut(keys: Cuts, timescale: int, end: float) -> list[int]:
    return cut(
        [time / timescale for time in keys.times],
        end,
        is_open=lambda number: keys.starts[number] not in (None, keys.times[number]),
    )


def _video(outline: VideoOutline, keys: Cuts, chosen: Sequence[int], end: float) -> Rendition:
    track, carriage = outline.track, outline.carriage
    scale = carriage.timescale
    shown = [keys.times[each] if (start := keys.starts[each]) is None else start for each in chosen]
    starts = [max(0, start) for start in shown]
    width, height = track.shown_size
    sizes = [sum(carriage.sizes[first:stop]) for first, stop in pairwise([*chosen, len(keys.times)])]
    return Rendition(
        name=f"v{track.index}",
        kind="video",
        track=track.index,
        codecs=track.codec_string or "",
        timescale=scale,
        segments=_segments(
            [0, *starts[1:], round(end * scale)],
            [*(keys.times[each] for each in chosen), round(end * scale)],
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
        keys=_keys(keys, carriage, round(end * scale)),
        independent=all(start == keys.times[each] for start, each in zip(shown, chosen, strict=True)),
        carriage=_small(carriage),
    )


def _keys(keys: Cuts, carriage: Carriage, end: int) -> Segments:
    """Keyframes by themselves. Of those nobody looked at it is said that they are as large as the others, or as all
    there is up to the next one."""
    scale = carriage.timescale
    known = [each for each in keys.sizes if each is not None]
    usual = round(sum(known) / len(known)) if known else max(carriage.sizes)
    shown = thin([time / scale for time in keys.times], max(1.0, end / scale / MOST_KEYS), MOST_KEYS + 1)
    times = [*(keys.times[each] for each in shown), end]
    sizes = [
        min(usual, group) if size is None else size
        for size, group in ((keys.sizes[each], carriage.sizes[each]) for each in shown)
    ]
    return _segments([0, *(max(0, time) for time in times[1:])], times, sizes, 0)


def stop_of(rendition: Rendition, number: int) -> int | None:
    """Where a segment of something remuxed ends, in its timescale; None: with the track."""
    return None if number == len(rendition.segments) - 1 else rendition.segments.samples[number + 1]


def _audio(
    outline: AudioOutline,
    marks: Sequence[float],
    shares: Sequence[tuple[int, int]],
    end: float,
    until: float,
    *,
    default: bool,
) -> Rendition:
    track, carriage = outline.track, outline.carriage
    scale = carriage.timescale
    times = [carriage.first]
    sizes: list[int] = []
    begins = max(0.0, carriage.start)
    inner = [mark for mark in marks[1:-1] if begins < mark < end]
    times += [_on_grid(carriage, round(mark * scale)) for mark in inner]
    if shares and len(carriage.sizes) > 1 and len(inner) == len(shares) - 1:
        sizes = [sum(carriage.sizes[first:stop]) for first, stop in shares]
    else:
        total, length = sum(carriage.sizes), end - begins
        bounds = [begins, *inner, end]
        sizes = [round(total * (after - before) / length) for before, after in pairwise(bounds)]
    return Rendition(
        name=f"a{track.index}",
        kind="audio",
        track=track.index,
        codecs=_NAMES.get(track.codec, track.codec_string or ""),
        timescale=scale,
        segments=_segments(
            [0, *times[1:], round(until * scale)],
            [*times, round(until * scale)],
            sizes,
            1 / (carriage.step or SMALLEST_FRAME),
        ),
        language=track.language,
        label=track.title,
        default=default,
        channels=track.channels,
        sample_rate=track.sample_rate,
        carriage=_small(carriage),
    )


def _on_grid(carriage: Carriage, time: int) -> int:
    """When the first packet at `time` or later is heard, as far as that is known."""
    if not carriage.step:
        return time
    return carriage.first - (carriage.first - time) // carriage.step * carriage.step


def _segments(starts: Sequence[int], cuts: Sequence[int], sizes: Sequence[int], samples: float) -> Segments:
    """Of `sizes` bytes without their heads; `samples` are how many there are in a unit of time."""
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
    """What the jobs need: not the sizes."""
    return carriage.to_json() | {"sizes": []}
