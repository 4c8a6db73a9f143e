"""Where segments begin: at keyframes, near to a target; the first ones sooner, so that playing starts sooner.

The rule looks at nothing but the keyframes and the end. So the same file is always cut in the same way, and files of
one title whose keyframes agree are cut at the same places."""

from bisect import bisect_left
from collections.abc import Callable
from typing import Protocol

TARGET = 6.0
"""Seconds of a segment, about."""

FIRST = (2.0, 4.0)
"""Seconds of the first ones."""

SCHEME = 4
"""Counts the changes of the rules by which segments are made, and of what is known of them: what is kept under another
number is found out anew, and what was cached under another address is not asked for again."""

MOST_SEGMENTS = 100_000
"""Segments of all tracks of a file together: a day with five sounds. Where there are more it is refused."""

NEAR = 64
"""Keyframes at either side among which one with a closed group of pictures is looked for."""


class Times(Protocol):
    """When keyframes are presented, in seconds, ascending. Only those near to a cut are asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> float: ...


def in_address(name: str) -> str:
    """The part of an address of segments that names their rendition or text, and the rules they are made by."""
    return f"{name}-{SCHEME}"


def cut(times: Times, end: float, *, is_open: Callable[[int], bool] = lambda _: False) -> list[int]:
    """Which of the keyframes at `times` begin a segment; the first always does.

    Each is the one nearest to where a segment should begin, before the one whose group of pictures is open if another
    is not much farther (`is_open` is asked about few of them). What would be left for a short last segment belongs to
    the one before it. There are at most `MOST_SEGMENTS` and one, whatever the times are.
    """
    chosen = [0] if len(times) else []
    while 0 < len(chosen) <= MOST_SEGMENTS:
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


def thin(times: Times, apart: float, most: int) -> list[int]:
    """The first of the keyframes, and of those that follow each that is so many seconds behind the one before; not more
    than `most`, whatever their times are."""
    chosen = [0] if len(times) else []
    while 0 < len(chosen) < most:
        following = _first_at(times, times[chosen[-1]] + apart, chosen[-1] + 1)
        if following == len(times):
            break
        chosen.append(following)
    return chosen


def cut_evenly(start: float, end: float) -> list[float]:
    """Where segments begin where everything is a keyframe: times in seconds."""
    found, at = [start], start
    while True:
        at += FIRST[len(found) - 1] if len(found) <= len(FIRST) else TARGET
        if end - at < TARGET / 2:
            return found
        found.append(at)


def _first_at(times: Times, wanted: float, begin: int) -> int:
    """The first keyframe from `begin` on that is presented at `wanted` or later; behind the end, their number.

    It is looked for from `begin` on, in steps that double: of a whole film, `bisect` alone would ask for a dozen times.
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
    """The nearest keyframe with a closed group of pictures that is at most a target away."""
    low = bisect_left(times, wanted - TARGET, max(begin, nearest - NEAR), nearest)
    high = bisect_left(times, wanted + TARGET, nearest, min(nearest + NEAR, len(times)))
    by_distance = sorted(range(low, high), key=lambda each: abs(times[each] - wanted))
    return next((each for each in by_distance if not is_open(each)), None)
