"""Codec strings for browsers, HLS and DASH: the `codecs` parameter of RFC 6381 (pure).

A string uses the profile and level that the stream itself gives, if it gives them. If no string would be correct, the
result is None. Sources: RFC 6381 section 3.3; ISO/IEC 14496-15 Annex E (avc1, hvc1); ISO/IEC 14496-3 (audio object
types); "VP Codec ISO Media File Format Binding" (vp09); "AV1 Codec ISO Media File Format Binding" section 5 (av01);
"Dolby Vision Streams Within the ISO Base Media File Format" (dvh1); mp4ra.org for the rest.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020",
    10: "smpte428", 11: "smpte431", 12: "smpte432", 22: "ebu3213",
}  # fmt: skip
"""ITU-T H.273 table 2, as FFmpeg spells them; 2 is "unspecified"."""

TRANSFERS = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100",
    10: "log316", 11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10",
    15: "bt2020-12", 16: "smpte2084", 17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
"""ITU-T H.273 table 3."""

PQ, HLG = 16, 18


@dataclass(frozen=True, slots=True)
class Coding:
    """How a video track is coded, from the container and FFmpeg's parsers.

    `tag` is the sample entry of an MP4 file, "" elsewhere; `primaries`, `transfer` and `matrix` are code points of
    H.273; `dolby_vision` is the profile, level and compatibility of its configuration record.
    """

    codec: str
    tag: str = ""
    profile: str | None = None
    level: int = -99
    extradata: bytes = b""
    width: int = 0
    height: int = 0
    rate: Fraction | None = None
    bit_depth: int = 8
    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    full_range: bool = False
    dolby_vision: tuple[int, int, int] | None = None


def video_codec_string(coding: Coding) -> str | None:  # noqa: PLR0911 - a table of codecs
    """Return the codec string of a video track, such as "avc1.64001f"; None if there is none."""
    match coding.codec:
        case "h264":
            return _avc(coding)
        case "hevc":
            return _dolby_vision(coding) or _hevc(coding)
        case "vp9":
            return _vp9(coding)
        case "av1":
            return _av1(coding)
        case "mpeg4":
            # visual_object_sequence_start_code, profile_and_level_indication (ISO/IEC 14496-2 section 6.2.2)
            found = re.search(rb"\0\0\x01\xb0(.)", coding.extradata, re.DOTALL)
            return f"mp4v.20.{found[1][0]}" if found else None
        case "mpeg2video":
            return f"mp4v.{_MPEG2.get(coding.profile or '', '61')}"
        case "mpeg1video":
            return "mp4v.6a"
        case "prores":
            return coding.tag if re.fullmatch("ap(ch|cn|cs|co|4h|4x)", coding.tag) else None
        case "vp8" | "theora" | "h263":
            return {"h263": "s263"}.get(coding.codec, coding.codec)
    return None


_MPEG2 = {
    "Simple": "60",
    "Main": "61",
    "SNR Scalable": "62",
    "Spatially Scalable": "63",
    "High": "64",
    "4:2:2": "65",
}
"""Object type indications, ISO/IEC 14496-1 table 5."""

_AVC = {
    "Baseline": "4200", "Constrained Baseline": "4240", "Extended": "5800", "Main": "4d00", "High": "6400",
    "High 10": "6e00", "High 10 Intra": "6e10", "High 4:2:2": "7a00", "High 4:2:2 Intra": "7a10",
    "High 4:4:4 Predictive": "f400", "High 4:4:4 Intra": "f410", "CAVLC 4:4:4": "2c10",
}  # fmt: skip
"""profile_idc and constraint flags, for a stream that does not contain its own."""


def _avc(coding: Coding) -> str | None:
    entry = coding.tag if coding.tag in {"avc1", "avc3"} else "avc1"
    data = coding.extradata
    if len(data) >= 4 and data[0] == 1:  # AVCDecoderConfigurationRecord
        return f"{entry}.{data[1:4].hex()}"
    for unit in nal_units(data):
        if unit[0] & 0x1F == 7 and len(unit) >= 4:  # a sequence parameter set
            return f"{entry}.{unit[1:4].hex()}"
    if coding.profile in _AVC and 0 < coding.level < 256:
        return f"{entry}.{_AVC[coding.profile]}{coding.level:02x}"
    return None


def _hevc(coding: Coding) -> str | None:
    entry = coding.tag if coding.tag in {"hvc1", "hev1"} else "hvc1"
    data = coding.extradata
    if len(data) >= 13 and data[0] == 1:  # HEVCDecoderConfigurationRecord
        return f"{entry}.{_profile_tier_level(data[1:13])}"
    for unit in nal_units(data):
        # A sequence parameter set: two bytes of header, one of ids, then profile_tier_level().
        if (unit[0] >> 1) & 0x3F == 33:
            plain = unit.replace(b"\0\0\x03", b"\0\0")
            if len(plain) >= 15:
                return f"{entry}.{_profile_tier_level(plain[3:15])}"
    return None


def _profile_tier_level(data: bytes) -> str:
    """Format general_profile_space to general_level_idc (ITU-T H.265 section 7.3.3) as in ISO/IEC 14496-15 E.3."""
    space = ("", "A", "B", "C")[data[0] >> 6]
    tier = "H" if data[0] & 0x20 else "L"
    compatible = int(f"{int.from_bytes(data[1:5]):032b}"[::-1], 2)
    constraints = data[5:11].rstrip(b"\0")
    parts = [
        f"{space}{data[0] & 0x1F}",
        f"{compatible:X}",
        f"{tier}{data[11]}",
        *(f"{byte:X}" for byte in constraints),
    ]
    return ".".join(parts)


def _dolby_vision(coding: Coding) -> str | None:
    """Return a string if only Dolby's decoders show the right colours; else None: the base layer's is used."""
    if coding.dolby_vision is None:
        return None
    profile, level, compatibility = coding.dolby_vision
    if compatibility != 0:
        return None
    entry = {"hev1": "dvhe", "dvhe": "dvhe"}.get(coding.tag, "dvh1")
    return f"{entry}.{profile:02}.{level:02}"


# Level, samples per second, samples per frame: "VP9 Levels" of the WebM project.
_VP9_LEVELS = (
    (10, 829_440, 36_864), (11, 2_764_800, 73_728), (20, 4_608_000, 122_880), (21, 9_216_000, 245_760),
    (30, 20_736_000, 552_960), (31, 36_864_000, 983_040), (40, 83_558_400, 2_228_224),
    (41, 160_432_128, 2_228_224), (50, 311_951_360, 8_912_896), (51, 588_251_136, 8_912_896),
    (52, 1_176_502_272, 8_912_896), (60, 1_176_502_272, 35_651_584), (61, 2_353_004_544, 35_651_584),
    (62, 4_706_009_088, 35_651_584),
)  # fmt: skip


def _vp9(coding: Coding) -> str | None:
    profile = re.fullmatch(r"Profile ([0-3])", coding.profile or "")
    if profile is None:
        return None
    level = coding.level if coding.level > 0 else _vp9_level(coding)
    name = f"vp09.{int(profile[1]):02}.{level:02}.{coding.bit_depth:02}"
    if not _needs_colours(coding):
        return name
    chroma = "03" if coding.profile in {"Profile 1", "Profile 3"} else "01"
    return f"{name}.{chroma}.{_colours(coding)}.{int(coding.full_range):02}"


def _vp9_level(coding: Coding) -> int:
    """Return the lowest level for this size and rate, because WebM files do not give theirs."""
    size = coding.width * coding.height
    rate = size * (coding.rate or 30)
    return next(
        (level for level, max_rate, max_size in _VP9_LEVELS if rate <= max_rate and size <= max_size), 62
    )


def _av1(coding: Coding) -> str | None:
    data = coding.extradata
    if len(data) >= 4 and data[0] == 0x81:  # AV1CodecConfigurationRecord
        profile, level = data[1] >> 5, data[1] & 0x1F
        tier = "H" if data[2] & 0x80 else "M"
        depth = (12 if data[2] & 0x20 else 10) if data[2] & 0x40 else 8
        name = f"av01.{profile}.{level:02}{tier}.{depth:02}"
        if not _needs_colours(coding):
            return name
        monochrome, x, y, position = (data[2] >> 4) & 1, (data[2] >> 3) & 1, (data[2] >> 2) & 1, data[2] & 3
        return f"{name}.{monochrome}.{x}{y}{position}.{_colours(coding)}.{int(coding.full_range)}"
    profiles = {"Main": 0, "High": 1, "Professional": 2}
    if coding.profile in profiles and 0 <= coding.level < 32:
        return f"av01.{profiles[coding.profile]}.{coding.level:02}M.{coding.bit_depth:02}"
    return None


def _needs_colours(coding: Coding) -> bool:
    """Whether the long form is needed for the colours; the short form means BT.709."""
    colours = (coding.primaries, coding.transfer, coding.matrix)
    return 2 not in colours and (colours != (1, 1, 1) or coding.full_range)


def _colours(coding: Coding) -> str:
    return f"{coding.primaries:02}.{coding.transfer:02}.{coding.matrix:02}"


def nal_units(data: bytes) -> list[bytes]:
    """Split a byte stream (ITU-T H.264 Annex B) into NAL units, none of them empty."""
    return [unit for unit in re.split(rb"\0*\0\0\x01", data)[1:] if unit]


_AAC = {
    "LC": 2,
    "Main": 1,
    "SSR": 3,
    "LTP": 4,
    "HE-AAC": 5,
    "HE-AACv2": 29,
    "LD": 23,
    "ELD": 39,
    "xHE-AAC": 42,
}
"""Audio object types, ISO/IEC 14496-3 table 1.17, by FFmpeg's profile names."""

