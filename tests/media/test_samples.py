"""Packets of byte streams become samples, and their first bytes say how long they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.media.remux.samples import (
    discarded_samples,
    eac3_blocks,
    framing,
    opus_samples,
    samples_per_packet,
    with_lengths,
)

UNITS = st.lists(
    st.binary(min_size=1).filter(lambda unit: unit[-1] and b"\0\0\0" not in unit and b"\0\0\x01" not in unit),
    min_size=1,
)


@given(UNITS, st.booleans(), st.integers(0, 3))
def test_units_get_lengths(units: list[bytes], long: bool, zeros: int) -> None:
    start = b"\0\0\0\x01" if long else b"\0\0\x01"
    stream = b"".join(start + unit + bytes(zeros) for unit in units)
    assert with_lengths(stream) == b"".join(len(unit).to_bytes(4) + unit for unit in units)


def test_described_parameter_sets_are_left_out() -> None:
    described = b"\0\0\0\x01gSPS\0\0\0\x01hPPS"
    assert framing("h264", described)(described) == b"\0\0\0\x04gSPS\0\0\0\x04hPPS"  # type: ignore[misc] # there is one for H.264 in this form
    to_sample = framing("h264", described, described)
    assert to_sample is not None
    assert to_sample(b"\0\0\0\x01gSPS\0\0\0\x01hPPS\0\0\x01eIDR") == b"\0\0\0\x04eIDR"
    assert to_sample(b"\0\0\0\x01gNEW\0\0\x01eIDR") == b"\0\0\0\x04gNEW\0\0\0\x04eIDR"
    with pytest.raises(ValueError, match="no units with start codes"):
        to_sample(b"\0\0\0\x05hello")


def test_packets_that_are_samples_already_stay() -> None:
    assert framing("h264", b"\x01\x64") is None
    assert framing("hevc", b"\x01\x01") is None
    assert framing("aac", b"\x11\x90") is None
    assert framing("opus", b"") is None


@pytest.mark.parametrize(
    ("codec", "packet", "frame_size", "extradata", "samples"),
    [
        ("aac", b"", 1024, b"", 1024),
        ("aac", b"", 0, b"", 1024),
        ("aac", b"", 2048, b"", 2048),
        ("mp3", b"", 0, b"", 1152),
        ("ac3", b"", 0, b"", 1536),
        ("eac3", bytes.fromhex("0b7702ff3f"), 0, b"", 1536),
        ("eac3", bytes.fromhex("0b7702ff0f"), 0, b"", 256),
        ("opus", b"\xfc\0", 0, b"", 960),
        ("flac", b"", 0, bytes.fromhex("12001200"), 4608),
        ("flac", b"", 0, bytes.fromhex("00101200"), 0),
        ("alac", b"", 0, bytes(12) + bytes.fromhex("00001000"), 4096),
        ("vorbis", b"", 0, b"", 0),
    ],
)
def test_the_number_of_samples_per_packet(
    codec: str, packet: bytes, frame_size: int, extradata: bytes, samples: int
) -> None:
    assert samples_per_packet(codec, packet, frame_size, extradata, 48_000) == samples


def test_mp3_with_a_low_rate_has_short_packets() -> None:
    assert samples_per_packet("mp3", b"", 0, b"", 22_050) == 576


def test_the_number_of_samples_of_an_opus_packet() -> None:
    """RFC 6716 table 2, and section 3.2 for the number of frames in a packet."""
    assert [opus_samples(bytes([config << 3, 0])) for config in (0, 1, 2, 3, 12, 13, 16, 17, 18, 19, 31)] == [
        480, 960, 1920, 2880, 480, 960, 120, 240, 480, 960, 960,
    ]  # fmt: skip
    assert opus_samples(bytes([31 << 3 | 1, 0])) == 1920
    assert opus_samples(bytes([31 << 3 | 3, 0xC0 | 6])) == 5760
    assert opus_samples(b"") == 0


def test_eac3_blocks_and_discarded_samples_are_read() -> None:
    assert eac3_blocks(b"") == 6
    assert eac3_blocks(bytes([0x0B, 0x77, 0, 0, 0xC0])) == 6  # half the sample rate
    assert discarded_samples(bytes.fromhex("38010000880200000000")) == (312, 648)
    assert discarded_samples(None) == discarded_samples(b"\0") == (0, 0)
