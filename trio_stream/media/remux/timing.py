"""Convert timestamps to times of a track, as whole numbers of its timescale (pure).

The time of a packet depends on its own timestamp and on properties of the whole track, never on what was read before
it. So segments of a track meet without a gap or an overlap, in whatever order they are requested.
"""

from collections.abc import Iterable
from fractions import Fraction

ROUNDED = Fraction(1, 1000)
"""Seconds by which a timestamp may be off because a container counts in milliseconds (Matroska, FLV)."""


class Clock:
    """Converts timestamps of a container to times of a track; the parameters are those of `outline.Carriage`.

    Audio is put back onto the grid of its packets, because their timestamps are rounded: a timestamp less than a
    millisecond (or one tick, if that is more) from a grid point becomes that point. One that is not near any (after a
    gap, or on another clock) keeps its own time.
    """

    __slots__ = ("_denominator", "_first", "_near", "_numerator", "_step", "origin", "time_base", "timescale")

    def __init__(
        self, time_base: Fraction, origin: int, timescale: int, first: int = 0, step: int = 0
    ) -> None:
        self.time_base = time_base
        self.origin = origin
        self.timescale = timescale
        ratio = time_base * timescale
        self._numerator, self._denominator = ratio.numerator, ratio.denominator
        self._first = first
        self._step = step
        # At most a third of a packet, so that even very short packets are near to one point only.
        self._near = int(min(max(ROUNDED, time_base) * timescale, Fraction(step, 3)) * self._denominator)

    def at(self, timestamp: int) -> int:
        """Convert a timestamp to a time."""
        parts = (timestamp - self.origin) * self._numerator  # in units of 1 / `_denominator` of the timescale
        if self._step:
            spacing = self._step * self._denominator
            number = (2 * (parts - self._first * self._denominator) + spacing) // (2 * spacing)
            on_grid = self._first + number * self._step
            if abs(parts - on_grid * self._denominator) <= self._near:
                return on_grid
        return (2 * parts + self._denominator) // (2 * self._denominator)

    def timestamp(self, time: int) -> int:
        """Return the timestamp of the container at this time, or the last one before it."""
        return self.origin + time * self._denominator // self._numerator

    def ticks(self, seconds: float) -> int:
        """Convert seconds to ticks of the container."""
        return int(Fraction(seconds) / self.time_base)


def monotonic(times: Iterable[int]) -> list[int]:
    """Make times monotonic: one that goes back (a damaged file, a splice) becomes the one before it."""
    result: list[int] = []
    for time in times:
        result.append(max(time, result[-1]) if result else time)
    return result
