"""Bodies as lists of parts whose lengths are known before a byte is read.

Invariant: `body_length` of the parts is the Content-Length of the response, to the byte.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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


type Part = Literal | Window


def body_length(parts: Iterable[Part]) -> int:
    """How many bytes the parts are together."""
    return sum(len(part.data) if isinstance(part, Literal) else part.length for part in parts)


def content_range(span: Span, size: int) -> str:
    """The Content-Range of a span of `size` bytes; last-pos is inclusive (RFC 9110 section 14.4)."""
    return f"bytes {span.start}-{span.stop - 1}/{size}"


def multipart_byteranges(
    spans: Sequence[Span], size: int, media_type: str, boundary: str
) -> tuple[Part, ...]:
    """A body of multipart/byteranges with one body part for each span (RFC 9110 section 14.6).

    `boundary` is a token of at most 70 characters that does not occur in the file; nobody can look, so the
    caller takes a random one.
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
        parts += Literal(head.encode("ascii")), Window(span.start, span.length)
        lead = "\r\n"
    parts.append(Literal(f"{lead}--{boundary}--\r\n".encode("ascii")))
    return tuple(parts)
