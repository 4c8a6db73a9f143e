"""Sample entries: the values that manifests need."""

import struct
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.media.making import make
from tests.mp4.making import AVC, avc1, box, mp4a
from trio_stream.mp4.boxes import Box, Malformed, read_boxes
from trio_stream.mp4.reading.movie import read_movie
from trio_stream.mp4.reading.sample_entry import SampleEntry, read_sample_entry


def read(data: bytes, handler: str) -> SampleEntry:
    [entry] = read_boxes(data, "stsd")
    return read_sample_entry(entry, handler)


def test_video() -> None:
    entry = read(avc1(720, 576, box("pasp", struct.pack(">II", 64, 45))), "vide")
    assert (entry.kind, entry.width, entry.height, entry.pixel_aspect) == ("avc1", 720, 576, Fraction(64, 45))
    assert entry.boxes["avcC"] == AVC
    assert (entry.channels, entry.rate) == (0, 0)


def test_audio() -> None:
    entry = read(mp4a(44_100, 6), "soun")
    assert (entry.kind, entry.rate, entry.channels) == ("mp4a", 44_100, 6)
    assert (entry.object_type, entry.config) == (0x40, b"\x11\x90")


def test_entries_other_than_video_and_audio_are_not_parsed() -> None:
    assert read(box("tx3g", b"1"), "text") == SampleEntry("tx3g")


@pytest.mark.parametrize(
    ("pasp", "aspect"),
    [
        (b"", 1),
        (struct.pack(">II", 0, 1), 1),
        (struct.pack(">II", 1, 0), 1),
        (b"\0\0\0\2", 1),
        (struct.pack(">II", 4, 3), Fraction(4, 3)),
    ],
)
def test_pixels(pasp: bytes, aspect: Fraction) -> None:
    assert SampleEntry("avc1", {"pasp": pasp}).pixel_aspect == aspect


@pytest.mark.parametrize(
    ("colr", "colours"),
    [
        (b"", (2, 2, 2, False)),
        (b"nclx" + struct.pack(">HHHB", 9, 16, 9, 0x80), (9, 16, 9, True)),
        (b"nclx" + struct.pack(">HHHB", 9, 18, 9, 0x7F), (9, 18, 9, False)),
        (b"nclc" + struct.pack(">HHH", 1, 1, 1), (1, 1, 1, False)),
        (b"nclx" + struct.pack(">HH", 1, 1), (2, 2, 2, False)),
        (b"rICC" + bytes(40), (2, 2, 2, False)),
    ],
)
def test_colours(colr: bytes, colours: tuple[int, int, int, bool]) -> None:
    assert SampleEntry("hvc1", {"colr": colr}).colours == colours


CONFIG = "0502 1190"
DECODER = "40 15 000000 00000000 00000000"


@pytest.mark.parametrize(
    ("esds", "expected"),
    [
        (f"00000000 03 19 0001 00 04 11 {DECODER} {CONFIG}", (0x40, b"\x11\x90")),
        (f"00000000 03808080 19 0001 00 04808080 11 {DECODER} 05808080 02 1190", (0x40, b"\x11\x90")),
        # optional fields: a stream it depends on, a URL, a clock of its own
        (f"00000000 03 1b 0001 80 0002 04 11 {DECODER} {CONFIG}", (0x40, b"\x11\x90")),
        (f"00000000 03 1d 0001 40 03 616263 04 11 {DECODER} {CONFIG}", (0x40, b"\x11\x90")),
        (f"00000000 03 1b 0001 20 0009 04 11 {DECODER} {CONFIG}", (0x40, b"\x11\x90")),
        (f"00000000 03 19 0001 e0 0002 01 61 0009 04 11 {DECODER} {CONFIG}", (0x40, b"\x11\x90")),
        # MP3 has no configuration
        ("00000000 03 15 0001 00 04 0d 6b 15 000000 00000000 00000000 06 01 02", (0x6B, b"")),
        ("00000000", (0, b"")),
        ("00000000 06 01 02", (0, b"")),
        (f"00000000 03 19 0001 00 04 11 {DECODER} 05 20 1190", (0x40, b"\x11\x90")),
    ],
)
def test_descriptors(esds: str, expected: tuple[int, bytes]) -> None:
    entry = read(mp4a(esds=bytes.fromhex(esds)[4:]), "soun")
    assert (entry.object_type, entry.config) == expected


