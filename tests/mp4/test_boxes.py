"""Boxes: written boxes are read back, and invalid ones are refused with their path."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.costs import assert_costs
from tests.mp4 import making
from trio_stream.mp4.boxes import (
    MAX_BOXES,
    MAX_DEPTH,
    Box,
    Fields,
    Head,
    Malformed,
    box,
    full_box,
    read_boxes,
    read_head,
)

kinds = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=4, max_size=4)
payloads = st.binary(max_size=40)


def of(payload: bytes, path: str = "moov/test") -> Box:
    return Box("test", memoryview(payload), path)


@pytest.mark.parametrize(
    ("data", "head"),
    [
        (b"", None),
        (b"\0\0\0\x08moo", None),
        (b"\0\0\0\x08moov", Head("moov", 8, 8)),
        (b"\0\0\0\x07moov", None),
        (b"\0\0\0\x02moov\0\0\0\0\0\0\0\0", None),
        (b"\0\0\0\0mdat", Head("mdat", None, 8)),
        (b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x10", Head("mdat", 16, 16)),
        (b"\0\0\0\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff", Head("mdat", (1 << 64) - 1, 16)),
        (b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0f", None),
        (b"\0\0\0\x01mdat\0\0\0\0\0\0\0", None),
        (b"\xff\xff\xff\xff\xa9nam", Head("\xa9nam", (1 << 32) - 1, 8)),
    ],
)
def test_box_headers(data: bytes, head: Head | None) -> None:
    assert read_head(data) == head
    assert read_head(memoryview(data)) == head


@given(st.lists(st.tuples(kinds, payloads, st.booleans()), max_size=6), st.integers(0, 7))
def test_boxes_are_read_as_they_were_written(written: list[tuple[str, bytes, bool]], padding: int) -> None:
    data = b"".join(
        (making.large_box if large else making.box)(kind, payload) for kind, payload, large in written
    )
    found = list(read_boxes(data + bytes(padding), "moov", 3))
    assert [(item.kind, bytes(item.payload)) for item in found] == [item[:2] for item in written]
    assert all((item.path, item.depth) == (f"moov/{item.kind}", 3) for item in found)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=1, max_size=MAX_DEPTH - 1))
def test_nested_boxes_have_the_right_offsets(around: list[tuple[bool, int]]) -> None:
    data = making.box("last", b"payload")
    for large, before in around:
        data = making.box("free", bytes(before)) + (making.large_box if large else making.box)("hold", data)
    at = 1000
    boxes = read_boxes(data, offset=at)
    for _ in around:
        holder = next(box for box in boxes if box.kind == "hold")
        assert data[holder.offset - at + 4 :].startswith(b"hold")
        boxes = holder.children()
    [last] = boxes
    assert data[last.offset - at :] == making.box("last", b"payload")


@given(st.lists(st.tuples(kinds, payloads), max_size=6))
def test_written_boxes_have_the_given_contents(written: list[tuple[str, bytes]]) -> None:
    for kind, payload in written:
        assert box(kind, payload[:3], payload[3:]) == making.box(kind, payload)
        assert full_box(kind, 1, 0x20304, payload) == making.full(kind, 1, 0x20304, payload)
        [read] = read_boxes(making.large_box(kind, payload))
        assert read.whole() == making.box(kind, payload)


def test_the_last_box_may_extend_to_the_end() -> None:
    data = making.box("free", b"12") + b"\0\0\0\0mdat345"
    assert [(read_box.kind, bytes(read_box.payload)) for read_box in read_boxes(data)] == [
        ("free", b"12"),
        ("mdat", b"345"),
    ]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            making.box("free") + b"\0\0\0\x10trak1234",
            "the box moov/trak: it claims 16 bytes, but only 12 are left",
        ),
        (b"\0\0\0\x04trak", "the box moov: there is no valid box at byte 0"),
        (
            making.box("free") + b"\0\0\0\x01trak\0\0\0\0\0\0\0\x08",
            "the box moov: there is no valid box at byte 8",
        ),
        (
            b"\0\0\0\x01trak\xff\xff\xff\xff\xff\xff\xff\xff",
            "the box moov/trak: it claims 18446744073709551615 bytes",
        ),
        (b"\0\0\0\x10\xa9\0\n\x7f", "the box moov/?: it claims 16 bytes, but only 8 are left"),
    ],
)
def test_an_invalid_box_is_named(data: bytes, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence.replace("?", r"\?")):
        list(read_boxes(data, "moov"))


@given(st.binary(max_size=200))
def test_any_bytes_are_boxes_or_malformed(data: bytes) -> None:
    try:
        found = list(read_boxes(data))
    except Malformed:
        return
    assert sum(len(item.payload) for item in found) <= len(data)


def test_the_nesting_depth_is_limited() -> None:
    data = b""
    for number in range(MAX_DEPTH + 2):
        data = making.box(f"b{number:03}", data)
    [deepest] = read_boxes(data)
    for _ in range(MAX_DEPTH):
        [deepest] = deepest.children()
    assert deepest.depth == MAX_DEPTH
    with pytest.raises(Malformed, match=r"the box b009/b008/.*b001: boxes are nested too deeply"):
        list(deepest.children())


def test_the_number_of_boxes_is_limited() -> None:
    data = making.box("free") * (MAX_BOXES - 1)
    assert sum(1 for _ in read_boxes(data)) == MAX_BOXES - 1

    def refuse() -> None:
        with pytest.raises(Malformed, match=f"the box moov: it has more than {MAX_BOXES} boxes"):
            list(read_boxes(many, "moov"))

    many = data * 10
    assert_costs(3, refuse, lambda: list(read_boxes(data, "moov")))


def test_zeros_are_read_once() -> None:
    """Each run of zeros ends a list; this must not be tested again at each of its bytes."""
    data = memoryview(bytes(1 << 14))

    def read_both() -> None:
        for _ in range(20):
            list(read_boxes(data))
            list(read_boxes(data[:-4]))

    def read_all() -> None:
        for _ in range(20):
            assert not any(data)

    assert_costs(5, read_both, read_all)


def test_finding_boxes() -> None:
    outer = of(making.box("aaaa", b"1") + making.box("bbbb", b"2") + making.box("aaaa", b"3"), "moov/trak")
    assert bytes(outer.get("aaaa").payload) == b"1"
    assert outer.get("bbbb").path == "moov/trak/bbbb"
    assert outer.find("cccc") is None
    with pytest.raises(Malformed, match="the box moov/trak: it has no cccc"):
        outer.get("cccc")
    assert [child.kind for child in outer.children(9)] == ["bbbb", "aaaa"]


def test_fields() -> None:
    version, flags, fields = of(bytes.fromhex("01020304 fffffffe 0005 0000000000000006 ff")).full()
    assert (version, flags) == (1, 0x020304)
    assert fields.number(4, signed=True) == -2
    assert fields.u16() == 5
    assert fields.wide(1) == 6
    assert fields.rest() == 1
    with pytest.raises(Malformed, match="the box moov/test: it ends too early"):
        fields.u16()
    assert bytes(fields.take(1)) == b"\xff"
    assert of(b"\xff\xff\xff\xff").full()[:2] == (255, 0xFFFFFF)
    assert Fields(of(b"\xff\xff\xff\xff")).wide(0, signed=True) == -1
    with pytest.raises(Malformed, match="it ends too early"):
        of(b"\0\0\0").full()


@pytest.mark.parametrize(("code", "letter"), [("I", "I"), ("i", "i"), ("H", "H"), ("Q", "Q")])
@given(data=st.data())
def test_numbers(code: str, letter: str, data: st.DataObject) -> None:
    bits = struct.calcsize(f">{letter}") * 8
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if code == "i" else (0, (1 << bits) - 1)
    values = data.draw(st.lists(st.integers(low, high), max_size=9))
    fields = Fields(of(struct.pack(f">{len(values)}{letter}", *values) + b"!"))
    found = fields.numbers(code, len(values))
    assert (found.typecode, found.tolist(), fields.rest()) == (code, values, 1)


@pytest.mark.parametrize(
    ("columns", "claimed", "present"),
    [(1, 3, 8), (2, 2, 12), (3, 1, 8), (1, 0xFFFFFFFF, 400), (3, 0xFFFFFFFF, 0)],
)
def test_a_table_has_room_for_its_entries(columns: int, claimed: int, present: int) -> None:
    fields = Fields(of(struct.pack(">I", claimed) + bytes(present)))
    with pytest.raises(
        Malformed, match=rf"moov/test: it is too small for the {claimed * columns} entries it claims"
    ):
        fields.table("I", columns)


def test_an_error_without_a_box() -> None:
    assert str(Malformed("", "it has no index (moov)")) == "it has no index (moov)"
