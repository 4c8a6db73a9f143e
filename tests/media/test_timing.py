"""Times depend on the timestamp alone: they are put back onto the grid, ascend, and never go back."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.media.remux.timing import Clock, monotonic

MILLISECONDS = Fraction(1, 1000)


@given(
    rate=st.sampled_from([8_000, 22_050, 44_100, 48_000, 96_000]),
    step=st.sampled_from([576, 960, 1024, 1152, 1536, 2048, 4608]),
    first=st.integers(-3000, 100_000),
    number=st.integers(0, 10_000_000),
    truncated=st.booleans(),
)
def test_milliseconds_are_put_back_onto_the_grid(
    rate: int, step: int, first: int, number: int, truncated: bool
) -> None:
    exact = Fraction(first + number * step, rate)
    timestamp = int(exact * 1000 // 1) if truncated else round(exact * 1000)
    assert Clock(MILLISECONDS, 0, rate, first, step).at(timestamp) == first + number * step


@given(timestamps=st.lists(st.integers(-10_000, 1 << 33), min_size=2), step=st.sampled_from([0, 120, 1024]))
def test_times_ascend(timestamps: list[int], step: int) -> None:
    clock = Clock(Fraction(1, 90_000), 1234, 44_100, -1024, step)
    assert all(clock.at(one) <= clock.at(other) for one, other in pairwise(sorted(timestamps)))


@given(timestamp=st.integers(-10_000, 1 << 33), base=st.sampled_from([1000, 90_000, 48_000, 25]))
def test_no_time_is_more_than_a_millisecond_off(timestamp: int, base: int) -> None:
    clock = Clock(Fraction(1, base), 77, 48_000, -312, 960)
    exact = (timestamp - 77) * Fraction(48_000, base)
    assert abs(clock.at(timestamp) - exact) <= max(48, 48_000 // base) + 1
    assert clock.timestamp(clock.at(timestamp)) == pytest.approx(timestamp, abs=max(2, base // 1000 + 1))


def test_a_time_off_the_grid_stays() -> None:
    clock = Clock(MILLISECONDS, 0, 48_000, 0, 1024)
    assert clock.at(10) == 480
    assert clock.at(21) == 1024  # 1008: 0.3 ms off


def test_timestamps_are_converted_both_ways() -> None:
    clock = Clock(Fraction(1, 90_000), 126_000, 90_000)
    assert [clock.at(timestamp) for timestamp in (126_000, 129_600)] == [0, 3600]
    assert clock.timestamp(3600) == 129_600
    assert clock.ticks(0.5) == 45_000
    odd = Clock(Fraction(1001, 30_000), 0, 30_000)
    assert [odd.at(number) for number in range(3)] == [0, 1001, 2002]


def test_a_time_that_goes_back_becomes_the_one_before() -> None:
    assert monotonic([1, 5, 3, 6]) == [1, 5, 5, 6]
