"""An edit list of several edits: the samples of a track in the order in which they are presented.

Each edit presents a range of the media. Its samples are copied to their place, so a range that is cut out is gone, and
one that is presented twice appears twice. The resulting table is like any other.

Frames that an edit needs for decoding but does not present (from the previous keyframe on, and later ones that others
depend on) stay: each is presented for one tick, less than two microseconds, next to the edit. There is no other way to
hide them in fragments, whose edit list applies to the beginning only. Audio is cut at packets, as FFmpeg does from the
second edit on. Source: ISO/IEC 14496-12 section 8.6.6.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from operator import sub

from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.edits.ticks import InTicks, finer, in_ticks
from trio_stream.mp4.reading.descriptions import rearranged
from trio_stream.mp4.reading.movie import Track
from trio_stream.mp4.reading.run_lengths import Durations, Runs, runs_of
from trio_stream.mp4.reading.stbl import MAX_SAMPLES
from trio_stream.mp4.reading.tables import Chunks, SampleTable, sums_of
from trio_stream.mp4.reordering import REORDERED, decode_times, durations, reordering

MAX_REPEATS = 8
"""How many times the whole track may be presented."""

MIN_LIMIT = 1 << 16
"""Number of samples that may be presented in addition."""


@dataclass(frozen=True, slots=True)
class TimedEdit:
    """The edit presents the media [`start`, `stop`) from `at` to `until`, in units of the track's timescale."""

    at: int
    until: int
    start: int
    stop: int

    def scaled(self, factor: int) -> "TimedEdit":
        """The same in a timescale that is `factor` times finer."""
        return TimedEdit(self.at * factor, self.until * factor, self.start * factor, self.stop * factor)


@dataclass(frozen=True, slots=True)
class _Copy:
    """Sample `number` of the track, presented at `shown`; if it is `hidden`, for one tick."""

    number: int
    shown: int
    hidden: bool = False


def rearrange(track: Track, edits: Sequence[TimedEdit], *, preroll: int = 0) -> InTicks | None:
    """The track with the samples that the edits present; None if they present nothing.

    For audio, `preroll` units before the first edit are kept. Raises `Malformed` if the track is repeated too often.
    """
    factor = finer(track.timescale)
    samples = track.samples
    limit = min(MAX_SAMPLES, MAX_REPEATS * samples.count + MIN_LIMIT)
    shown = [time * factor for time in samples.all_shown_at(range(samples.count))]
    copies: list[_Copy] = []
    for place, edit in enumerate(unscaled.scaled(factor) for unscaled in edits):
        if track.handler == "vide":
            copies += _video_copies(samples, shown, edit)
        else:
            copies += _audio_copies(
                shown, samples.end * factor, edit, preroll * factor if place == 0 else None
            )
        if len(copies) > limit:
            raise Malformed("moov/trak/edts/elst", "it repeats the track too many times")
    if not copies:
        return None
    table, decoded = _table(samples, copies, factor, reorder=track.handler == "vide")
    described = rearranged(track.described, [copy.number for copy in copies])
    return InTicks(replace(in_ticks(track), described=described), table, -decoded)


def leave_out(track: Track, ranges: Sequence[range]) -> Track:
    """The track without these samples. The sample before a gap lasts until the next one, so the first one must stay.
    Raises `Malformed`."""
    samples = track.samples
    out = {number for numbers in ranges for number in numbers}
    numbers = [number for number in range(samples.count) if number not in out]
    times = [*samples.durations.times(numbers), samples.end]
    try:
        lengths = array("I", map(sub, times[1:], times))
    except OverflowError:
        raise Malformed("moov/trak/mdia/minf/stbl", "a gap without playable samples is too long") from None
    offsets = samples.compositions.of(numbers) if samples.compositions is not None else ()
    table = _copied(samples, numbers, Durations(*runs_of(lengths)), offsets)
    return replace(track, samples=table, described=rearranged(track.described, numbers))


def _video_copies(samples: SampleTable, shown: Sequence[int], edit: TimedEdit) -> Iterator[_Copy]:
    """The samples of an edit of a video track, in decoding order."""
    syncs = samples.sync_within(0, samples.count)
    entry = max(0, bisect_right(syncs, edit.start, key=shown.__getitem__) - 1)
    first = syncs[entry] if len(syncs) else 0
    presented = dict.fromkeys(_presented(samples, shown, first, edit))
    if not presented:
        return
    begins = min(map(shown.__getitem__, presented))
    # Frames shown before the keyframe they follow depend on earlier ones, and no other frame needs them.
    needed = [
        number
        for number in range(first, max(presented) + 1)
        if number in presented or shown[number] >= shown[first]
    ]
    before = sorted(time for time in map(shown.__getitem__, needed) if time < edit.start)
    after = sorted(time for time in map(shown.__getitem__, needed) if time >= edit.stop)
    ticks = max(0, edit.at - len(before))  # frames presented before 0 would be dropped
    hidden = {time: ticks + turn for turn, time in enumerate(before)}
    hidden |= {time: edit.until - len(after) + turn for turn, time in enumerate(after)}
    for number in needed:
        time = shown[number]
        visible = max(edit.at + time - begins, ticks + len(before))
        yield _Copy(number, hidden.get(time, visible), time in hidden)


