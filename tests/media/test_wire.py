"""Frames survive the protocol however they are split; anything else raises `Garbled`."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.media.wire import Decoder, Frame, Garbled, frame

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_frames = st.tuples(st.dictionaries(st.text(), _values, max_size=4), st.binary(max_size=40))


@given(st.lists(_frames, max_size=5), st.lists(st.integers(1, 60), min_size=1))
def test_frames_survive_any_cut(frames: list[Frame], cuts: list[int]) -> None:
    data = b"".join(frame(head, body) for head, body in frames)
    decoder, found, at = Decoder(), [], 0
    for cut in cuts * (len(data) + 1):
        found += decoder.feed(data[at : at + cut])
        at += cut
        if at >= len(data):
            break
    assert found == frames
    assert not decoder


@given(st.binary(max_size=300))
def test_any_bytes_are_frames_or_garbled(data: bytes) -> None:
    with contextlib.suppress(Garbled):
        Decoder().feed(data)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"[]",
        b"1",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b"\xff",
        b'{"a"',
        b"[" * 50_000,
        b'{"a":' + b"9" * 5000 + b"}",
    ],
)
def test_a_head_is_one_json_object(head: bytes) -> None:
    with pytest.raises(Garbled):
        Decoder().feed(struct.pack(">II", len(head), 0) + head)


def test_lengths_are_checked_before_anything_is_stored() -> None:
    for lengths in ((11, 0), (2, 6), (1 << 31, 1 << 31)):
        with pytest.raises(Garbled, match="claims"):
            Decoder(10, 5).feed(struct.pack(">II", *lengths))
    assert Decoder(10, 5).feed(struct.pack(">II", 2, 5) + b"{}12345") == [({}, b"12345")]


def test_a_frame_that_the_other_side_would_refuse_is_not_sent() -> None:
    for head in ({"a": float("nan")}, {"a": object()}, {"a": "x" * (5 << 20)}):
        with pytest.raises(Garbled):
            frame(head)


def test_a_truncated_frame_is_detected() -> None:
    decoder = Decoder()
    decoder.feed(frame({"a": 1})[:-1])
    assert decoder
