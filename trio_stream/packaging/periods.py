"""DASH periods: where init segments change inside a title, and which segments of each rendition are between (pure).

A title whose init segments do not change, as in almost all, is one period.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trio_stream.packaging.presentation import Rendition

NEAR = 0.5
"""Seconds within which changes of several audio tracks count as one, if there is no video."""

FAR = 6.0
"""Maximum seconds between an audio change and the nearest keyframe: twice the usual distance."""


@dataclass(frozen=True, slots=True)
class Period:
    """The period starts at `start` seconds and has the segments `numbers` of each rendition, by rendition index."""

    start: float
    numbers: Mapping[int, range]


def periods(renditions: Sequence[Rendition]) -> list[Period]:
    """The periods of a title with these renditions, the video first.

    Each begins at a video segment boundary near a change of the coding.
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
            start,
            {at: range(numbers[index], max(numbers[index : index + 2])) for at, numbers in enumerate(firsts)},
        )
        for index, start in enumerate(starts)
    ]


def _near(main: Rendition, time: float, starts: Sequence[float]) -> float:
    """The start of the period for a change at `time`."""
    if main.kind == "video":
        first = _nearest(main, time)
        return main.segments.starts[first] / main.timescale if 0 < first < len(main.segments) else time
    return next((start for start in starts if start and abs(start - time) < NEAR), time)


def first_at(rendition: Rendition, start: float) -> int:
    """The segment of a rendition with which the period that starts at `start` begins.

    For a rendition whose coding changes there, it is the first segment with the new coding, otherwise the segment that
    begins nearest.
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
    """The segment that begins nearest to a time; the number of segments if that is the end."""
    starts, wanted = rendition.segments.starts, time * rendition.timescale
    after = bisect_left(starts, wanted, 0, len(starts) - 1)
    return after - 1 if after and wanted - starts[after - 1] < starts[after] - wanted else after