def _presented(samples: SampleTable, shown: Sequence[int], first: int, edit: TimedEdit) -> Iterator[int]:
    """The samples that an edit presents. After the keyframe where it ends, a few may still be shown before its end."""
    stop = samples.count
    for number in range(first, samples.count):
        if number >= stop:
            return
        if edit.start <= shown[number] < edit.stop:
            yield number
        elif shown[number] >= edit.stop and samples.is_sync(number):
            stop = min(stop, number + REORDERED)


def _audio_copies(shown: Sequence[int], end: int, edit: TimedEdit, preroll: int | None) -> Iterator[_Copy]:
    """The samples of an edit of an audio track. With `preroll` it is the first edit, and may begin inside a sample."""
    if edit.start >= end:
        return
    stop = bisect_right(shown, edit.stop - 1)
    if preroll is None:
        first = bisect_right(shown, edit.start - 1)
        begins = shown[first] if first < len(shown) else end
    else:
        roll = preroll if edit.at == 0 else 0
        first = max(0, bisect_right(shown, max(0, edit.start - roll)) - 1)
        begins = edit.start
    for number in range(first, stop):
        yield _Copy(number, edit.at + shown[number] - begins)


def _table(
    samples: SampleTable, copies: Sequence[_Copy], factor: int, *, reorder: bool
) -> tuple[SampleTable, int]:
    """The copies as a sample table whose times begin at 0, and the decode time of its first sample."""
    shown = [copy.shown for copy in copies]
    last = max((copy for copy in copies if not copy.hidden), key=lambda copy: copy.shown)
    end = max(last.shown + samples.durations[last.number] * factor, max(shown) + 1)
    if reorder:
        delay = reordering(shown, len(shown))
        decoded = decode_times(shown, delay, end)
        lengths = durations(decoded, max(end - delay, decoded[-1]))
    else:
        decoded = list(accumulate(shown, max))  # an edit may begin inside the last sample of the previous one
        lengths = durations(decoded, max(end, decoded[-1]))
    offsets = [time - decode for time, decode in zip(shown, decoded, strict=True)]
    numbers = [copy.number for copy in copies]
    try:
        lasting = Durations(*runs_of(array("I", lengths)))
        table = _copied(samples, numbers, lasting, offsets if reorder else ())
    except OverflowError:
        raise Malformed("moov/trak/edts/elst", "it presents a sample for too long") from None
    return table, decoded[0]


def _copied(
    samples: SampleTable, numbers: Sequence[int], durations: Durations, offsets: Sequence[int]
) -> SampleTable:
    """The samples with these numbers as a table, with these composition offsets; empty `offsets` mean none."""
    sizes: int | array[int] = (
        samples.sizes
        if isinstance(samples.sizes, int)
        else array("I", map(samples.sizes.__getitem__, numbers))
    )
    chunks = _chunks(samples, numbers)
    return SampleTable(
        count=len(numbers),
        sizes=sizes,
        durations=durations,
        compositions=Runs(*runs_of(array("i", offsets))) if any(offsets) else None,
        sync=None
        if samples.sync is None
        else array("I", (turn for turn, number in enumerate(numbers) if samples.is_sync(number))),
        chunks=chunks,
        dependencies=None
        if samples.dependencies is None
        else bytes(map(samples.dependencies.__getitem__, numbers)),
        sums=sums_of(sizes, chunks),
    )


def _chunks(samples: SampleTable, numbers: Sequence[int]) -> Chunks:
    """Where samples are in the file; those that follow each other directly form one chunk."""
    offsets, counts, end = array("Q"), array("I"), -1
    places = samples.offsets()
    for number in numbers:
        place = places[number]
        if place != end:
            offsets.append(place)
            counts.append(0)
        counts[-1] += 1
        end = place + samples.bytes_of(number, number + 1)
    firsts = array("I", range(1, len(offsets) + 1))
    return Chunks(offsets, firsts, counts, array("Q", accumulate(counts[:-1], initial=0)))
