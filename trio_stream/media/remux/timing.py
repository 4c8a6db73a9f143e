"""When samples are shown and decoded, as whole numbers of the clock they are carried with (pure).

The time of a packet depends on its own timestamp and on what is known of the whole track, never on what was read before
it. So whoever asks for a piece of a track, and in whatever order, the pieces meet without a gap or an overlap.
"""

from collections.abc import Iterable
from fractions import Fraction

ROUNDED = Fraction(1, 1000)
"""Seconds by which a timestamp may be off because a container counts in milliseconds (Matroska, FLV)."""


class Clock:
    """Turns timestamps of a container into times of a track; the numbers are those of `outline.Carriage`.

    Audio is put back onto the grid on which its packets lie, of which their timestamps are roundings: a timestamp
    less than a millisecond (or one tick, where that is more) from a grid point is that point. What is not near one
    (there is a gap, or another clock) keeps its own time.
    """

    __slots__ = ("_by", "_first", "_near", "_of", "_step", "origin", "time_base", "timescale")

    def __init__(
        self, time_base: Fraction, origin: int, timescale: int, first: int = 0, step: int = 0
    ) -> None:
        self.time_base = time_base
        self.origin = origin
        self.timescale = timescale
        ratio = time_base * timescale
        self._by, self._of = ratio.numerator, ratio.denominator
        self._first = first
        self._step = step
        # Packets so short that such timestamps cannot tell them apart are near to nothing else.
        self._near = int(min(max(ROUNDED, time_base) * timescale, Fraction(step, 3)) * self._of)

    def at(self, timestamp: int) -> int:
        """The time of what has this timestamp."""
        parts = (timestamp - self.origin) * self._by  # of which `_of` make one of the track's
        if self._step:
            between = self._step * self._of
            number = (2 * (parts - self._first * self._of) + between) // (2 * between)
            on_grid = self._first + number * self._step
            if abs(parts - on_grid * self._of) <= self._near:
                return on_grid
        return (2 * parts + self._of) // (2 * self._of)

    def timestamp(self, time: int) -> int:
        """The timestamp of the container at this time, or the last one before it."""
        return self.origin + time * self._of // self._by

    def ticks(self, seconds: float) -> int:
        """So many seconds in ticks of the container."""
        return int(Fraction(seconds) / self.time_base)


def rising(times: Iterable[int]) -> list[int]:
    """The times, none before the one before it: what goes back (a damaged file, a splice) waits."""
    found: list[int] = []
    for time in times:
        found.append(max(time, found[-1]) if found else time)
    return found
