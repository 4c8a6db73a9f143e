"""Byte ranges of a file are cut and joined."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bodies import assemble, scattered_ranges
from trio_stream.byte_ranges import ByteRange, ByteRanges, join, take

CONTENT = bytes(number * number % 251 for number in range(5000))


@given(scattered_ranges(5000, 700), st.lists(st.integers(0, 3000), max_size=9))
def test_taking_in_parts_returns_all_bytes(scattered: ByteRanges, counts: list[int]) -> None:
    left = list(reversed(scattered.ranges))
    rest = scattered.length
    taken: list[ByteRange] = []
    for count in counts:
        some = take(left, min(count, rest))
        assert sum(length for _, length in some) == min(count, rest)
        taken += some
        rest -= min(count, rest)
    taken += take(left, rest)
    assert left == []
    assert all(length for _, length in taken)
    assert assemble([ByteRanges(tuple(taken))], CONTENT) == assemble([scattered], CONTENT)


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


@given(scattered_ranges(5000, 700), st.integers(1, 1000))
def test_every_range_is_inside_a_joined_one(scattered: ByteRanges, gap: int) -> None:
    found = list(join(scattered.ranges, gap))
    for offset, length in scattered.ranges:
        assert any(first <= offset and offset + length <= first + long for first, long in found)
    assert len(found) <= len(scattered.ranges)
    assert sum(long for _, long in found) <= scattered.length + gap * len(scattered.ranges)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=20))
def test_adjacent_ranges_are_joined_exactly(ranges: list[ByteRange]) -> None:
    found = list(join(ranges))
    assert positions_of(found) == positions_of(ranges)
    assert all(length for _, length in found)
    assert all(sum(before) != after[0] for before, after in pairwise(found))


def positions_of(ranges: list[ByteRange]) -> list[int]:
    """The position of every byte."""
    return [offset + byte for offset, length in ranges for byte in range(length)]


@given(scattered_ranges(5000, 700), st.data())
def test_a_slice_has_the_right_bytes(scattered: ByteRanges, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, scattered.length))
    stop = data.draw(st.integers(start, scattered.length))
    cut = scattered.slice(start, stop)
    assert len(cut) == stop - start
    assert all(length for _, length in cut.ranges)
    assert positions_of(list(cut.ranges)) == positions_of(list(scattered.ranges))[start:stop]
