"""A file that is no MP4 -> its presentation, from the outline a remuxing job gives of it.

Its segments are made by another job, to which a rendition carries what it needs (`Rendition.carriage`); in place of
numbers of samples stand the times at which the track is cut. As with MP4, each track begins with the title and
ends with it: what is late is decoded at 0, and the last sample of what is short lasts until the end.
"""

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate, pairwise

from trio_stream.media.formats.choosing import ARE_STILLS, ONE_FILM
from trio_stream.media.formats.codecs import HLG, PQ, TRANSFERS
from trio_stream.media.formats.facts import VideoTrack
from trio_stream.media.formats.outline import AudioOutline, Carriage, Cuts, FilePart, Outline, VideoOutline
from trio_stream.mp4.edits.timeline import Unsupported
from trio_stream.mp4.writing.heads import SHORT
from trio_stream.packaging.cutting import MOST_SEGMENTS, cut, cut_evenly, thin
from trio_stream.packaging.from_mp4 import HEAD, MOST_KEYS, PER_SAMPLE
from trio_stream.packaging.presentation import (
    Omission,
    Presentation,
    Reason,
    Rendition,
    Segments,
    Stretch,
)
from trio_stream.packaging.selection import LONGEST

_NAMES = {"opus": "Opus", "flac": "fLaC"}
"""Codecs whose sample entry in MP4 is written otherwise than browsers call them."""

NEAR = 0.5
"""Seconds from the end of a stretch of sound within which it is not cut once more."""

MOST_PICTURES, SMALLEST_FRAME = 60, 1024
"""Pictures in a second, and samples in a packet of sound, where nobody knows."""


def present_outline(outline: Outline) -> Presentation:
    """What manifests say of it. Raises `Unsupported`, with the reason."""
    try:
        return _present(outline)
    except ArithmeticError:
        raise Unsupported("", "its times are none that a film could have") from None


def _present(outline: Outline) -> Presentation:
    parts = outline.parts
    everything = [each for part in parts for each in part.tracks]
    films = [each for part in parts for each in part.video if each.carriage.refusal != ARE_STILLS]
    carried = [each for each in everything if each.carriage.refusal is None]
    video = next((each for each in films if _is(each, films[0]) and each.carriage.refusal is None), None)
    sounds = list(dict.fromkeys(each.track.index for each in carried if isinstance(each, AudioOutline)))
    if video is None and (films or not sounds):
        sounding = [each for each in everything if isinstance(each, AudioOutline)]
        tracks: list[VideoOutline | AudioOutline] = [*films, *sounding]
        reason = tracks[0].carriage.refusal if tracks else None
        raise Unsupported("", reason or "there is neither a picture nor a sound in it")
    renditions: list[Rendition] = []
    marks: list[float] = []
    shares: list[tuple[int, int]] = []
    if video is not None:
        carried = [each for each in carried if isinstance(each, AudioOutline) or _is(each, video)]
    whole = min(max(_end(each.carriage, outline) for each in carried), LONGEST)
    if video is not None:
        filmed = [
            (each, part.cuts)
            for part in parts
            for each in part.video
            if _is(each, video) and each.carriage.refusal is None
        ]
        end = _until(_end(filmed[-1][0].carriage, outline), whole)
        changed = [each.carriage.start for part in parts for each in part.changes]
        renditions.append(_video(filmed, end, changed))
        marks = [start / renditions[0].timescale for start in renditions[0].segments.starts]
        if len(parts) == 1 and (keys := outline.cuts) is not None:
            chosen = _cut(keys, video.carriage.timescale, end, changed)
            shares = list(pairwise([*chosen, len(keys.times)]))
        else:
            marks = _with_gaps(marks, parts, [each.carriage.start for each, _ in filmed], whole)
    for index in sounds:
        heard = [
            each
            for part in parts
            for each in (*part.audio, *part.changes)
            if each.track.index == index and each.carriage.refusal is None
        ]
        end = _end(heard[-1].carriage, outline)
        default = len(renditions) == (video is not None)
        renditions.append(_audio(heard, marks, shares, end, _until(end, whole), default=default))
        if sum(len(other.segments) for other in renditions) > MOST_SEGMENTS:
            raise Unsupported("", f"there would be more than {MOST_SEGMENTS} segments")
    return Presentation(tuple(renditions), by_copy=False, omitted=tuple(_omitted(outline, renditions)))


def _is(one: VideoOutline | AudioOutline, other: VideoOutline | AudioOutline) -> bool:
    return one.track.index == other.track.index


def _with_gaps(
    marks: Sequence[float], parts: Sequence[FilePart], filmed: Sequence[float], end: float
) -> list[float]:
    """Where sound is cut: with the pictures, and evenly where a part has none."""
    found = list(marks)
    for part, until in zip(parts, [*(each.start for each in parts[1:]), end], strict=True):
        if not any(part.start <= each < until for each in filmed):
            found += cut_evenly(part.start, until)
    return sorted(found)


