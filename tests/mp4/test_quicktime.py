"""QuickTime differences: rewritten audio entries, languages, samples in other files."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mp4.making import AAC, box, full, mp4a
from trio_stream.mp4.boxes import Box, Malformed, read_boxes
from trio_stream.mp4.reading.quicktime import as_iso
from trio_stream.mp4.reading.sample_entry import SampleEntry, read_sample_entry

ESDS = full("esds", 0, 0, AAC)
END = struct.pack(">I4x", 8)


def entry(kind: str, version: int, *boxes: bytes, rate: int = 44_100, channels: int = 2) -> Box:
    """An audio sample entry in one of QuickTime's versions."""
    head = bytes(6) + struct.pack(
        ">HHHIHHHHI", 3, version, 0, 0, channels, 16, 0xFFFE, 0, min(rate, 65_535) << 16
    )
    more = {1: bytes(16), 2: struct.pack(">IdIIIIII", 72, rate, channels, 0x7F000000, 16, 0, 0, 1024)}
    [found] = read_boxes(box(kind, head, more.get(version, b""), *boxes), "stsd")
    return found


def read(spec: Box, listed: int = 0) -> SampleEntry:
    return read_sample_entry(as_iso(spec, listed), "soun")


@pytest.mark.parametrize(
    ("spec", "rate"),
    [
        (entry("mp4a", 1, ESDS), 44_100),
        (entry("mp4a", 1, box("wave", box("frma", b"mp4a"), box("mp4a", bytes(4)), ESDS, END)), 44_100),
        (entry("mp4a", 0, box("wave", box("frma", b"mp4a"), ESDS, bytes(4))), 44_100),
        (entry("mp4a", 2, box("chan", bytes(12)), box("wave", ESDS), rate=96_000), 0),
        (entry("mp4a", 2, ESDS, rate=48_000), 48_000),
    ],
)
def test_aac_configuration_is_found_in_quicktime_entries(spec: Box, rate: int) -> None:
    """A rate of more than 16 bits is expressed only by the timescale, as in MP4."""
    found = read(spec)
    assert (found.kind, found.object_type, found.config) == ("mp4a", 0x40, b"\x11\x90")
    assert (found.rate, found.channels) == (rate, 2)
    assert list(found.boxes) == ["esds"]


@pytest.mark.parametrize(
    ("kind", "rate", "object_type"),
    [(".mp3", 44_100, 0x6B), (".mp3", 22_050, 0x69), ("ms\0U", 48_000, 0x6B)],
)
@pytest.mark.parametrize("version", [0, 1])
def test_mp3_gets_an_mp4_entry(kind: str, rate: int, object_type: int, version: int) -> None:
    found = read(entry(kind, version, rate=rate))
    assert (found.kind, found.object_type, found.rate) == ("mp4a", object_type, rate)


def test_other_codecs_keep_their_configuration() -> None:
    cookie = full("alac", 0, 0, bytes(24))
    found = read(entry("alac", 1, box("wave", box("frma", b"alac"), cookie, END)))
    assert found.boxes == {"alac": bytes(28)}
    assert read(entry("ac-3", 1, box("dac3", b"abc"), box("chan", b""))).boxes == {"dac3": b"abc"}


def test_an_mp4_entry_is_unchanged() -> None:
    """So does one in an `stsd` of version 1, where versions are not QuickTime's (ISO/IEC 14496-12 section 12.2.3.2)."""
    [spec] = read_boxes(mp4a(48_000, 6), "stsd")
    assert as_iso(spec, 0) is spec
    [later] = read_boxes(box("mp4a", bytes(8), struct.pack(">H", 1), bytes(18), ESDS), "stsd")
    assert as_iso(later, 1) is later
    assert as_iso(later.__class__("mp4a", later.payload, "stsd/mp4a"), 1).payload == later.payload


@given(st.binary(max_size=160), st.sampled_from(["mp4a", ".mp3", "alac"]), st.integers(0, 2))
def test_any_bytes_are_an_entry_or_malformed(data: bytes, kind: str, listed: int) -> None:
    try:
        found = as_iso(Box(kind, memoryview(data), "stsd/mp4a"), listed)
    except Malformed:
        return
    assert len(found.payload) <= len(data) + 60
