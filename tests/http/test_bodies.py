"""Bodies of parts, read back by the parser of the standard library."""

from email import message_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bodies import assemble, bodies, one_range
from trio_stream.byte_ranges import ByteRange, ByteRanges
from trio_stream.http.bodies import Part, body_length, content_range, multipart_byteranges, slice_parts

BOUNDARY = "0123456789abcdef0123456789abcdef"


def file_range(wanted: ByteRange) -> tuple[Part, ...]:
    return (ByteRanges((wanted,)),)


def test_golden_multipart() -> None:
    parts = multipart_byteranges([(0, 3), (5, 4)], 10, "video/mp4", "SEP", file_range)
    assert parts == (
        b"--SEP\r\nContent-Type: video/mp4\r\nContent-Range: bytes 0-2/10\r\n\r\n",
        one_range(0, 3),
        b"\r\n--SEP\r\nContent-Type: video/mp4\r\nContent-Range: bytes 5-8/10\r\n\r\n",
        one_range(5, 4),
        b"\r\n--SEP--\r\n",
    )


@pytest.mark.parametrize(
    ("parts", "length"),
    [
        ((), 0),
        ((b"abc",), 3),
        ((one_range(5, 7),), 7),
        ((b"ab", one_range(0, 2**40)), 2**40 + 2),
        ((b"ab", ByteRanges(((5, 7), (100, 1), (0, 2**40)))), 2**40 + 10),
        ((ByteRanges(()),), 0),
    ],
)
def test_body_length(parts: tuple[Part, ...], length: int) -> None:
    assert body_length(parts) == length


SEGMENT = (b"moof", ByteRanges(((100, 10), (200, 1), (300, 10))), one_range(0, 50))


@pytest.mark.parametrize(
    ("start", "stop", "cut"),
    [
        (0, 75, SEGMENT),
        (0, 0, ()),
        (75, 80, ()),
        (1, 3, (b"oo",)),
        (3, 5, (b"f", ByteRanges(((100, 1),)))),
        (13, 16, (ByteRanges(((109, 1), (200, 1), (300, 1))),)),
        (24, 75, (ByteRanges(((309, 1),)), one_range(0, 50))),
        (74, 75, (one_range(49, 1),)),
    ],
)
def test_a_slice_of_parts(start: int, stop: int, cut: tuple[Part, ...]) -> None:
    assert slice_parts(SEGMENT, (start, stop - start)) == cut


@given(bodies(5000, 700), st.data())
def test_slices_are_slices_of_what_arrives(parts: list[Part], data: st.DataObject) -> None:
    content = bytes(number * number % 251 for number in range(5000))
    body = assemble(parts, content)
    assert body_length(parts) == len(body)
    start = data.draw(st.integers(0, len(body)))
    stop = data.draw(st.integers(start, len(body)))
    cut = slice_parts(parts, (start, stop - start))
    assert assemble(cut, content) == body[start:stop]
    assert body_length(cut) == stop - start
    assert all(length for part in cut if isinstance(part, ByteRanges) for _, length in part.ranges)
    assert all(body_length([part]) for part in cut), "no part is empty"
    assert assemble((*slice_parts(parts, (0, start)), *cut), content) == body[:stop]


def test_content_range() -> None:
    assert content_range((0, 1), 10) == "bytes 0-0/10"
    assert content_range((5, 5), 10) == "bytes 5-9/10"


@st.composite
def cut_contents(draw: st.DrawFn) -> tuple[bytes, list[ByteRange]]:
    """Content and ascending ranges of it, with line breaks and dashes, which would reveal a wrong delimiter."""
    content = draw(st.one_of(st.binary(min_size=1), st.text("\r\n-a", min_size=1).map(str.encode)))
    edges = sorted(draw(st.sets(st.integers(0, len(content)), min_size=2, max_size=12)))
    ranges = [(start, stop - start) for start, stop in zip(edges[::2], edges[1::2], strict=False)]
    return content, ranges


@given(cut_contents())
def test_multipart_reads_back(cut: tuple[bytes, list[ByteRange]]) -> None:
    content, ranges = cut
    parts = multipart_byteranges(ranges, len(content), "video/mp4", BOUNDARY, file_range)
    body = assemble(parts, content)
    assert body_length(parts) == len(body)

    message = message_from_bytes(
        f"Content-Type: multipart/byteranges; boundary={BOUNDARY}\r\n\r\n".encode() + body
    )

    assert message.defects == []
    assert message.preamble is None
    assert not message.epilogue
    found = [
        (part.get_content_type(), part["Content-Range"], part.get_payload(decode=True))
        for part in message.walk()
        if not part.is_multipart()
    ]
    assert found == [
        ("video/mp4", f"bytes {at}-{at + length - 1}/{len(content)}", content[at : at + length])
        for at, length in ranges
    ]
