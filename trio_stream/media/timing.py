"""When samples are shown and decoded, as whole numbers of the clock they are carried with (pure).

The time of a packet depends on its own timestamp and on what is known of the whole track, never on what was read before
it. So whoever asks for a piece of a track, and in whatever order, the pieces meet without a gap or an overlap.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise

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


def shown_for(shown: Sequence[int], end: int) -> list[int]:
    """How long samples are shown that are shown at these times: each until the next one, the last until `end`."""
    in_turn = sorted(range(len(shown)), key=shown.__getitem__)
    found = [max(0, end - max(shown, default=0))] * len(shown)
    for number, after in pairwise(in_turn):
        found[number] = shown[after] - shown[number]
    return found


def reordering(shown: Sequence[int], sure: int) -> int:
    """How much earlier than the first of them is shown samples have to be decoded, for none to be decoded too late.

    They are shown at these times, and given in the order of decoding. Only the first `sure` of them are asked: when
    the last ones are decoded depends on what follows.
    """
    if sure <= 0:
        return 0
    in_turn = sorted(shown)
    end = in_turn[-1] + (in_turn[-1] - in_turn[-2] if len(in_turn) > 1 else 0)
    steadily = accumulate(shown_for(shown, end), initial=in_turn[0])
    least = max(turn - time for turn, time in zip(in_turn[:sure], shown, strict=False))
    enough = max(decoded - time for decoded, time in zip(steadily, shown[:sure], strict=False))
    return enough if enough <= 2 * least else least


def decode_times(shown: Sequence[int], delay: int, end: int) -> list[int]:
    """When samples are decoded that are shown at these times, the last one until `end`, in the order of decoding.

    The first one is `delay` before any is shown. Each other one follows the one before by as long as that is shown:
    players take how long a sample is decoded for how long it is shown, and where two overlap, they throw one away.
    Where some are shown so much longer than others that this is too late, each takes its turn, `delay` earlier, or
    what time is left.

    Where pictures are still to be shown when those behind them already are (files that were joined overlap), all are
    decoded at equal intervals before `end`: FFmpeg throws away a sample that is decoded no later than the one before.
    """
    if not shown:
        return []
    begin, length = min(shown) - delay, end - min(shown)
    if 0 < length <= max(shown) - min(shown):
        steadily = [begin + length * number // len(shown) for number in range(len(shown))]
    else:
        steadily = list(accumulate(shown_for(shown, end)[:-1], initial=begin))
    if all(decoded <= time for decoded, time in zip(steadily, shown, strict=True)):
        return steadily
    decoded: list[int] = []
    latest = max(shown)
    for turn, time in zip(sorted(shown, reverse=True), reversed(shown), strict=True):
        latest = min(latest, time)
        decoded.append(min(turn - delay, latest))
    return decoded[::-1]


def durations(decoded: Sequence[int], end: int) -> list[int]:
    """How long each sample lasts: until the next one, the last until `end`."""
    return [max(0, after - before) for before, after in pairwise([*decoded, end])]


def rising(times: Iterable[int]) -> list[int]:
    """The times, none before the one before it: what goes back (a damaged file, a splice) waits."""
    found: list[int] = []
    for time in times:
        found.append(max(time, found[-1]) if found else time)
    return found
