"""Bodies as lists of parts whose lengths are known before a byte is read.

Invariant: `body_length` of the parts is the Content-Length of the response, to the byte.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from trio_stream.byte_ranges import ByteRange
from trio_stream.http.ranges import Span


@dataclass(frozen=True, slots=True)
class Literal:
    """Bytes to be sent as they are."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Window:
    """`length` bytes from `offset` on of the file being served."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Gather:
    """The bytes of `runs`, one after the other, of the file being served; no run is empty.

    Two runs that touch are as right as one, but one costs less.
    """

    runs: tuple[ByteRange, ...]
    length: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", sum([length for _, length in self.runs]))


type Part = Literal | Window | Gather


def part_length(part: Part) -> int:
    """How many bytes the part is."""
    return len(part.data) if isinstance(part, Literal) else part.length


def body_length(parts: Iterable[Part]) -> int:
    """How many bytes the parts are together."""
    return sum(map(part_length, parts))


def runs_of(part: Part) -> tuple[ByteRange, ...]:
    """Where the bytes of the part lie in the file."""
    match part:
        case Literal():
            return ()
        case Window(offset, length):
            return ((offset, length),)
        case Gather(runs):
            return runs


def slice_parts(parts: Iterable[Part], start: int, stop: int) -> tuple[Part, ...]:
    """The bytes from `start` up to, not including, `stop` of the body that `parts` are; none of them is empty."""
    cut: list[Part] = []
    for part in parts:
        if stop <= 0:
            break
        length = part_length(part)
        first, last = max(start, 0), min(stop, length)
        if first < last:
            cut.append(part if last - first == length else _slice(part, first, last))
        start, stop = start - length, stop - length
    return tuple(cut)


def _slice(part: Part, start: int, stop: int) -> Part:
    match part:
        case Literal(data):
            return Literal(data[start:stop])
        case Window(offset, _):
            return Window(offset + start, stop - start)
        case Gather(runs):
            return Gather(tuple(_slice_runs(runs, start, stop)))


def _slice_runs(runs: Iterable[ByteRange], start: int, stop: int) -> Iterator[ByteRange]:
    for offset, length in runs:
        if stop <= 0:
            return
        first, last = max(start, 0), min(stop, length)
        if first < last:
            yield offset + first, last - first
        start, stop = start - length, stop - length


def content_range(span: Span, size: int) -> str:
    """The Content-Range of a span of `size` bytes; last-pos is inclusive (RFC 9110 section 14.4)."""
    return f"bytes {span.start}-{span.stop - 1}/{size}"


def multipart_byteranges(
    spans: Sequence[Span], size: int, media_type: str, boundary: str, cut: Callable[[Span], Iterable[Part]]
) -> tuple[Part, ...]:
    """A body of multipart/byteranges with one body part for each span (RFC 9110 section 14.6).

    `cut` makes the parts that are a span of the representation, which has `size` bytes. `boundary` is a token of at
    most 70 characters that does not occur in the file; nobody can look, so the caller takes a random one.
    """
    # RFC 2046 section 5.1.1, without preamble and epilogue:
    #   multipart-body = dash-boundary CRLF body-part *encapsulation close-delimiter
    #   encapsulation  = delimiter CRLF body-part
    #   delimiter      = CRLF dash-boundary
    #   close-delimiter = delimiter "--"
    parts: list[Part] = []
    lead = ""
    for span in spans:
        head = (
            f"{lead}--{boundary}\r\n"
            f"Content-Type: {media_type}\r\n"
            f"Content-Range: {content_range(span, size)}\r\n"
            "\r\n"
        )
        parts += Literal(head.encode("ascii")), *cut(span)
        lead = "\r\n"
    parts.append(Literal(f"{lead}--{boundary}--\r\n".encode("ascii")))
    return tuple(parts)
