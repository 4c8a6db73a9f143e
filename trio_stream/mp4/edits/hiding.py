"""Hides frames at the beginning that must be decoded and not presented: the edit list starts inside their GOP.

Media Source drops frames presented before 0, and then all that depend on them. So each of them is presented for one
tick, less than two microseconds, from 0 on, and the first frame of the edit right after them. Only the start of the
tables changes, however long the video is.
"""

from array import array
from collections.abc import Iterable
from dataclasses import replace

from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.edits.ticks import InTicks, finer, in_ticks
from trio_stream.mp4.reading.movie import Track
from trio_stream.mp4.reading.run_lengths import Durations, Runs, runs_of
from trio_stream.mp4.reading.tables import SampleTable
from trio_stream.mp4.reordering import REORDERED

MAX_HIDDEN = 10_000
"""Maximum number of hidden frames: enough for a GOP of minutes."""


def hide(track: Track, samples: SampleTable, first: int, begins: int) -> InTicks | None:
    """`track` and `samples` changed so that no sample from `first`, a keyframe, on is presented before `begins`.

    None if no sample would be hidden, or all of them. No composition offset may be negative. Raises `Malformed` for
    numbers that do not fit into a table.
    """
    stop = _head(samples, first, begins)
    head = range(first, stop)
    shown = samples.all_shown_at(head)
    before = [number for number, time in zip(head, shown, strict=True) if time < begins]
    if not before or len(before) == samples.count - first:
        return None
    factor = finer(track.timescale)
    first_visible = next(
        number for number in range(first, samples.count) if samples.shown_at(number) >= begins
    )
    decoded = samples.durations.times(head)
    # The hidden ones before the first presented one are decoded a tick apart, so all that follows moves forward.
    moved = (samples.durations.time(first_visible) - samples.durations.time(first)) * factor - (
        first_visible - first
    )
    turns = {number: turn for turn, number in enumerate(sorted(before, key=samples.shown_at))}
    offsets: list[int] = []
    for number, time, decode in zip(head, shown, decoded, strict=True):
        at = (
            samples.durations.time(first) * factor + number - first
            if number < first_visible
            else decode * factor - moved
        )
        if number in turns:
            presented = begins * factor - moved + turns[number]
        else:
            presented = max(time * factor, begins * factor + len(turns)) - moved
        offsets.append(max(0, presented - at))
    durations, rest = samples.durations, range(first_visible, samples.count)
    compositions = samples.compositions or Runs(array("I", (samples.count,)), array("i", (0,)))
    try:
        table = replace(
            samples,
            durations=Durations(*_joined(
                _scaled(durations, range(first), factor),
                ((first_visible - first, 1),),
                _scaled(durations, rest, factor),
            )),
            compositions=Runs(*_joined(
                _scaled(compositions, range(first), factor),
                zip(*runs_of(array("i", offsets)), strict=True),
                _scaled(compositions, range(stop, samples.count), factor),
                kind="i",
            )),
        )  # fmt: skip
    except OverflowError:
        raise Malformed("moov/trak/mdia/minf/stbl", "a sample lasts too long") from None
    return InTicks(in_ticks(track), table, begins * factor - moved)


def _head(samples: SampleTable, first: int, begins: int) -> int:
    """The end of the range that holds all samples presented before `begins` and the first that is not."""
    stop = min(samples.count, first + MAX_HIDDEN)
    group = samples.sync_within(first + 1, stop)
    stop = min(stop, group[0] + REORDERED if len(group) else stop)
    shown = dict(zip(range(first, stop), samples.all_shown_at(range(first, stop)), strict=True))
    late = [number for number, time in shown.items() if time < begins]
    beginning = min(
        (number for number in shown if shown[number] >= begins), key=shown.__getitem__, default=first
    )
    return max([beginning, *late]) + 1


def _scaled(runs: Runs, within: range, factor: int) -> Iterable[tuple[int, int]]:
    """Counts and values of the samples in `within`, with the values multiplied by `factor`."""
    if not within:
        return
    run, last = runs.run_of(within.start), runs.run_of(within.stop - 1)
    for index in range(run, last + 1):
        begin, end = max(within.start, runs.starts[index]), min(within.stop, runs.starts[index + 1])
        yield end - begin, runs.values[index] * factor


def _joined(*parts: Iterable[tuple[int, int]], kind: str = "I") -> "tuple[array[int], array[int]]":
    counts, values = array("I"), array(kind)
    for part in parts:
        for count, value in part:
            counts.append(count)
            values.append(value)
    return counts, values
