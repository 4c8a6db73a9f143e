"""Where init segments change in the midst of a title, and which segments of each rendition lie between (pure).

A title whose init segments do not change, and that is nearly all of them, is one span.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trio_stream.packaging.presentation import Rendition

NEAR = 0.5
"""Seconds within which sounds change together where there are no pictures."""


@dataclass(frozen=True, slots=True)
class Span:
    """It starts at `start` seconds, with the segments `numbers` of each rendition, by its place among all."""

    start: float
    numbers: Mapping[int, range]


def spans(renditions: Sequence[Rendition]) -> list[Span]:
    """The spans of a title with these renditions, the pictures first.

    Each begins where pictures are cut, near to where something changes; what changes begins there with the first
    segment that is coded in the new way, and everything else with the one that begins nearest.
    """
    found: dict[float, dict[int, int]] = {0.0: {at: 0 for at in range(len(renditions))}}
    for at, rendition in enumerate(renditions):
        for first in rendition.inits:
            if first:
                time = rendition.segments.starts[first] / rendition.timescale
                near = _near(renditions, time, found)
                found.setdefault(time if at in found.get(near, ()) else near, {})[at] = first
    starts = sorted(found)
    firsts = [
        [found[start].get(at, _nearest(rendition, start)) for start in starts] + [len(rendition.segments)]
        for at, rendition in enumerate(renditions)
    ]
    return [
        Span(start, {at: range(each[number], each[number + 1]) for at, each in enumerate(firsts)})
        for number, start in enumerate(starts)
    ]


def _near(renditions: Sequence[Rendition], time: float, found: Mapping[float, object]) -> float:
    main = renditions[0]
    if main.kind == "video":
        first = _nearest(main, time)
        return main.segments.starts[first] / main.timescale if 0 < first < len(main.segments) else time
    return next((each for each in found if each and abs(each - time) < NEAR), time)


def _nearest(rendition: Rendition, time: float) -> int:
    """The segment that begins nearest to a time; their number where that is the end."""
    starts, wanted = rendition.segments.starts, time * rendition.timescale
    after = bisect_left(starts, wanted, 0, len(starts) - 1)
    return after - 1 if after and wanted - starts[after - 1] < starts[after] - wanted else after
