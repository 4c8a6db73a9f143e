"""Convert a track that FFmpeg has opened to its media info. No packet is read."""

import math
import re
import struct
from fractions import Fraction
from typing import Any

from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from trio_stream.languages import language_of
from trio_stream.media.containers.keyframes import rational
from trio_stream.media.containers.opening import printable
from trio_stream.media.containers.streams import is_flagged
from trio_stream.media.formats import media_info
from trio_stream.media.formats.codecs import (
    HLG,
    PQ,
    PRIMARIES,
    TRANSFERS,
    Coding,
    audio_codec_string,
    video_codec_string,
)


def describe_video(stream: VideoStream, container: str, entry: str = "") -> media_info.VideoTrack:
    """Describe a video track in a `container`, or as it will be in a sample entry of the kind `entry`."""
    context: VideoCodecContext | None = stream.codec_context
    metadata = stream.metadata
    mean, guessed = rational(stream.average_rate), rational(stream.guessed_rate)
    rates = (mean.limit_denominator(1_000_000), rational(stream.base_rate)) if mean else None
    common: dict[str, Any] = {
        "index": stream.index,
        "frame_rate": rates[0] if rates else guessed,
        "variable_frame_rate": bool(rates and rates[1] and _differ(rates[0], rates[1])),
        "rotation": 0,
        "language": _language(stream),
        "title": text_of(metadata.get("title")),
        "default": is_flagged(stream, Disposition.default),
    }
    if context is None:  # FFmpeg has no decoder and no name for it
        unknown: dict[str, Any] = dict.fromkeys(
            (
                "codec_string",
                "profile",
                "pixel_format",
                "bit_depth",
                "transfer",
                "primaries",
                "hdr",
                "bit_rate",
            )
        )
        return media_info.VideoTrack(
            codec="unknown", width=0, height=0, pixel_aspect=Fraction(1), **(unknown | common)
        )
    side = context.coded_side_data
    depth = context.format.components[0].bits if context.format is not None else None
    dolby = side.get("dovi_conf")
    coding = Coding(
        codec=context.codec.canonical_name,
        tag=entry or (_tag(context.codec_tag) if container in {"mp4", "mov", "3gp"} else ""),
        profile=context.profile,
        level=context.level,
        extradata=context.extradata or b"",
        width=context.width,
        height=context.height,
        rate=common["frame_rate"],
        bit_depth=depth or 8,
        primaries=int(context.color_primaries),
        transfer=int(context.color_trc),
        matrix=int(context.colorspace),
        full_range=int(context.color_range) == 2,
        # AVDOVIDecoderConfigurationRecord: version, revision, profile, level, three flags, compatibility.
        dolby_vision=(dolby[2], dolby[3], dolby[7]) if dolby and len(bytes(dolby)) >= 8 else None,
    )
    common["rotation"] = rotation(bytes(side.get("display_matrix", b"")))
    return media_info.VideoTrack(
        codec=coding.codec,
        codec_string=video_codec_string(coding),
        profile=coding.profile,
        width=max(0, coding.width),
        height=max(0, coding.height),
        pixel_aspect=rational(stream.sample_aspect_ratio) or Fraction(1),
        pixel_format=context.pix_fmt,
        bit_depth=depth,
        transfer=TRANSFERS.get(coding.transfer),
        primaries=PRIMARIES.get(coding.primaries),
        hdr=_hdr(coding),
        bit_rate=plausible_bit_rate(context.bit_rate),
        **common,
    )


def _hdr(coding: Coding) -> media_info.Hdr | None:
    if coding.dolby_vision is not None or coding.tag in {"dvh1", "dvhe", "dva1", "dvav", "dav1"}:
        return "Dolby Vision"
    kinds: dict[int, media_info.Hdr] = {PQ: "HDR10", HLG: "HLG"}
    return kinds.get(coding.transfer)


