"""The codec string of a sample entry in manifests, and whether its samples can be packaged without remuxing."""

from trio_stream.media.formats.aac import NONSTANDARD_LAYOUT, with_standard_layout
from trio_stream.media.formats.codecs import Coding, audio_codec_string, video_codec_string
from trio_stream.mp4.reading.descriptions import Description
from trio_stream.mp4.reading.sample_entry import ENCRYPTED, SampleEntry, with_config

VIDEO = {
    "avc1": ("h264", "avcC"), "avc3": ("h264", "avcC"), "hvc1": ("hevc", "hvcC"), "hev1": ("hevc", "hvcC"),
    "dvh1": ("hevc", "hvcC"), "dvhe": ("hevc", "hvcC"), "av01": ("av1", "av1C"), "vp09": ("vp9", "vpcC"),
}  # fmt: skip
"""Sample entries that are packaged: FFmpeg's name of the codec, and the box with its configuration."""

_AUDIO = {
    "ac-3": ("ac3", "dac3"), "ec-3": ("eac3", "dec3"), "Opus": ("opus", "dOps"), "fLaC": ("flac", "dfLa"),
    "alac": ("alac", "alac"), "ac-4": ("ac4", "dac4"),
}  # fmt: skip
"""The same for audio other than `mp4a`."""

_REMUXED_ENTRIES = frozenset({"avc2", "avc4", "h264", "H264", "x264", "X264", "DAVC", "davc", "HEVC"})
"""Sample entries of codecs that are packaged under another name: such a file is remuxed."""

_REMUXED_OBJECT_TYPES = frozenset({0x66, 0x68, 0xA5, 0xA6, 0xAD})
"""Object types of `mp4a` that are remuxed: AAC of MPEG-2, AC-3, E-AC-3, Opus (mp4ra.org)."""

_MP3 = frozenset({0x69, 0x6B})
AAC = frozenset({0x40, 0x67})


def is_remuxed(entry: SampleEntry) -> bool:
    """Whether FFmpeg can remux what cannot be packaged directly: what the entry lacks is in the samples."""
    if entry.kind == "mp4a":
        return entry.object_type in _REMUXED_OBJECT_TYPES
    if entry.kind in _AUDIO:
        return _AUDIO[entry.kind][1] not in entry.boxes
    return entry.kind in _REMUXED_ENTRIES


def codec_of(entry: SampleEntry) -> str:
    """The codec, independent of the kind of the sample entry."""
    if entry.kind == "mp4a":
        return "mp3" if entry.object_type in _MP3 else "aac"
    return VIDEO[entry.kind][0] if entry.kind in VIDEO else entry.kind


def refusal_reason(entry: SampleEntry, handler: str) -> str:
    """Why a track with this sample entry is not packaged."""
    if entry.kind in ENCRYPTED:
        return "it is encrypted"
    if entry.object_type in AAC and config_of(entry) is None:
        return NONSTANDARD_LAYOUT
    track_kind = "video" if handler == "vide" else "audio"
    return f"its {track_kind} codec ({entry.kind.strip()}) cannot be packaged in fragmented MP4"


def config_of(entry: SampleEntry) -> bytes | None:
    """The AAC configuration with a channel layout that browsers support; None if they would refuse it."""
    try:
        return with_standard_layout(entry.config) if entry.config else entry.config
    except ValueError:
        return None


def with_supported_channels(description: Description) -> Description:
    """The description; for AAC with the channel layout rewritten to one that browsers support."""
    entry = description.entry
    config = config_of(entry) if entry.object_type in AAC else None
    if config is None or config == entry.config:
        return description
    return Description(with_config(description.box, entry.object_type, config), entry)


def codec_string(entry: SampleEntry, handler: str) -> str | None:
    """The codec string for manifests; None if the codec is not packaged."""
    if handler == "vide" and entry.kind in VIDEO:
        if (dolby := _dolby_vision(entry)) is not None:
            return dolby
        codec, box = VIDEO[entry.kind]
        config = entry.boxes.get(box, b"")
        primaries, transfer, matrix, full = entry.colours
        return (
            _vp9(config)
            if codec == "vp9"
            else video_codec_string(
                Coding(
                    codec,
                    entry.kind,
                    extradata=config,
                    primaries=primaries,
                    transfer=transfer,
                    matrix=matrix,
                    full_range=full,
                )
            )
        )
    if handler == "soun":
        if entry.kind == "mp4a":
            if entry.object_type in _MP3:
                return f"mp4a.{entry.object_type:2X}"
            return (
                audio_codec_string("aac", extradata=entry.config)
                if entry.object_type in AAC and config_of(entry) is not None
                else None
            )
        if entry.kind in _AUDIO:
            return entry.kind if entry.kind in ("fLaC", "Opus") else audio_codec_string(_AUDIO[entry.kind][0])
    return None


def _dolby_vision(entry: SampleEntry) -> str | None:
    """The codec string of a Dolby Vision sample entry. Bits of the box: two bytes of version, profile (7), level (6)
    ("Dolby Vision Streams Within the ISO Base Media File Format"). Other sample entries are named by their codec."""
    config = entry.boxes.get("dvcC") or entry.boxes.get("dvvC") or b""
    if entry.kind not in ("dvh1", "dvhe") or len(config) < 4:
        return None
    bits = int.from_bytes(config[2:4], "big")
    return f"{entry.kind}.{bits >> 9:02}.{bits >> 3 & 0x3F:02}"


def _vp9(config: bytes) -> str | None:
    """VPCodecConfigurationRecord after version and flags: profile, level, four bits of depth."""
    if len(config) < 7:
        return None
    return f"vp09.{config[4]:02}.{config[5]:02}.{config[6] >> 4:02}"
