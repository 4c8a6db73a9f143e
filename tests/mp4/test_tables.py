"""Sample tables compared with plain lists of samples."""

from array import array
from collections.abc import Sequence
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.costs import assert_costs
from tests.mp4.making import runs
from trio_stream.mp4.reading.run_lengths import Durations, Runs
from trio_stream.mp4.reading.tables import Chunks, SampleTable, is_ascending, sums_of

breaks = st.frozensets(st.integers(0, 30))


def some(low: int, high: int, count: int = 24) -> st.SearchStrategy[list[int]]:
    """Few different numbers, so that runs occur."""
    return st.lists(st.integers(low, high), min_size=1, max_size=4).flatmap(
        lambda values: st.lists(st.sampled_from(values), min_size=1, max_size=count)
    )


def as_runs(values: Sequence[int], cuts: frozenset[int], code: str) -> tuple["array[int]", "array[int]"]:
    """Counts and values; at a cut, a run may have no samples."""
    rows = runs(values, cuts)
    if cuts and max(cuts) % 3 == 0:
        rows.insert(max(cuts) % (len(rows) + 1), (0, 7))
    return array("I", [count for count, _ in rows]), array(code, [value for _, value in rows])


@given(some(-(1 << 31), (1 << 31) - 1), breaks, st.data())
def test_runs_expand_to_their_values(values: list[int], cuts: frozenset[int], data: st.DataObject) -> None:
    table = Runs(*as_runs(values, cuts, "i"))
    assert [table[number] for number in range(len(values))] == values
    first = data.draw(st.integers(0, len(values)))
    stop = data.draw(st.integers(first, len(values)))
    assert table.expand(first, stop).tolist() == values[first:stop]
    assert table.expand(0, len(values)).typecode == "i"
    assert table.of(range(first, stop)) == values[first:stop]
    assert table.negative is (min(table.values) < 0)
    if table.constant is not None:
        assert set(values) == {table.constant}


@given(some(0, 5), breaks)
def test_times_are_sums_of_durations(values: list[int], cuts: frozenset[int]) -> None:
    table = Durations(*as_runs(values, cuts, "I"))
    times = list(accumulate(values, initial=0))
    assert [table.time(number) for number in range(len(times))] == times
    assert table.times(range(len(values))) == times[:-1]
    for time in range(times[-1] + 1):
        assert table.at(time) == next(number for number, time_at in enumerate(times) if time_at >= time), time
    assert table.at(-5) == 0
    assert table.at(times[-1] + 3) == len(values)


def in_one_chunk(count: int) -> SampleTable:
    """That many samples of one to seven bytes."""
    sizes = array("I", [number % 7 + 1 for number in range(count)])
    chunks = Chunks(array("Q", [99]), array("I", [1]), array("I", [count]), array("Q", [0]))
    once = Durations(array("I", [count]), array("I", [1]))
    return SampleTable(count, sizes, once, None, None, chunks, sums=sums_of(sizes, chunks))


@given(st.sampled_from([1025, 2047, 2048, 5000, 5120]), st.data())
def test_offsets_of_samples_in_a_long_chunk(count: int, data: st.DataObject) -> None:
    table = in_one_chunk(count)
    assert table.sums is not None
    first = data.draw(st.integers(0, count - 1))
    stop = data.draw(st.integers(first + 1, count))
    before = list(accumulate((number % 7 + 1 for number in range(count)), initial=0))
    assert table.bytes_of(first, stop) == before[stop] - before[first]
    assert table.byte_ranges(first, stop) == ((99 + before[first], before[stop] - before[first]),)


def test_the_end_of_a_long_chunk_is_found_as_soon_as_its_beginning() -> None:
    table = in_one_chunk(1 << 18)

    def find_often(first: int) -> None:
        for _ in range(300):  # once takes some microseconds
            table.byte_ranges(first, first + 300)

    assert_costs(5, lambda: find_often(table.count - 300), lambda: find_often(300))


def test_times_of_long_videos_do_not_overflow() -> None:
    table = Durations(array("I", [1 << 26, 1]), array("I", [0x7FFFFFFF, 1]))
    assert table.time((1 << 26) + 1) == (1 << 26) * 0x7FFFFFFF + 1
    assert table.at(table.time(1 << 25)) == 1 << 25


chunkings = st.lists(st.integers(1, 5), min_size=1, max_size=12)


