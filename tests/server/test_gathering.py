"""Reading byte ranges of a file into one buffer, with the gaps between them or without."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trio_stream.byte_ranges import ByteRange
from trio_stream.server.sending.gathering import MAX_GAP, MAX_VECTORS, gather

SIZE = 1 << 18
CONTENT = os.urandom(SIZE)

ranges = st.lists(st.tuples(st.integers(0, SIZE - 20_000), st.integers(1, 20_000)), min_size=1, max_size=8)
"""Anywhere: near each other and far apart, backwards, and overlapping."""


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    opened = os.open(path, os.O_RDONLY)
    yield opened
    os.close(opened)


def gathered(fd: int, ranges: list[ByteRange]) -> bytes | None:
    buffer = bytearray(sum(length for _, length in ranges) + 5)
    if not gather(fd, memoryview(buffer), ranges):
        return None
    assert not any(buffer[-5:]), "nothing is written after them"
    return bytes(buffer[:-5])


def joined(ranges: list[ByteRange]) -> bytes:
    return b"".join(CONTENT[offset : offset + length] for offset, length in ranges)


@given(ranges)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_ranges(fd: int, ranges: list[ByteRange]) -> None:
    assert gathered(fd, ranges) == joined(ranges)


@pytest.mark.parametrize("gap", [0, 1, MAX_GAP, MAX_GAP + 1])
def test_gaps(fd: int, gap: int) -> None:
    ranges = [(at, 100) for at in range(0, SIZE - 100, 100 + gap)]
    assert gathered(fd, ranges) == joined(ranges)


@pytest.mark.parametrize("gap", [0, 1])
def test_more_ranges_than_one_call_accepts(fd: int, gap: int) -> None:
    ranges = [(at, 7) for at in range(0, 20_000, 7 + gap)]
    assert len(ranges) > 2 * MAX_VECTORS
    assert gathered(fd, ranges) == joined(ranges)


@pytest.mark.parametrize("last", [(SIZE - 10, 11), (SIZE + 5, 1)])
@pytest.mark.parametrize("before", [(0, 10), (SIZE - 500, 10)])
def test_ranges_past_the_end_of_the_file(fd: int, before: tuple[int, int], last: tuple[int, int]) -> None:
    assert gathered(fd, [before, last]) is None
    assert gathered(fd, [last, before]) is None


def test_no_ranges_read_nothing(fd: int) -> None:
    assert gathered(fd, []) == b""
