"""Decode times of samples that are not presented in decoding order (pure).

All times are integers of one clock.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise

REORDERED = 32
"""Frames by which decoding and presentation order may differ: twice what any codec allows. A frame that follows a
keyframe by more than that is not presented before it."""


def shown_for(shown: Sequence[int], end: int) -> list[int]:
    """How long samples with these presentation times are shown: until the next one, the last until `end`."""
    in_order = sorted(range(len(shown)), key=shown.__getitem__)
    lengths = [max(0, end - max(shown, default=0))] * len(shown)
    for number, after in pairwise(in_order):
        lengths[number] = shown[after] - shown[number]
    return lengths


def reordering(shown: Sequence[int], sure: int) -> int:
    """How long decoding must begin before the first sample is shown, so that none is decoded too late.

    The samples are in decoding order. Only the first `sure` of them count: when the last ones are decoded depends on
    those that follow.
    """
    if sure <= 0:
        return 0
    in_order = sorted(shown)
    end = in_order[-1] + (in_order[-1] - in_order[-2] if len(in_order) > 1 else 0)
    steadily = accumulate(shown_for(shown, end), initial=in_order[0])
    lowest = max(turn - time for turn, time in zip(in_order[:sure], shown, strict=False))
    enough = max(decoded - time for decoded, time in zip(steadily, shown[:sure], strict=False))
    return enough if enough <= 2 * lowest else lowest


def decode_times(shown: Sequence[int], delay: int, end: int) -> list[int]:
    """The decode times of samples with these presentation times, in decoding order; the last is shown until `end`.

    The first one is decoded `delay` before any is shown. Each lasts, in decode time, as long as it is shown: players
    use the decode duration as the display duration, and where two overlap, they drop one.
    If that is too late for some, because others are shown much longer, each is decoded `delay` before its place in
    presentation order, or earlier if that would still be too late.

    If frames must still be shown when later ones already are (joined files overlap), all are decoded at equal intervals
    before `end`: FFmpeg drops a sample whose decode time is not later than the previous one.
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
