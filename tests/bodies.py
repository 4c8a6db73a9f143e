"""Strategies for bodies made from byte ranges, and the bytes that a client receives."""

from collections.abc import Iterable

from hypothesis import strategies as st

from trio_stream.byte_ranges import ByteRanges
from trio_stream.http.bodies import Part


def assemble(parts: Iterable[Part], content: bytes) -> bytes:
    """The bytes that a client receives for a body of a file with that content."""
    body = bytearray()
    for part in parts:
        if isinstance(part, bytes):
            body += part
        else:
            for offset, length in part.ranges:
                body += content[offset : offset + length]
    return bytes(body)


def one_range(offset: int, length: int) -> ByteRanges:
    """A single range."""
    return ByteRanges(((offset, length),))


def lone_ranges(size: int, longest: int) -> st.SearchStrategy[ByteRanges]:
    """One range of a file of `size` bytes, possibly empty."""

    def within(offset: int, length: int) -> ByteRanges:
        return one_range(min(offset, size - length), length)

    return st.builds(within, st.integers(0, size), st.integers(0, min(longest, size)))


@st.composite
def scattered_ranges(draw: st.DrawFn, size: int, longest: int, most: int = 40) -> ByteRanges:
    """Ranges of a file of `size` bytes, in any order, with gaps between them or without."""
    lengths = draw(st.lists(st.integers(1, min(longest, size)), max_size=most))
    ranges, offset = [], draw(st.integers(0, size))
    for length in lengths:
        offset = draw(st.sampled_from([offset, offset + 350, offset + 70_000, offset // 2]))
        offset = min(offset, size - length)
        ranges.append((offset, length))
        offset += length
    return ByteRanges(tuple(ranges))


def bodies(size: int, longest: int) -> st.SearchStrategy[list[Part]]:
    """Bodies of a file of `size` bytes; no range has more than `longest`."""
    return st.lists(
        st.one_of(
            st.binary(max_size=100),
            st.binary(min_size=1, max_size=9).map(lambda some: some * 1500),
            lone_ranges(size, longest),
            scattered_ranges(size, longest),
            scattered_ranges(size, min(longest, 700)),
        ),
        max_size=4,
    )