def _omitted(outline: Outline, renditions: Sequence[Rendition]) -> Iterator[Omission]:
    """The tracks that are no renditions, or not everywhere, each with the reason."""
    carried = {each.track for each in renditions}
    parts = outline.parts
    told: set[int] = set()
    ends = [*(f" up to {each.start:.0f} s" for each in parts[1:]), ""]
    for part, end in zip(parts, ends, strict=True):
        for each in part.tracks:
            refusal = each.carriage.refusal
            if each.track.index not in carried and each.track.index not in told:
                told.add(each.track.index)
                code: Reason = "codec" if refusal else "second-video"
                yield _omission(each, refusal or ONE_FILM, code)
            elif each.track.index in carried and refusal is not None:
                since = max(part.start, each.carriage.start)
                yield _omission(each, f"from {since:.0f} s on{end}: {refusal}", "codec")
    if outline.unread is not None:
        yield _omission(parts[-1].tracks[0], outline.unread, "codec")


def _omission(each: VideoOutline | AudioOutline, reason: str, code: Reason) -> Omission:
    return Omission(
        kind="video" if isinstance(each, VideoOutline) else "audio",
        track=each.track.index,
        codec=each.track.codec,
        reason=reason,
        language=each.track.language,
        label=each.track.title,
        code=code,
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


def _cut(keys: Cuts, timescale: int, end: float, changed: Sequence[float] = ()) -> list[int]:
    """The keyframes with which segments begin; among them those nearest to the times `changed`."""
    times = [time / timescale for time in keys.times]
    found: list[int] = []
    inner = (time for time in changed if times[0] < time < end)
    near = {min(range(len(times)), key=lambda each: abs(times[each] - time)) for time in inner}

    def is_open(number: int) -> bool:
        return keys.starts[number] not in (None, keys.times[number])

    for low, high in pairwise([*sorted({0, *near}), len(times)]):
        until = times[high] if high < len(times) else end
        chosen = cut(times[low:high], until, is_open=lambda number, low=low: is_open(low + number))  # type: ignore[misc]
        found += [low + number for number in chosen]
    return found


type _Filmed = tuple[VideoOutline, Cuts]


def _video(
    stretches: Sequence[tuple[VideoOutline, Cuts | None]], end: float, changed: Sequence[float]
) -> Rendition:
    """Pictures up to `end`, in one stretch or in several that follow one another; a sound changes at `changed`."""
    filmed = [_known_cuts(each, keys) for each, keys in stretches]
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
        chosen = _cut(known, own, limit, changed)
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


def _known_cuts(each: VideoOutline, keys: Cuts | None) -> _Filmed:
    if keys is None or keys.track != each.track.index or keys.until is not None or not keys.times:
        raise Unsupported("", "nobody knows where its pictures can be cut, up to the end")
    return each, keys


def _shown(filmed: _Filmed) -> float:
    """When the first picture of a stretch is shown, in seconds."""
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
    """Keyframes by themselves: when each is shown, in units of `scale` and of its own, and its bytes.

    Of those nobody looked at it is said that they are as large as the others, or as all there is up to the next one.
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
    """Where a segment of something remuxed ends, in the timescale it is carried with, and until when its last sample
    lasts; None: with the track, or its stretch, and as long as it lasts."""
    samples, stretches = rendition.segments.samples, rendition.stretches
    if number == len(rendition.segments) - 1:
        return None, samples[-1]
    stretch = rendition.stretch(number)
    if stretch is not None and any(each.first == number + 1 for each in stretches):
        return None, stretch.until
    return samples[number + 1], None


def next_key(rendition: Rendition, number: int) -> int:
    """Until when a keyframe by itself is shown, in the timescale it is carried with."""
    stretch = rendition.stretch(number, keyframe=True)
    if stretch is not None and any(each.key == number + 1 for each in rendition.stretches):
        return stretch.until
    keys = rendition.keys or rendition.segments
    return keys.samples[number + 1]


def _audio(
    heard: Sequence[AudioOutline],
    marks: Sequence[float],
    shares: Sequence[tuple[int, int]],
    end: float,
    until: float,
    *,
    default: bool,
) -> Rendition:
    """Sound up to `end`, whose last sample lasts `until` then, in one stretch or in several that follow one another."""
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
        inner = _inner(marks, begins, limit, alone=len(heard) == 1)
        times = [each.carriage.first, *(_on_grid(each.carriage, round(mark * own)) for mark in inner)]
        found.append(_stretch(each, len(starts), 0, round((until if limit == end else limit) * own)))
        starts += [_scaled(time, own, scale) for time in times]
        cuts += times
        if shares and len(each.carriage.sizes) > 1 and len(inner) == len(shares) - 1 and len(heard) == 1:
            sizes += [sum(each.carriage.sizes[first:stop]) for first, stop in shares]
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
    """Where a stretch of sound is cut between its beginning and its end.

    It begins and ends where it does, so another cut near to that is left out.
    """
    if not marks:
        return cut_evenly(begins, end)[1:]
    if alone:
        return [mark for mark in marks[1:-1] if begins < mark < end]
    return [mark for mark in marks if begins + NEAR < mark < end - NEAR]


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