@pytest.mark.parametrize(
    "esds", ["03", "0380", "031900", "03 19 0001 00 04", "03 19 0001 00 04 11", "03 19 0001 40"]
)
def test_truncated_descriptors(esds: str) -> None:
    with pytest.raises(Malformed, match="the box stsd/mp4a/esds: it ends too early"):
        read(mp4a(esds=bytes.fromhex(esds)), "soun")


@given(st.binary(max_size=120), st.sampled_from(["vide", "soun", "text"]))
def test_any_bytes_are_an_entry_or_malformed(data: bytes, handler: str) -> None:
    try:
        entry = read_sample_entry(Box("mp4a", memoryview(data), "stsd/mp4a"), handler)
    except Malformed:
        return
    assert entry.pixel_aspect > 0


@given(st.binary(max_size=60))
def test_any_descriptor_is_read_or_malformed(data: bytes) -> None:
    try:
        entry = read(mp4a(esds=data), "soun")
    except Malformed:
        return
    assert 0 <= entry.object_type < 256


@pytest.mark.parametrize(
    ("codec", "channels"),
    [
        *(("aac", count) for count in (1, 2, 6, 8)),
        *(("ac3", count) for count in (1, 2, 3, 6)),
        *(("eac3", count) for count in (1, 2, 6)),
        *(("libopus", count) for count in (1, 2, 6)),
        *(("flac", count) for count in (1, 6)),
    ],
)
def test_channels_of_files_written_by_ffmpeg(tmp_path: Path, codec: str, channels: int) -> None:
    """ffmpeg writes a channel count of 2 for any AAC and AC-3."""
    path = make(
        tmp_path / "sound.mp4", f"-f lavfi -i anullsrc=r=48000 -t 0.2 -ac {channels} -c:a {codec} -strict -2"
    )
    data = path.read_bytes()
    at = data.index(b"moov")
    length = int.from_bytes(data[at - 4 : at])
    [track] = read_movie(data[at + 4 : at - 4 + length], len(data)).tracks
    assert track.entry.channel_count == channels


@pytest.mark.parametrize(
    ("kind", "config", "channels"),
    [
        ("mp4a", "1190", 2),
        ("mp4a", "11b8", 8),  # 7.1 in front
        ("mp4a", "11d8", 7),  # 6.1
        ("mp4a", "11e0", 8),  # the usual 7.1
        ("mp4a", "11f0", 8),  # 7.1 with two height channels
        ("mp4a", "1180", 4),  # a channel layout defined in the stream
        ("mp4a", "eb098800", 2),  # parametric stereo: one channel is coded
        ("mp4a", "eb090800", 2),
        ("mp4a", "f946c0", 6),  # an escaped object type
        ("mp4a", "1780177010", 2),  # an explicit rate
        ("mp4a", "", 4),
        ("ac-3", "101000", 2),
        ("ac-3", "103dc0", 6),
        ("ac-3", "10", 4),
        ("ec-3", "0c00200f00", 6),
        ("ec-3", "0c00200f0202", 8),
        ("ec-3", "0c00200f0204", 7),
        ("ec-3", "0c00200f0341", 11),
        ("ec-3", "0c00200f02", 6),
        ("ec-3", "0c00", 4),
        ("Opus", "0008", 8),
        ("Opus", "00", 4),
        ("fLaC", "", 4),
        ("alac", "", 4),
    ],
)
def test_channels(kind: str, config: str, channels: int) -> None:
    data = bytes.fromhex(config)
    boxes = {"ac-3": {"dac3": data}, "ec-3": {"dec3": data}, "Opus": {"dOps": data}}.get(kind, {})
    assert SampleEntry(kind, boxes, channels=4, config=data).channel_count == channels


@given(st.sampled_from(["mp4a", "ac-3", "ec-3", "Opus"]), st.binary(max_size=12))
def test_channels_of_random_configurations(kind: str, data: bytes) -> None:
    boxes = dict.fromkeys(("dac3", "dec3", "dOps"), data)
    assert 0 <= SampleEntry(kind, boxes, channels=2, config=data).channel_count < 256
