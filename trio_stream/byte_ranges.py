"""Byte ranges of files: one type, used from the sample tables of a video to `sendfile`, and how to cut and join them.

Invariant: cutting and joining never lose or move a byte. The code here opens no files.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

# A pair instead of a class: a segment has hundreds of them, and `zip` creates them from sample tables in a sixth of the
# time that named tuples take.
type ByteRange = tuple[int, int]
"""Offset and length, in bytes."""


@dataclass(frozen=True, slots=True)
class ByteRanges:
    """Byte ranges of one file, sent one after the other; `length` is their total length.

    Adjacent ranges need not be joined, but one range costs less than two.
    """

    ranges: tuple[ByteRange, ...]
    length: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        # Computed once, because the head of a response, its stream and the pump all use it.
        object.__setattr__(self, "length", sum([length for _, length in self.ranges]))

    def __len__(self) -> int:
        return self.length

    def slice(self, start: int, stop: int) -> "ByteRanges":
        """The ranges of the bytes from `start` up to, but not including, `stop`; none of them is empty."""
        return ByteRanges(tuple(_slice(self.ranges, start, stop)))


def _slice(ranges: Iterable[ByteRange], start: int, stop: int) -> Iterator[ByteRange]:
    for offset, length in ranges:
        if stop <= 0:
            return
        first, last = max(start, 0), min(stop, length)
        if first < last:
            yield offset + first, last - first
        start, stop = start - length, stop - length


def take(remaining: list[ByteRange], count: int) -> tuple[ByteRange, ...]:
    """Take the next `count` bytes from `remaining`, a reversed list of ranges: the next one is at its end."""
    complete = 0
    for _, length in reversed(remaining):
        if length > count:
            break
        count -= length
        complete += 1
    taken = remaining[-1 : -1 - complete : -1]
    del remaining[len(remaining) - complete :]
    if count:
        offset, length = remaining.pop()
        remaining.append((offset + count, length - count))
        taken.append((offset, count))
    return tuple(taken)


def join(ranges: Iterable[ByteRange], gap: int = 1) -> Iterator[ByteRange]:
    """Skip empty ranges, and join neighbours with fewer than `gap` bytes between them, including those bytes.

    Only consecutive ranges in ascending order are joined; one that starts before its predecessor begins a new range.
    """
    begin = end = -1
    for offset, length in ranges:
        if not length:
            continue
        if end >= 0 and 0 <= offset - end < gap:
            end = offset + length
            continue
        if end >= 0:
            yield begin, end - begin
        begin, end = offset, offset + length
    if end >= 0:
        yield begin, end - begin
