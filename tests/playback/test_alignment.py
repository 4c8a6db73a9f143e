"""Whether a player can switch between two files."""

from itertools import pairwise

import pytest

from tests.packaging.making import audio, segments, video
from trio_stream.packaging.presentation import Presentation, Rendition
from trio_stream.playback.offers import are_aligned


def of(*starts: float, timescale: int = 90_000, end: float = 100.0) -> Rendition:
    """Video whose segments begin at `starts`, in seconds."""
    units = [round(item * timescale) for item in (*starts, end)]
    durations = [after - before for before, after in pairwise(units)]
    return video(segments=segments(durations, [1] * len(durations), units[0]), timescale=timescale)


@pytest.mark.parametrize(
    ("one", "other", "aligned"),
    [
        (of(0, 2, 6), of(0, 2, 6), True),
        (of(0, 2, 6), of(0, 2, 6, timescale=12_288), True),
        (of(0, 2, 6), of(0, 2, 6, end=99.0), True),  # only the starts count
        (of(0, 2.002, 6.006, timescale=30_000), of(0, 2, 6), True),  # rounding, within a frame
        (of(0, 2, 6), of(0, 2.05, 6), False),
        (of(0, 2, 6), of(0.05, 2.05, 6.05), False),
        (of(0, 2, 6), of(0, 2, 6, 12), False),
        (of(0, 2, 6), of(0, 2), False),
        (of(0, 2, 6), audio(), False),
        (audio(), audio(), False),
    ],
)
def test_alignment(one: Rendition, other: Rendition, aligned: bool) -> None:
    assert are_aligned(Presentation((one,)), Presentation((other,))) is aligned
