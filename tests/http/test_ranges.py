"""`select_ranges`: a table of cases, and properties of all sets of ranges."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_stream.errors import RangeNotSatisfiable
from trio_stream.http.ranges import MAX_FIELD, MAX_RANGES, MAX_SPECS, PART_OVERHEAD, select_ranges

HUGE = "9" * 5000  # more digits than `int` converts


@pytest.mark.parametrize(
    ("field", "bounds"),
    [
        # one element (section 14.1.2)
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-", [(0, 1000)]),
        ("bytes=0-999", [(0, 1000)]),
        ("bytes=0-1000", [(0, 1000)]),
        ("bytes=999-", [(999, 1000)]),
        ("bytes=500-600", [(500, 601)]),
        ("bytes=-1", [(999, 1000)]),
        ("bytes=-1000", [(0, 1000)]),
        ("bytes=-1001", [(0, 1000)]),
        ("bytes=007-008", [(7, 9)]),
        # numbers without bound
        (f"bytes=5-{HUGE}", [(5, 1000)]),
        (f"bytes=-{HUGE}", [(0, 1000)]),
        (f"bytes={'0' * 5000}5-6", [(5, 7)]),
        # the unit, and white space around the value and around elements
        ("BYTES=1-2", [(1, 3)]),
        (" bytes=1-2\t", [(1, 3)]),
        ("bytes= 1-2 \t,\t 500-501 ", [(1, 3), (500, 502)]),
        # empty elements
        ("bytes=,1-2", [(1, 3)]),
        ("bytes=1-2,", [(1, 3)]),
        ("bytes=, ,1-2,,\t,500-501,", [(1, 3), (500, 502)]),
        # unsatisfiable members are dropped
        ("bytes=5000-, 1-2", [(1, 3)]),
        ("bytes=-0, 1-2", [(1, 3)]),
        (f"bytes={HUGE}-, 1-2", [(1, 3)]),
        # order, overlap, adjacency
        ("bytes=500-501, 1-2", [(1, 3), (500, 502)]),
        ("bytes=0-500, 400-600", [(0, 601)]),
        ("bytes=0-900, 400-600", [(0, 901)]),
        ("bytes=0-99, 100-199", [(0, 200)]),
        ("bytes=0-0, -1", [(0, 1), (999, 1000)]),
        (f"bytes=0-0, {PART_OVERHEAD}-{PART_OVERHEAD}", [(0, PART_OVERHEAD + 1)]),
        (f"bytes=0-0, {PART_OVERHEAD + 1}-500", [(0, 1), (PART_OVERHEAD + 1, 501)]),
    ],
)
def test_ranges_of_a_thousand_bytes(field: str, bounds: list[tuple[int, int]]) -> None:
    assert select_ranges(field, 1000) == tuple((start, stop - start) for start, stop in bounds)


@pytest.mark.parametrize(
    "field",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes= , ,",
        "bytes=-",
        "bytes=1",
        "bytes=2-1",
        "bytes=1-2, 4-3",
        "bytes=a-b",
        "bytes=1-2, x",
        "bytes=+1-2",
        "bytes=1-+2",
        "bytes=--1",
        "bytes=1--2",
        "bytes=0x1-2",
        "bytes=1_0-20",
        "bytes=1 - 2",
        "bytes=1-2;3-4",
        "bytes=1.0-2",
        "bytes=\u0661-\u0662",
        "bytes=\u00b9-\u00b2",
        "bytes=1-2\n",
        "bytes =1-2",
        "bytes:1-2",
        "bytes 1-2",
        "octets=1-2",
        "byte\u017f=1-2",  # a letter that Unicode's case folding turns into "s"
        "seconds=1-2",
        "bytes=1-2, bytes=3-4",  # two lines, joined
        "bytes=1-2" + "," * MAX_FIELD,
    ],
)
def test_no_usable_range(field: str | None) -> None:
    assert select_ranges(field, 1000) is None


@pytest.mark.parametrize(
    "field",
    [
        "bytes=1000-",
        "bytes=1000-2000",
        "bytes=-0",
        "bytes=-00",
        f"bytes={HUGE}-",
        "bytes=1000-, -0, 5000-6000",
    ],
)
def test_unsatisfiable(field: str) -> None:
    with pytest.raises(RangeNotSatisfiable) as raised:
        select_ranges(field, 1000)
    assert raised.value.size == 1000


@pytest.mark.parametrize("field", ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0", "bytes=5-", "bytes=junk"])
def test_an_empty_representation_has_no_ranges(field: str) -> None:
    assert select_ranges(field, 0) is None


def test_limit_of_elements() -> None:
    element = "0-0"
    assert select_ranges("bytes=" + ",".join([element] * MAX_SPECS), 10) == ((0, 1),)
    with pytest.raises(RangeNotSatisfiable):
        select_ranges("bytes=" + ",".join([element] * (MAX_SPECS + 1)), 10)


def test_limit_of_ranges() -> None:
    elements = [f"{index * 1000}-{index * 1000}" for index in range(MAX_RANGES + 1)]
    ranges = select_ranges("bytes=" + ",".join(elements[:-1]), 10**6)
    assert ranges == tuple((index * 1000, 1) for index in range(MAX_RANGES))
    with pytest.raises(RangeNotSatisfiable):
        select_ranges("bytes=" + ",".join(elements), 10**6)


def test_limit_of_length() -> None:
    field = "bytes=1-2"
    assert select_ranges(field + "," * (MAX_FIELD - len(field)), 10) == ((1, 2),)
    assert select_ranges(field + "," * (MAX_FIELD - len(field) + 1), 10) is None


def test_every_position_of_the_largest_file_can_be_named() -> None:
    size = 2**63
    assert select_ranges(f"bytes={size - 2}-{size - 2}", size) == ((size - 2, 1),)
    assert select_ranges(f"bytes=-{size - 1}", size) == ((1, size - 1),)


def test_a_longer_number_is_a_later_position() -> None:
    for digits in range(17, 23):
        assert select_ranges(f"bytes=0-{'1' * digits}", 10) == ((0, 10),)
        with pytest.raises(RangeNotSatisfiable):
            select_ranges(f"bytes={'1' * digits}-", 10)


positions = st.integers(0, 3500)
int_ranges = st.tuples(positions, positions).map(lambda pair: (min(pair), max(pair)))
open_ranges = positions.map(lambda first: (first, None))
suffixes = positions.map(lambda length: (None, length))
specs = st.one_of(int_ranges, open_ranges, suffixes)
commas = st.sampled_from([",", ", ", " ,\t", ",,", ", , "])

type Spec = tuple[int | None, int | None]


def requested_positions(spec: Spec, size: int) -> set[int]:
    """The positions that one element names, computed one by one."""
    first, last = spec
    if first is None:
        return {at for at in range(size) if size - at <= (last or 0)}
    return {at for at in range(size) if at >= first and (last is None or at <= last)}


@given(size=st.integers(1, 3000), requested=st.lists(specs, min_size=1, max_size=12), comma=commas)
@example(size=1, requested=[(None, 0)], comma=",")
@example(size=1, requested=[(0, 0), (None, 1)], comma=",")
def test_ranges_cover_the_requested_positions_and_no_more(
    size: int, requested: list[Spec], comma: str
) -> None:
    field = "bytes=" + comma.join(
        f"{'' if first is None else first}-{'' if last is None else last}" for first, last in requested
    )
    wanted = set[int]().union(*(requested_positions(spec, size) for spec in requested))
    if not wanted:
        with pytest.raises(RangeNotSatisfiable):
            select_ranges(field, size)
        return

    ranges = select_ranges(field, size)

    assert ranges is not None
    assert all(0 <= offset < offset + length <= size for offset, length in ranges)
    assert all(after[0] - sum(before) >= PART_OVERHEAD for before, after in pairwise(ranges))
    sent = {at for offset, length in ranges for at in range(offset, offset + length)}
    assert wanted <= sent
    # Every byte that is sent without being requested is in a gap that is too small to skip.
    ordered = sorted(wanted)
    small_gaps = {
        at
        for before, after in pairwise(ordered)
        if after - before - 1 < PART_OVERHEAD
        for at in range(before + 1, after)
    }
    assert sent - wanted <= small_gaps


fragments = st.lists(st.sampled_from(["bytes", "=", "-", ",", " ", "\t", "0", "17", "999", HUGE, "x", "\n"]))


@given(
    field=st.one_of(st.text(), fragments.map("".join), st.text().map("bytes=".__add__)),
    size=st.integers(0, 2**63),
)
def test_any_text_has_a_result(field: str, size: int) -> None:
    try:
        ranges = select_ranges(field, size)
    except RangeNotSatisfiable:
        return
    assert ranges is None or all(0 <= offset < offset + length <= size for offset, length in ranges)
