"""Where init segments change in the midst of a title, and which segments of each rendition lie between (pure).

A title whose init segments do not change, and that is nearly all of them, is one span.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trio_stream.packaging.presentation import Rendition

NEAR = 0.5
"""Seconds within which sounds change together where there are no pictures."""

FAR = 6.0
"""Seconds between a sound that changes and the keyframe nearest to it, at most: twice the usual."""


@dataclass(frozen=True, slots=True)
class Period:
    """It starts at `start` seconds, with the segments `numbers` of each rendition, by its place among all."""

    start: float
    numbers: Mapping[int, range]


def periods(renditions: Sequence[Rendition]) -> list[Period]:
    """The spans of a title with these renditions, the pictures first.

    Each begins where pictures are cut, near to where something changes.
    """
    starts = [0.0]
    for rendition in renditions:
        for first in rendition.inits:
            if first:
                time = rendition.segments.starts[first] / rendition.timescale
                starts.append(_near(renditions[0], time, starts))
    starts = sorted(set(starts))
    firsts = [
        [*(first_at(rendition, start) if start else 0 for start in starts), len(rendition.segments)]
        for rendition in renditions
    ]
    return [
        Period(
            start, {at: range(each[number], max(each[number : number + 2])) for at, each in enumerate(firsts)}
        )
        for number, start in enumerate(starts)
    ]


def _near(main: Rendition, time: float, starts: Sequence[float]) -> float:
    """The time at which a span begins where something changes at `time`."""
    if main.kind == "video":
        first = _nearest(main, time)
        return main.segments.starts[first] / main.timescale if 0 < first < len(main.segments) else time
    return next((each for each in starts if each and abs(each - time) < NEAR), time)


def first_at(rendition: Rendition, start: float) -> int:
    """The segment of a rendition with which a span begins that does so at `start`.

    What changes there begins with the first segment that is coded in the new way, and all else with the one that begins
    nearest.
    """
    scale, starts = rendition.timescale, rendition.segments.starts
    nearest = _nearest(rendition, start)
    changed = [
        (abs(starts[first] - start * scale), first)
        for first in rendition.inits
        if first and abs(starts[first] - start * scale) <= FAR * scale
    ]
    return min(changed)[1] if changed else nearest


def _nearest(rendition: Rendition, time: float) -> int:
    """The segment that begins nearest to a time; their number where that is the end."""
    starts, wanted = rendition.segments.starts, time * rendition.timescale
    after = bisect_left(starts, wanted, 0, len(starts) - 1)
    return after - 1 if after and wanted - starts[after - 1] < starts[after] - wanted else after
