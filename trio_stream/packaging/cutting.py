"""Where segments begin: at the keyframes nearest to a target duration. The first segments are shorter, so that playback
starts sooner.

The rule depends on the keyframes and the end alone. So the same file is always cut in the same way, and files of one
title with the same keyframes get the same segment boundaries."""

from bisect import bisect_left
from collections.abc import Callable
from typing import Protocol

TARGET = 6.0
"""Target duration of a segment, in seconds."""

FIRST = (2.0, 4.0)
"""Target durations of the first segments, in seconds."""

SCHEME = 4
"""Version of the rules by which presentations and segments are built: data stored under another version is computed
again, and segments that clients cached under another URL are not requested again."""

MAX_SEGMENTS = 100_000
"""Maximum number of segments of all tracks of a file: a day with five audio tracks. Larger files are refused."""

NEAR = 64
"""Number of keyframes on either side that are searched for a closed GOP."""


class Times(Protocol):
    """Presentation times of keyframes, in seconds, ascending. Only those near a boundary are read."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> float: ...


def in_address(name: str) -> str:
    """The path component of segment URLs that names their rendition or subtitles, and the version of the rules."""
    return f"{name}-{SCHEME}"


def cut(times: Times, end: float, *, is_open: Callable[[int], bool] = lambda _: False) -> list[int]:
    """The indexes of the keyframes at `times` that begin a segment; the first always does.

    Each is the one nearest to the target, but a nearby keyframe with a closed GOP is preferred to one with an open GOP
    (`is_open` is called for few of them). A short remainder at the end is part of the last segment. At most
    `MAX_SEGMENTS` + 1 indexes are returned for any times.
    """
    chosen = [0] if len(times) else []
    while 0 < len(chosen) <= MAX_SEGMENTS:
        last = chosen[-1]
        length = FIRST[len(chosen) - 1] if len(chosen) <= len(FIRST) else TARGET
        wanted = times[last] + length
        nearest = _nearest(times, last + 1, wanted)
        if nearest is None or end - wanted < abs(times[nearest] - wanted):
            break
        if is_open(nearest):
            nearest = _nearest_closed(times, last + 1, nearest, wanted, is_open) or nearest
        chosen.append(nearest)
    return chosen


def thin(times: Times, apart: float, limit: int) -> list[int]:
    """The indexes of the first keyframe and of each one that is at least `apart` seconds after the one chosen before;
    at most `limit`."""
    chosen = [0] if len(times) else []
    while 0 < len(chosen) < limit:
        following = _first_at(times, times[chosen[-1]] + apart, chosen[-1] + 1)
        if following == len(times):
            break
        chosen.append(following)
    return chosen


def cut_evenly(start: float, end: float) -> list[float]:
    """The segment boundaries, in seconds, of a track in which every sample is a keyframe."""
    boundaries, at = [start], start
    while True:
        at += FIRST[len(boundaries) - 1] if len(boundaries) <= len(FIRST) else TARGET
        if end - at < TARGET / 2:
            return boundaries
        boundaries.append(at)


def _first_at(times: Times, wanted: float, begin: int) -> int:
    """The first keyframe from `begin` on that is presented at `wanted` or later; if there is none, their number.

    The search starts at `begin` with doubling steps: `bisect` over a whole video would compute a dozen of the times.
    """
    count, step, at = len(times), 1, begin
    while at < count and times[at] < wanted:
        begin, at, step = at + 1, at + step, step * 2
    return bisect_left(times, wanted, begin, min(at, count))


def _nearest(times: Times, begin: int, wanted: float) -> int | None:
    after = _first_at(times, wanted, begin)
    if after == len(times):
        return after - 1 if after > begin else None
    if after > begin and wanted - times[after - 1] <= times[after] - wanted:
        return after - 1
    return after


def _nearest_closed(
    times: Times, begin: int, nearest: int, wanted: float, is_open: Callable[[int], bool]
) -> int | None:
    """The nearest keyframe with a closed GOP that is at most `TARGET` seconds away."""
    low = bisect_left(times, wanted - TARGET, max(begin, nearest - NEAR), nearest)
    high = bisect_left(times, wanted + TARGET, nearest, min(nearest + NEAR, len(times)))
    by_distance = sorted(range(low, high), key=lambda number: abs(times[number] - wanted))
    return next((number for number in by_distance if not is_open(number)), None)
