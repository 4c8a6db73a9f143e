"""Bodies of parts: any of them, and what a client receives of one."""

from collections.abc import Iterable

from hypothesis import strategies as st

from trio_stream.http.bodies import Gather, Literal, Part, Window


def assemble(parts: Iterable[Part], content: bytes) -> bytes:
    """What a client receives of a body of the file with that content."""
    body = bytearray()
    for part in parts:
        match part:
            case Literal(data):
                body += data
            case Window(offset, length):
                body += content[offset : offset + length]
            case Gather(runs):
                for offset, length in runs:
                    body += content[offset : offset + length]
    return bytes(body)


def windows(size: int, longest: int) -> st.SearchStrategy[Window]:
    """Windows of a file of `size` bytes, also empty ones."""

    def window(offset: int, length: int) -> Window:
        return Window(min(offset, size - length), length)

    return st.builds(window, st.integers(0, size), st.integers(0, min(longest, size)))


@st.composite
def gathers(draw: st.DrawFn, size: int, longest: int, most: int = 40) -> Gather:
    """Runs of a file of `size` bytes, in any order, with gaps between them or without."""
    lengths = draw(st.lists(st.integers(1, min(longest, size)), max_size=most))
    runs, offset = [], draw(st.integers(0, size))
    for length in lengths:
        offset = draw(st.sampled_from([offset, offset + 350, offset + 70_000, offset // 2]))
        offset = min(offset, size - length)
        runs.append((offset, length))
        offset += length
    return Gather(tuple(runs))


def bodies(size: int, longest: int) -> st.SearchStrategy[list[Part]]:
    """Bodies of a file of `size` bytes; no window and no run has more than `longest`."""
    return st.lists(
        st.one_of(
            st.binary(max_size=100).map(Literal),
            st.binary(min_size=1, max_size=9).map(lambda some: Literal(some * 1500)),
            windows(size, longest),
            gathers(size, longest),
            gathers(size, min(longest, 700)),
        ),
        max_size=4,
    )