def _differ(mean: Fraction, base: Fraction) -> bool:
    """Whether the rates mean a variable frame rate; the base rate of interlaced video counts its fields."""
    ratio = base / mean
    return abs(ratio - 1) > Fraction(1, 50) and abs(ratio - 2) > Fraction(1, 50)


def rotation(matrix: bytes) -> int:
    """Return the clockwise degrees of a display matrix (ISO/IEC 14496-12 section 8.3.2) in native byte order.

    If the matrix also mirrors, they are what remains after mirroring left to right or top to bottom, at most a quarter
    turn. So frames that are only mirrored are not turned.
    """
    if len(matrix) < 36:
        return 0
    a, b, _, c, d, *_ = struct.unpack("=9i", matrix[:36])
    across, down = math.hypot(a, c), math.hypot(b, d)
    if not across or not down:
        return 0
    degrees = round(math.degrees(math.atan2(b / down, a / across))) % 360
    mirrored = a * d < b * c
    return (degrees + 180) % 360 if mirrored and 90 < degrees < 270 else degrees


def describe_audio(stream: AudioStream) -> media_info.AudioTrack:
    """Describe an audio track."""
    context: AudioCodecContext | None = stream.codec_context
    common: dict[str, Any] = {
        "index": stream.index,
        "language": _language(stream),
        "title": text_of(stream.metadata.get("title")),
        "default": is_flagged(stream, Disposition.default),
    }
    if context is None:
        return media_info.AudioTrack(
            codec="unknown", codec_string=None, profile=None, channels=0, layout=None, sample_rate=0,
            bit_rate=None, **common,
        )  # fmt: skip
    codec, profile = context.codec.canonical_name, context.profile
    return media_info.AudioTrack(
        codec=codec,
        codec_string=audio_codec_string(
            codec, profile=profile, extradata=context.extradata or b"", sample_rate=context.sample_rate
        ),
        profile=profile,
        channels=max(0, context.layout.nb_channels),
        layout=context.layout.name or None,
        sample_rate=max(0, context.sample_rate),
        bit_rate=plausible_bit_rate(context.bit_rate),
        **common,
    )


def describe_subtitle(stream: SubtitleStream) -> media_info.SubtitleTrack:
    """Describe a subtitle track; only text subtitles can be read."""
    context: CodecContext | None = stream.codec_context
    codec = context.codec if context is not None else None
    if codec is None:
        return _described_subtitle(stream, "unknown", text=False)
    return _described_subtitle(stream, codec.canonical_name, text=codec.text_sub)


def describe_mp4_text(stream: Stream, kind: str) -> media_info.SubtitleTrack:
    """Describe WebVTT in MP4, which can be read, or TTML, which neither FFmpeg nor we can read."""
    return _described_subtitle(stream, "webvtt" if kind == "wvtt" else "ttml", text=kind == "wvtt")


def _described_subtitle(stream: Stream, codec: str, *, text: bool) -> media_info.SubtitleTrack:
    return media_info.SubtitleTrack(
        index=stream.index,
        codec=codec,
        text=text,
        language=_language(stream),
        title=text_of(stream.metadata.get("title")),
        forced=is_flagged(stream, Disposition.forced),
        hearing_impaired=is_flagged(stream, Disposition.hearing_impaired),
        default=is_flagged(stream, Disposition.default),
    )


def plausible_bit_rate(value: int | None) -> int | None:
    """Return the bit rate in bits per second, or None if it is not plausible."""
    return value if value is not None and 0 < value < 1 << 40 else None


def _language(stream: Stream) -> str | None:
    return language_of(text_of(stream.language))


def text_of(value: str | None) -> str | None:
    """Return text from the file, limited and printable; what is not UTF-8 is read as Latin-1."""
    if value and not value.isascii():
        raw = value.encode("utf-8", "surrogateescape")
        try:
            value = raw.decode()
        except UnicodeDecodeError:
            value = raw.decode("latin-1")
    return printable(value, media_info.TEXT_LIMIT) or None if value else None


def _tag(tag: str) -> str:
    return tag if re.fullmatch(r"[ -~]{4}", tag or "") else ""