_DTS = {"DTS-HD MA": "dtsl", "DTS-HD HRA": "dtsh", "DTS Express": "dtse"}
_AUDIO = {"opus": "opus", "vorbis": "vorbis", "flac": "flac", "ac3": "ac-3", "eac3": "ec-3", "ac4": "ac-4",
          "alac": "alac", "truehd": "mlpa", "amr_nb": "samr", "amr_wb": "sawb"}  # fmt: skip


def audio_codec_string(
    codec: str, *, profile: str | None = None, extradata: bytes = b"", sample_rate: int = 48_000
) -> str | None:
    """Return the codec string of an audio track, such as "mp4a.40.2"; None if there is none."""
    if codec in {"aac", "aac_latm"}:
        kind = _AAC.get(profile or "")
        if kind not in {5, 29} and len(extradata) >= 2:  # SBR and PS may not be signalled in the config
            kind = _audio_object_type(extradata)
        return f"mp4a.40.{kind}" if kind else "mp4a.40.2"
    if codec == "mp3":  # ISO/IEC 11172-3, or 13818-3 with its lower rates
        return "mp4a.6B" if sample_rate >= 32_000 else "mp4a.69"
    if codec == "dts":
        return _DTS.get(profile or "", "dtsc")
    return _AUDIO.get(codec)


def _audio_object_type(config: bytes) -> int:
    """Read the type from an AudioSpecificConfig (ISO/IEC 14496-3 section 1.6.2.1): five bits, or an escape and six."""
    kind = config[0] >> 3
    return 32 + ((config[0] & 7) << 3 | config[1] >> 5) if kind == 31 else kind
