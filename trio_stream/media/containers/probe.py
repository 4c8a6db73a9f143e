"""The job "probe": what is in a media file, without decoding more of it than FFmpeg's parsers ask for.

It reads the index where the container has one. Where there is none, it reads packets from the beginning, up to a
bound, and says how far it came.
"""

import math
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
import av.container
import av.error
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from trio_stream.languages import language_of
from trio_stream.media.containers.clock import found_until, span_of
from trio_stream.media.containers.keyframes import SCAN_BYTES, Scan, are_uneven, rational, seconds
from trio_stream.media.containers.movtext import text_tracks_of
from trio_stream.media.containers.opening import container_name, open_described, printable
from trio_stream.media.containers.parts import find_parts, view
from trio_stream.media.containers.streams import film_in, is_flagged, pictures_of, sounds_in
from trio_stream.media.formats import facts
from trio_stream.media.formats.codecs import (
    HLG,
    PQ,
    PRIMARIES,
    TRANSFERS,
    Coding,
    audio_codec_string,
    video_codec_string,
)
from trio_stream.media.jobs import MediaFile, Reply, Unreadable


def probe(file: MediaFile, options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    """`Facts.to_json` of the file. Option `scan_bytes`: how much to read for keyframes. Raises `Unreadable`."""
    scan_bytes = int(options.get("scan_bytes", SCAN_BYTES))
    begins = find_parts(file)
    found = _one(view(file, *begins[0]), scan_bytes)
    for begin, stop in begins[1:]:
        found = _joined(found, _one(view(file, begin, stop), scan_bytes))
        scan_bytes -= (stop or file.size or begin) - begin
    if len(begins) > 1:
        found = replace(found, bit_rate=_mean_bit_rate(file.size, found.duration))
    if not found.video and not found.audio:
        raise Unreadable("there is neither a picture nor a sound in it")
    return found.to_json()


def _one(file: MediaFile, scan_bytes: int) -> facts.Facts:
    with open_described(file) as container:
        try:
            return _facts(container, file, max(0, scan_bytes))
        except av.error.FFmpegError as error:
            raise Unreadable(f"it is damaged: {printable(error.strerror or str(error))}") from None


def _joined(first: facts.Facts, other: facts.Facts) -> facts.Facts:
    """What is known of a file whose parts these are, one behind the other: tracks are those of the first."""
    begins = first.duration or 0.0
    keyframes, more = first.keyframes, other.keyframes
    if keyframes is not None and keyframes.until is None and more is not None:
        times = (*keyframes.times, *(seconds(time + begins) for time in more.times))
        until = None if more.until is None else seconds(more.until + begins)
        keyframes = facts.Keyframes(keyframes.track, times[: facts.KEYFRAME_LIMIT], until)
    return replace(first, duration=seconds(begins + (other.duration or 0.0)), keyframes=keyframes)


def _facts(container: av.container.InputContainer, file: MediaFile, scan_bytes: int) -> facts.Facts:
    name = container_name(container, file)
    streams = list(container.streams)[: facts.TRACK_LIMIT]
    film = film_in(container)
    pictures = sorted(
        (each for each in streams if isinstance(each, VideoStream)), key=lambda each: pictures_of(each).rank
    )
    video = [each for each in pictures if each is film or not pictures_of(each).still]
    cover = next((each for each in sorted(pictures, key=_is_no_cover) if each not in video), None)
    audio = [each for each in sounds_in(container) if each.index < facts.TRACK_LIMIT]
    subtitles = [each for each in streams if isinstance(each, SubtitleStream)]
    span = span_of(container, file, name, {each.id for each in (*video[:1], *audio)})
    start, duration = span.start, span.duration
    described = [describe_video(each, name) for each in video]
    others = {each.index: each.kind for each in text_tracks_of(container, file)}
    described_subtitles = [_subtitle(each) for each in subtitles if each.index not in others]
    described_subtitles += [
        _text_of_mp4(each, others[each.index]) for each in streams if each.index in others
    ]
    keyframes = None
    if described:
        scan = Scan(container, file, video[0], name, start, duration)
        keyframes = scan.keyframes(scan_bytes)
        duration = duration or scan.end
        if (uneven := are_uneven(scan.moments)) is not None:
            described[0] = replace(described[0], variable_frame_rate=uneven)
    duration, until = found_until(file, name, span, duration)
    if until is not None and keyframes is not None:
        keyframes = replace(keyframes, times=tuple(each for each in keyframes.times if each < until))
    return facts.Facts(
        container=name,
        start=round(min(start, facts.LARGEST / 2), 3),
        duration=None if duration is None else seconds(duration),
        until=None if until is None else seconds(until),
        recoded=span.recoded,
        bit_rate=_positive(container.bit_rate) or _mean_bit_rate(file.size, duration),
        title=_text(container.metadata.get("title")),
        video=tuple(described),
        audio=tuple(describe_audio(each) for each in audio),
        subtitles=tuple(sorted(described_subtitles, key=lambda each: each.index)),
        chapters=tuple(_chapters(container, start, duration)),
        keyframes=keyframes,
        cover=cover.index if cover is not None else None,
    )


def describe_video(stream: VideoStream, container: str, entry: str = "") -> facts.VideoTrack:
    """What is known of a track that lies in a `container`, or is to lie in a sample entry of the kind `entry`."""
    context: VideoCodecContext | None = stream.codec_context
    metadata = stream.metadata
    mean, lowest = rational(stream.average_rate), rational(stream.guessed_rate)
    shown = (mean.limit_denominator(1_000_000), rational(stream.base_rate)) if mean else None
    common: dict[str, Any] = {
        "index": stream.index,
        "frame_rate": shown[0] if shown else lowest,
        "variable_frame_rate": bool(shown and shown[1] and _differ(shown[0], shown[1])),
        "rotation": 0,
        "language": _language(stream),
        "title": _text(metadata.get("title")),
        "default": is_flagged(stream, Disposition.default),
    }
    if context is None:  # FFmpeg knows no decoder of it, and no name
        nothing: dict[str, Any] = dict.fromkeys(
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
        return facts.VideoTrack(
            codec="unknown", width=0, height=0, pixel_aspect=Fraction(1), **(nothing | common)
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
    return facts.VideoTrack(
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
        bit_rate=_positive(context.bit_rate),
        **common,
    )


def _hdr(coding: Coding) -> facts.Hdr | None:
    if coding.dolby_vision is not None or coding.tag in {"dvh1", "dvhe", "dva1", "dvav", "dav1"}:
        return "Dolby Vision"
    kinds: dict[int, facts.Hdr] = {PQ: "HDR10", HLG: "HLG"}
    return kinds.get(coding.transfer)


def _differ(mean: Fraction, base: Fraction) -> bool:
    """Whether the rates tell of pictures of unequal length; the base rate of interlaced video counts its fields."""
    ratio = base / mean
    return abs(ratio - 1) > Fraction(1, 50) and abs(ratio - 2) > Fraction(1, 50)


def rotation(matrix: bytes) -> int:
    """Degrees clockwise, of a display matrix (ISO/IEC 14496-12 section 8.3.2) in the order of this machine.

    Of one that mirrors as well, those that are left once the pictures are mirrored, left to right or top to bottom: at
    most a quarter. So what is only mirrored is not turned.
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


def describe_audio(stream: AudioStream) -> facts.AudioTrack:
    context: AudioCodecContext | None = stream.codec_context
    common: dict[str, Any] = {
        "index": stream.index,
        "language": _language(stream),
        "title": _text(stream.metadata.get("title")),
        "default": is_flagged(stream, Disposition.default),
    }
    if context is None:
        return facts.AudioTrack(
            codec="unknown", codec_string=None, profile=None, channels=0, layout=None, sample_rate=0,
            bit_rate=None, **common,
        )  # fmt: skip
    codec, profile = context.codec.canonical_name, context.profile
    return facts.AudioTrack(
        codec=codec,
        codec_string=audio_codec_string(
            codec, profile=profile, extradata=context.extradata or b"", sample_rate=context.sample_rate
        ),
        profile=profile,
        channels=max(0, context.layout.nb_channels),
        layout=context.layout.name or None,
        sample_rate=max(0, context.sample_rate),
        bit_rate=_positive(context.bit_rate),
        **common,
    )


def _subtitle(stream: SubtitleStream) -> facts.SubtitleTrack:
    context: CodecContext | None = stream.codec_context
    codec = context.codec if context is not None else None
    if codec is None:
        return _described_subtitle(stream, "unknown", text=False)
    return _described_subtitle(stream, codec.canonical_name, text=codec.text_sub)


def _text_of_mp4(stream: Stream, kind: str) -> facts.SubtitleTrack:
    """WebVTT in MP4, which is read; TTML, which neither FFmpeg nor this can show."""
    return _described_subtitle(stream, "webvtt" if kind == "wvtt" else "ttml", text=kind == "wvtt")


def _described_subtitle(stream: Stream, codec: str, *, text: bool) -> facts.SubtitleTrack:
    return facts.SubtitleTrack(
        index=stream.index,
        codec=codec,
        text=text,
        language=_language(stream),
        title=_text(stream.metadata.get("title")),
        forced=is_flagged(stream, Disposition.forced),
        hearing_impaired=is_flagged(stream, Disposition.hearing_impaired),
        default=is_flagged(stream, Disposition.default),
    )


def _chapters(
    container: av.container.InputContainer, start: float, duration: float | None
) -> Iterator[facts.Chapter]:
    """Chapters, none of which goes on behind the end."""
    last = math.inf if duration is None else seconds(duration)
    for chapter in container.chapters()[: facts.CHAPTER_LIMIT]:
        base = rational(chapter["time_base"]) or Fraction(0)
        begin, end = (
            seconds(float(chapter["start"] * base) - start),
            seconds(float(chapter["end"] * base) - start),
        )
        if begin < last:
            yield facts.Chapter(begin, min(max(begin, end), last), _text(chapter["metadata"].get("title")))


def _mean_bit_rate(size: int | None, duration: float | None) -> int | None:
    return int(size * 8 / duration) if size and duration else None


def _is_no_cover(stream: Stream) -> bool:
    return not is_flagged(stream, Disposition.attached_pic)


def _positive(value: int | None) -> int | None:
    return value if value is not None and 0 < value < 1 << 40 else None


def _language(stream: Stream) -> str | None:
    return language_of(_text(stream.language))


def _text(value: str | None) -> str | None:
    """Words of the file's; those that are no UTF-8 are taken for Latin-1."""
    if value and not value.isascii():
        raw = value.encode("utf-8", "surrogateescape")
        try:
            value = raw.decode()
        except UnicodeDecodeError:
            value = raw.decode("latin-1")
    return printable(value, facts.TEXT_LIMIT) or None if value else None


def _tag(tag: str) -> str:
    return tag if re.fullmatch(r"[ -~]{4}", tag or "") else ""
