"""Bodies as lists of parts, whose lengths are known before a byte is read.

Invariant: `body_length` of the parts is the Content-Length of the response, to the byte.
"""

from collections.abc import Callable, Iterable, Sequence

from trio_stream.byte_ranges import ByteRange, ByteRanges

type Part = bytes | ByteRanges
"""Bytes that are sent as they are, or byte ranges of the file being served."""


def body_length(parts: Iterable[Part]) -> int:
    """The total number of bytes of the parts."""
    return sum(map(len, parts))


def slice_parts(parts: Iterable[Part], wanted: ByteRange) -> tuple[Part, ...]:
    """The parts of a byte range of the body that consists of `parts`; none of them is empty."""
    start, length = wanted
    stop = start + length
    cut: list[Part] = []
    for part in parts:
        if stop <= 0:
            break
        length = len(part)
        first, last = max(start, 0), min(stop, length)
        if first < last:
            cut.append(part if last - first == length else _slice(part, first, last))
        start, stop = start - length, stop - length
    return tuple(cut)


def _slice(part: Part, start: int, stop: int) -> Part:
    return part[start:stop] if isinstance(part, bytes) else part.slice(start, stop)


def content_range(sent: ByteRange, size: int) -> str:
    """The Content-Range of a byte range of `size` bytes; last-pos is inclusive (RFC 9110 section 14.4)."""
    offset, length = sent
    return f"bytes {offset}-{offset + length - 1}/{size}"


def multipart_byteranges(
    ranges: Sequence[ByteRange],
    size: int,
    media_type: str,
    boundary: str,
    cut: Callable[[ByteRange], Iterable[Part]],
) -> tuple[Part, ...]:
    """A multipart/byteranges body with one body part for each range (RFC 9110 section 14.6).

    `cut` returns the parts of a range of the representation, which has `size` bytes. `boundary` is a token of at most
    70 characters that does not occur in the file. That cannot be checked, so the caller chooses a random one.
    """
    # RFC 2046 section 5.1.1, without preamble and epilogue:
    #   multipart-body = dash-boundary CRLF body-part *encapsulation close-delimiter
    #   encapsulation  = delimiter CRLF body-part
    #   delimiter      = CRLF dash-boundary
    #   close-delimiter = delimiter "--"
    parts: list[Part] = []
    line_break = ""
    for byte_range in ranges:
        head = (
            f"{line_break}--{boundary}\r\n"
            f"Content-Type: {media_type}\r\n"
            f"Content-Range: {content_range(byte_range, size)}\r\n"
            "\r\n"
        )
        parts += head.encode("ascii"), *cut(byte_range)
        line_break = "\r\n"
    parts.append(f"{line_break}--{boundary}--\r\n".encode("ascii"))
    return tuple(parts)
