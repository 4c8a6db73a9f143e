"""Codec strings: reference cases from the specifications and from real files."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.media.formats.codecs import Coding, audio_codec_string, nal_units, video_codec_string

HVCC_MAIN = bytes.fromhex("0101600000009000000000005df000fcfdf8f80000")
HVCC_MAIN10_HIGH_TIER = bytes.fromhex("01222000000090000000000099f000fcfdfafa0000")
HEVC_SPS = bytes.fromhex("0000000142010101600000030090000003000003005da0")
DV5 = (5, 6, 0)
DV8 = (8, 4, 1)


@pytest.mark.parametrize(
    ("coding", "name"),
    [
        # RFC 6381 section 3.3: avc1 and profile_idc, constraint flags, level_idc in hexadecimal.
        (Coding("h264", "avc1", extradata=bytes.fromhex("0142c01effe1")), "avc1.42c01e"),
        (Coding("h264", "avc3", extradata=bytes.fromhex("01640028ffe1")), "avc3.640028"),
        (Coding("h264", extradata=bytes.fromhex("000000010910000001674d401f95")), "avc1.4d401f"),
        (Coding("h264", profile="High", level=40), "avc1.640028"),
        (Coding("h264", profile="Constrained Baseline", level=30), "avc1.42401e"),
        (Coding("h264", profile=None, level=-99), None),
        (Coding("h264", extradata=b"\x01\x64"), None),
        # ISO/IEC 14496-15 Annex E.3.
        (Coding("hevc", "hvc1", extradata=HVCC_MAIN), "hvc1.1.6.L93.90"),
        (Coding("hevc", "hev1", extradata=HVCC_MAIN), "hev1.1.6.L93.90"),
        (Coding("hevc", extradata=HVCC_MAIN10_HIGH_TIER), "hvc1.2.4.H153.90"),
        (Coding("hevc", extradata=HEVC_SPS), "hvc1.1.6.L93.90"),
        (Coding("hevc", extradata=b"\x01"), None),
        (Coding("hevc", extradata=bytes.fromhex("0000000142")), None),
        # Dolby Vision: profile 5 has no base layer for other decoders, 8.1 is HDR10 to them.
        (Coding("hevc", "hev1", extradata=HVCC_MAIN, dolby_vision=DV5), "dvhe.05.06"),
        (Coding("hevc", "hvc1", extradata=HVCC_MAIN, dolby_vision=DV5), "dvh1.05.06"),
        (Coding("hevc", "hvc1", extradata=HVCC_MAIN, dolby_vision=DV8), "hvc1.1.6.L93.90"),
        # The VP9 binding: profile, level, depth; WebM has no level.
        (Coding("vp9", profile="Profile 0", level=31, width=1280, height=720), "vp09.00.31.08"),
        (Coding("vp9", profile="Profile 0", width=320, height=180, rate=Fraction(25)), "vp09.00.11.08"),
        (Coding("vp9", profile="Profile 0", width=1920, height=1080, rate=Fraction(30)), "vp09.00.40.08"),
        (Coding("vp9", profile="Profile 0", width=3840, height=2160, rate=Fraction(60)), "vp09.00.51.08"),
        (
            Coding("vp9", profile="Profile 2", level=51, bit_depth=10, primaries=9, transfer=16, matrix=9),
            "vp09.02.51.10.01.09.16.09.00",
        ),
        (Coding("vp9", profile="Profile 0", level=10, primaries=1, transfer=1, matrix=1), "vp09.00.10.08"),
        (Coding("vp9", profile=None), None),
        # The AV1 binding section 5.
        (Coding("av1", extradata=bytes.fromhex("81040c00")), "av01.0.04M.08"),
        (Coding("av1", extradata=bytes.fromhex("8155ec00")), "av01.2.21H.12"),
        (
            Coding("av1", extradata=bytes.fromhex("81084c00"), primaries=9, transfer=16, matrix=9),
            "av01.0.08M.10.0.110.09.16.09.0",
        ),
        (Coding("av1", profile="Main", level=8, bit_depth=10), "av01.0.08M.10"),
        (Coding("av1"), None),
        (Coding("mpeg4", extradata=bytes.fromhex("000001b0f1000001b5")), "mp4v.20.241"),
        (Coding("mpeg4", extradata=b"\0\0\x01\xb0\n"), "mp4v.20.10"),
        (Coding("mpeg4"), None),
        (Coding("mpeg2video", profile="Main"), "mp4v.61"),
        (Coding("mpeg2video", profile="4:2:2"), "mp4v.65"),
        (Coding("mpeg1video"), "mp4v.6a"),
        (Coding("vp8"), "vp8"),
        (Coding("theora"), "theora"),
        (Coding("h263"), "s263"),
        (Coding("prores", "apch"), "apch"),
        (Coding("prores", "xxxx"), None),
        (Coding("flv1"), None),
    ],
)
def test_video_codec_strings(coding: Coding, name: str | None) -> None:
    assert video_codec_string(coding) == name


@pytest.mark.parametrize(
    ("codec", "more", "name"),
    [
        ("aac", {"profile": "LC", "extradata": bytes.fromhex("1190")}, "mp4a.40.2"),
        ("aac", {"profile": "HE-AAC", "extradata": bytes.fromhex("1310")}, "mp4a.40.5"),
        ("aac", {"profile": "HE-AAC", "extradata": bytes.fromhex("2b92")}, "mp4a.40.5"),
        ("aac", {"profile": "HE-AACv2"}, "mp4a.40.29"),
        ("aac", {"extradata": bytes.fromhex("f948")}, "mp4a.40.42"),  # escaped: xHE-AAC
        ("aac", {}, "mp4a.40.2"),
        ("aac_latm", {"profile": "LC"}, "mp4a.40.2"),
        ("mp3", {"sample_rate": 44_100}, "mp4a.6B"),
        ("mp3", {"sample_rate": 22_050}, "mp4a.69"),
        ("opus", {}, "opus"),
        ("vorbis", {}, "vorbis"),
        ("flac", {}, "flac"),
        ("ac3", {}, "ac-3"),
        ("eac3", {}, "ec-3"),
        ("dts", {"profile": "DTS"}, "dtsc"),
        ("dts", {"profile": "DTS-HD MA"}, "dtsl"),
        ("truehd", {}, "mlpa"),
        ("alac", {}, "alac"),
        ("mp2", {}, None),
        ("pcm_s16le", {}, None),
    ],
)
def test_audio_codec_strings(codec: str, more: dict[str, Any], name: str | None) -> None:
    assert audio_codec_string(codec, **more) == name


@given(
    st.sampled_from(["h264", "hevc", "vp9", "av1", "mpeg4"]),
    st.binary(max_size=40) | st.binary(max_size=40).map(lambda data: b"\0\0\x01" + data),
)
def test_any_extradata_is_accepted(codec: str, extradata: bytes) -> None:
    name = video_codec_string(Coding(codec, extradata=extradata))
    assert name is None or name.isascii()


def test_a_byte_stream_is_split_into_units() -> None:
    assert nal_units(b"\0\0\0\1\x67ab\0\0\1\x68c\0\0\0\1") == [b"\x67ab", b"\x68c"]
    assert nal_units(b"nothing") == []