@st.composite
def tables(draw: st.DrawFn) -> tuple[SampleTable, list[tuple[int, int]]]:
    """A table, and the offset and the size of each sample in it."""
    chunks = draw(chunkings)
    cuts = draw(breaks)
    count = sum(chunks)
    constant = draw(st.none() | st.integers(1, 9))
    sizes = (
        [constant] * count if constant else draw(st.lists(st.integers(0, 9), min_size=count, max_size=count))
    )
    places: list[tuple[int, int]] = []
    offsets: list[int]
    offsets, at, sample = [], 10_000, 0
    for length in chunks:
        at += draw(
            st.sampled_from([0, 0, 3, -100])
        )  # adjacent to the previous one, after a gap, or before it
        offsets.append(at)
        for size in sizes[sample : sample + length]:
            places.append((at, size))
            at += size
        sample += length
    rows = [
        (number, length)
        for number, length in enumerate(chunks)
        if number == 0 or length != chunks[number - 1] or number in cuts
    ]
    before = list(accumulate(chunks, initial=0))
    keys = draw(st.none() | st.frozensets(st.integers(0, count - 1)))
    table = SampleTable(
        count=count,
        sizes=constant or array("I", sizes),
        durations=Durations(array("I", [count]), array("I", [1])),
        compositions=None,
        sync=array("I", sorted(keys)) if keys is not None else None,
        chunks=Chunks(
            array("Q", offsets),
            array("I", [number + 1 for number, _ in rows]),
            array("I", [length for _, length in rows]),
            array("Q", [before[number] for number, _ in rows]),
        ),
    )
    return table, places


@given(tables(), st.data())
def test_byte_ranges_cover_the_samples(
    spec: tuple[SampleTable, list[tuple[int, int]]], data: st.DataObject
) -> None:
    table, places = spec
    first = data.draw(st.integers(0, table.count - 1))
    stop = data.draw(st.integers(first, table.count))
    expected = [offset + byte for offset, size in places[first:stop] for byte in range(size)]
    ranges = table.byte_ranges(first, stop)
    assert [offset + byte for offset, length in ranges for byte in range(length)] == expected
    assert all(length > 0 for _, length in ranges)
    assert all(one[0] + one[1] != two[0] for one, two in pairwise(ranges))
    assert table.bytes_of(first, stop) == len(expected)
    assert table.expand_sizes(first, stop).tolist() == [size for _, size in places[first:stop]]


@given(tables(), st.data())
def test_sync_samples(spec: tuple[SampleTable, list[tuple[int, int]]], data: st.DataObject) -> None:
    table, _ = spec
    keys = range(table.count) if table.sync is None else table.sync
    assert [table.is_sync(number) for number in range(table.count)] == [
        number in keys for number in range(table.count)
    ]
    first = data.draw(st.integers(0, table.count))
    stop = data.draw(st.integers(first, table.count))
    assert list(table.sync_within(first, stop)) == [number for number in range(first, stop) if number in keys]


def table_of(durations: list[int], offsets: list[int] | None, sync: list[int]) -> SampleTable:
    return SampleTable(
        count=len(durations),
        sizes=1,
        durations=Durations(*as_runs(durations, frozenset(), "I")),
        compositions=Runs(*as_runs(offsets, frozenset(), "i")) if offsets is not None else None,
        sync=array("I", sync),
        chunks=Chunks(array("Q", [0]), array("I", [1]), array("I", [len(durations)]), array("Q", [0])),
    )


@given(some(1, 3), st.data())
def test_presentation_time_is_decode_time_plus_offset(durations: list[int], data: st.DataObject) -> None:
    count = len(durations)
    offsets = data.draw(st.none() | st.lists(st.integers(-5, 5), min_size=count, max_size=count))
    table = table_of(durations, offsets, [0])
    shown = [
        time + (offsets[n] if offsets else 0) for n, time in enumerate(accumulate(durations[:-1], initial=0))
    ]
    assert [table.shown_at(number) for number in range(count)] == shown
    assert table.earliest(0, count) == min(shown)
    assert table.end == sum(durations)


@pytest.mark.parametrize(
    ("offsets", "is_open"),
    [
        (None, False),
        ([0, 0, 0, 0], False),
        ([1, 1, 1, 1], False),
        ([1, 3, 1, 0], False),  # I P B B, all shown after the I
        ([2, 0, 0, 2], True),  # I B B: both shown before it
        ([3, 1, 0, 0], True),  # the first frame after it is a referenced B
        ([2, 2, 0, 0], False),
        ([3, 2, 0, 1], True),  # only the second one is shown before it
    ],
)
def test_open_gops(offsets: list[int] | None, is_open: bool) -> None:
    table = table_of([1] * 4, offsets, [0])
    assert table.has_leading(0) is is_open
    assert not table.has_leading(3)


def test_memory_is_that_of_the_arrays() -> None:
    table = table_of([1] * 1000, None, list(range(500)))
    assert 2000 <= table.nbytes <= 2200


@given(st.lists(st.integers(0, 9), max_size=5))
def test_ascending(values: list[int]) -> None:
    assert is_ascending(array("I", values)) is (values == sorted(set(values)))
