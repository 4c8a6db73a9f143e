"""Where segments begin."""

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.costs import assert_costs
from trio_stream.packaging.cutting import FIRST, MAX_SEGMENTS, NEAR, TARGET, cut, cut_evenly, thin

gaps = st.lists(st.sampled_from([0.04, 0.5, 1.0, 2.0, 3.3, 10.0]) | st.floats(0.01, 20), max_size=60)
keyframes = gaps.map(lambda item: list(accumulate(item, initial=0.0)))
ends = st.floats(0, 30)


def wanted(times: list[float], chosen: list[int]) -> list[float]:
    """Where each segment except the first should begin."""
    lengths = [*FIRST, *[TARGET] * len(chosen)]
    return [times[each] + length for each, length in zip(chosen, lengths, strict=False)]


@given(keyframes, ends)
def test_segments_begin_at_the_keyframes_nearest_to_the_target(times: list[float], more: float) -> None:
    end = times[-1] + more
    chosen = cut(times, end)
    assert chosen[0] == 0
    assert all(before < after for before, after in pairwise(chosen))
    targets = wanted(times, chosen)
    for (before, each), target in zip(pairwise(chosen), targets, strict=False):
        nearest = min(abs(time - target) for time in times[before + 1 :])
        assert abs(times[each] - target) == nearest
    for number in range(chosen[-1] + 1, len(times)):  # the end is nearer than any remaining keyframe
        assert end - targets[len(chosen) - 1] < abs(times[number] - targets[len(chosen) - 1])


@given(keyframes, ends, st.data())
def test_closed_gops_are_preferred_to_open_ones(times: list[float], more: float, data: st.DataObject) -> None:
    opens = data.draw(st.frozensets(st.integers(0, len(times))))
    read: set[int] = set()

    def is_open(number: int) -> bool:
        read.add(number)
        return number in opens

    end = times[-1] + more
    chosen = cut(times, end, is_open=is_open)
    assert chosen[0] == 0
    assert all(before < after for before, after in pairwise(chosen))
    for (before, each), target in zip(pairwise(chosen), wanted(times, chosen), strict=False):
        nearest = min(range(before + 1, len(times)), key=lambda at: abs(times[at] - target))
        closed = [
            at
            for at in range(before + 1, len(times))
            if at not in opens and abs(times[at] - target) < TARGET - 1e-6
        ]
        if each in opens:
            assert not closed
            assert abs(times[each] - target) == abs(times[nearest] - target)
        elif nearest in opens:
            assert abs(times[each] - target) == min(abs(times[at] - target) for at in (each, *closed))
    if not opens:
        assert chosen == cut(times, end)


@given(keyframes, ends)
def test_equal_keyframes_give_equal_boundaries(times: list[float], more: float) -> None:
    end = times[-1] + more
    assert cut(times, end) == cut(tuple(times), end)
    assert cut(times, end) == cut(times, end, is_open=lambda _: False)


@pytest.mark.parametrize(
    ("times", "end", "chosen"),
    [
        ([], 10.0, []),
        ([0.0], 0.0, [0]),
        ([0.0], 7200.0, [0]),
        ([0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0], 16.0, [0, 1, 3, 6]),  # 2, 4, 6, and the rest
        ([float(number) for number in range(30)], 30.0, [0, 2, 6, 12, 18, 24]),
        ([0.0, 10.0, 20.0, 30.0], 40.0, [0, 1, 2, 3]),
        ([0.0, 1.9, 2.2], 9.5, [0, 1]),  # the end is nearer to 5.9
        ([0.0, 1.8], 2.1, [0]),  # the end is nearer to 2
        ([0.0, 2.0], 2.1, [0, 1]),
        ([0.0, 2.0, 6.0], 9.5, [0, 1, 2]),
        ([0.0, 1.0, 3.0], 4.0, [0, 1]),  # of two equally near ones, the first
    ],
)
def test_segment_boundaries(times: list[float], end: float, chosen: list[int]) -> None:
    assert cut(times, end) == chosen


class Many:
    """Sixty keyframes per second; from number `apart` on, all have the same time."""

    def __init__(self, count: int, apart: int) -> None:
        self._count = count
        self._apart = apart
        self.read = 0

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> float:
        self.read += 1
        return min(number, self._apart) / 60


def test_millions_of_keyframes_are_not_read() -> None:
    times = Many(1 << 24, 1 << 20)
    assert 2000 < len(cut(times, (1 << 20) / 60)) < 3000
    assert len(thin(times, 10, 2000)) == 1748
    assert times.read < 3000 * 200


def test_millions_of_keyframes_at_one_time_cost_little() -> None:
    """Even if all of them have open GOPs: the cost is that of the video before them."""

    def cut_it(times: Many) -> list[int]:
        return cut(times, 1e6, is_open=lambda _: True)

    few, many = Many((1 << 17) + 1, 1 << 17), Many(1 << 22, 1 << 17)
    assert 360 < len(cut_it(few)) <= len(cut_it(many)) < 370
    assert_costs(3, lambda: cut_it(many), lambda: cut_it(few))
    assert NEAR < 1000


@given(keyframes, st.sampled_from([0.0, 0.5, 1.0, 7.0]))
def test_thinned_keyframes_are_apart(times: list[float], apart: float) -> None:
    chosen = thin(times, apart, 1000)
    assert chosen[0] == 0
    assert all(times[after] >= times[before] + apart for before, after in pairwise(chosen))
    for before, after in pairwise([*chosen, len(times)]):  # no keyframe far enough after one is left out
        assert not any(times[number] >= times[before] + apart for number in range(before + 1, after))


def test_the_number_of_segments_is_limited_whatever_the_times_are() -> None:
    assert thin(range(100), 1.0, 10) == list(range(10))
    assert len(cut(range(0, 14 * MAX_SEGMENTS, 7), 14.0 * MAX_SEGMENTS)) == MAX_SEGMENTS + 1


@given(st.floats(0, 1000), st.floats(0, 100))
def test_audio_is_cut_evenly(start: float, length: float) -> None:
    boundaries = cut_evenly(start, start + length)
    assert boundaries[0] == start
    lengths = [after - before for before, after in pairwise(boundaries)]
    assert lengths == pytest.approx([*FIRST, *[TARGET] * len(lengths)][: len(lengths)])
    last = start + length - boundaries[-1]
    assert last < TARGET * 1.5 + 1e-9
    assert len(boundaries) == 1 or last >= TARGET / 2 - 1e-9
