"""Decode times are valid for any presentation order."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from trio_stream.mp4.reordering import decode_times, durations, reordering


@given(
    shown=st.lists(st.integers(0, 1000), unique=True), delay=st.integers(0, 100), end=st.integers(1001, 2000)
)
def test_decode_times(shown: list[int], delay: int, end: int) -> None:
    decoded = decode_times(shown, delay, end)
    assert decoded == sorted(decoded)
    assert all(one <= other for one, other in zip(decoded, shown, strict=True))
    lengths = durations(decoded, end - delay)
    assert min(lengths, default=0) >= 0
    if shown:
        assert decoded[0] == min(shown) - delay
        assert decoded[0] + sum(lengths) == end - delay  # when decoding of the following samples begins


@given(
    order=st.sampled_from([[0], [0, 2, 1], [0, 4, 2, 1, 3], [0, 3, 1, 2]]),
    groups=st.integers(1, 20),
    rate=st.sampled_from([Fraction(24_000, 1001), Fraction(30_000, 1001), Fraction(60), Fraction(25)]),
    first=st.integers(0, 100),
)
def test_no_frame_overlaps_the_next(order: list[int], groups: int, rate: Fraction, first: int) -> None:
    """Rounding to milliseconds makes some frames a millisecond longer than others."""
    numbers = [group * len(order) + offset for group in range(groups) for offset in order]
    shown = [first + round(number * 1000 / rate) for number in numbers]
    end = first + round(len(numbers) * 1000 / rate)
    delay = reordering(shown, len(shown)) + 2
    lengths = durations(decode_times(shown, delay, end), end - delay)
    ends = sorted(time + length for time, length in zip(shown, lengths, strict=True))
    assert ends == [*sorted(shown)[1:], end]


def test_reordering() -> None:
    assert reordering([0, 2, 1, 4, 3], 5) == 1
    assert reordering([0, 4, 2, 1, 3], 5) == 2
    assert reordering([0, 4, 1], 3) == 3  # the frames in between are missing
    assert reordering([0, 4, 1], 1) == 0
    assert reordering([], 0) == 0
