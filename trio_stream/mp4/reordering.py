"""When samples are decoded that are not presented in the order of decoding (pure).

All times are whole numbers of one clock.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise

REORDERED = 32
"""Pictures by which decoding and presentation may differ: twice what any codec allows. Behind a keyframe, no picture
further away is presented before it."""


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
