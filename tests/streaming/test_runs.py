"""Runs of a file, taken apart and put together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bodies import assemble, gathers
from trio_stream.http.bodies import Gather, Run
from trio_stream.streaming.runs import stretches, take

CONTENT = bytes(number * number % 251 for number in range(5000))


@given(gathers(5000, 700), st.lists(st.integers(0, 3000), max_size=9))
def test_what_is_taken_bit_by_bit_is_all_of_it(gather: Gather, counts: list[int]) -> None:
    left = list(reversed(gather.runs))
    rest = gather.length
    taken: list[Run] = []
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
    ("runs", "expected"),
    [
        ([], []),
        ([(5, 7)], [(5, 7)]),
        ([(0, 10), (10, 5)], [(0, 15)]),
        ([(0, 10), (109, 5)], [(0, 114)]),
        ([(0, 10), (110, 5)], [(0, 10), (110, 5)]),
        ([(100, 10), (0, 10)], [(100, 10), (0, 10)]),
        ([(0, 1), (50, 1), (500, 1), (501, 1)], [(0, 51), (500, 2)]),
    ],
)
def test_stretches_close_small_gaps(runs: list[Run], expected: list[Run]) -> None:
    assert list(stretches(runs, 100)) == expected


@given(gathers(5000, 700), st.integers(1, 1000))
def test_every_run_lies_within_a_stretch(gather: Gather, gap: int) -> None:
    found = list(stretches(gather.runs, gap))
    for offset, length in gather.runs:
        assert any(first <= offset and offset + length <= first + long for first, long in found)
    assert len(found) <= len(gather.runs)
    assert sum(long for _, long in found) <= gather.length + gap * len(gather.runs)
