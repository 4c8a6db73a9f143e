"""Runs of a file, taken apart and put together: offsets and lengths, and nothing of the file itself."""

from collections.abc import Iterable, Iterator

from trio_stream.http.bodies import Run


def take(left: list[Run], count: int) -> tuple[Run, ...]:
    """The next `count` bytes of the runs in `left`, which is read from its end and loses them."""
    whole = 0
    for _, length in reversed(left):
        if length > count:
            break
        count -= length
        whole += 1
    taken = left[-1 : -1 - whole : -1]
    del left[len(left) - whole :]
    if count:
        offset, length = left.pop()
        left.append((offset + count, length - count))
        taken.append((offset, count))
    return tuple(taken)


def stretches(runs: Iterable[Run], gap: int) -> Iterator[Run]:
    """The runs again, those with less than `gap` bytes between them as one together with what lies there."""
    first = end = -1
    for offset, length in runs:
        if first >= 0 and 0 <= offset - end < gap:
            end = offset + length
            continue
        if first >= 0:
            yield first, end - first
        first, end = offset, offset + length
    if first >= 0:
        yield first, end - first
