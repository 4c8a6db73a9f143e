"""Byte ranges of a file, taken apart and put together."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bodies import assemble, gathers
from trio_stream.byte_ranges import ByteRange, join, take
from trio_stream.http.bodies import Gather

CONTENT = bytes(number * number % 251 for number in range(5000))


@given(gathers(5000, 700), st.lists(st.integers(0, 3000), max_size=9))
def test_what_is_taken_bit_by_bit_is_all_of_it(gather: Gather, counts: list[int]) -> None:
    left = list(reversed(gather.runs))
    rest = gather.length
    taken: list[ByteRange] = []
    for count in counts:
        some = take(left, min(count, rest))
        assert sum(length for _, length in some) == min(count, rest)
        taken += some
        rest -= min(count, rest)
    taken += take(left, rest)
    assert left == []
    assert all(length for _, length in taken)
    assert assemble([Gather(tuple(taken))], CONTENT) == assemble([gather], CONTENT)


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([], []),
        ([(5, 7)], [(5, 7)]),
        ([(0, 10), (10, 5)], [(0, 15)]),
        ([(0, 10), (109, 5)], [(0, 114)]),
        ([(0, 10), (110, 5)], [(0, 10), (110, 5)]),
        ([(100, 10), (0, 10)], [(100, 10), (0, 10)]),
        ([(0, 1), (50, 1), (500, 1), (501, 1)], [(0, 51), (500, 2)]),
        ([(0, 0), (7, 3), (900, 0), (10, 0), (12, 1)], [(7, 6)]),
    ],
)
def test_small_gaps_are_closed(ranges: list[ByteRange], expected: list[ByteRange]) -> None:
    assert list(join(ranges, 100)) == expected


@given(gathers(5000, 700), st.integers(1, 1000))
def test_every_range_lies_within_a_joined_one(gather: Gather, gap: int) -> None:
    found = list(join(gather.runs, gap))
    for offset, length in gather.runs:
        assert any(first <= offset and offset + length <= first + long for first, long in found)
    assert len(found) <= len(gather.runs)
    assert sum(long for _, long in found) <= gather.length + gap * len(gather.runs)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=20))
def test_ranges_that_touch_are_joined_without_a_byte_more_or_less(ranges: list[ByteRange]) -> None:
    found = list(join(ranges))
    assert spelt_out(found) == spelt_out(ranges)
    assert all(length for _, length in found)
    assert all(sum(before) != after[0] for before, after in pairwise(found))


def spelt_out(ranges: list[ByteRange]) -> list[int]:
    """The place of every byte."""
    return [offset + byte for offset, length in ranges for byte in range(length)]
