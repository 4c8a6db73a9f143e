"""The job "probe": read the media info of a file, decoding no more of it than FFmpeg's parsers need.

It reads the index if the container has one. Otherwise it reads packets from the beginning, up to a limit, and reports
how far it got.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
import av.container
import av.error
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from trio_stream.media.containers.clock import duration_and_end, span_of
from trio_stream.media.containers.keyframes import SCAN_BYTES, Scan, is_variable_frame_rate, rational, seconds
from trio_stream.media.containers.movtext import text_tracks_of
from trio_stream.media.containers.opening import container_name, open_described, printable
from trio_stream.media.containers.parts import find_parts, view
from trio_stream.media.containers.streams import audio_streams, is_flagged, main_video_stream, video_traits
from trio_stream.media.containers.tracks import (
    describe_audio,
    describe_mp4_text,
    describe_subtitle,
    describe_video,
    plausible_bit_rate,
    text_of,
)
from trio_stream.media.formats import media_info
from trio_stream.media.jobs import MediaFile, Reply, Unreadable


def probe(file: MediaFile, options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    """Return `MediaInfo.to_json`. Option `scan_bytes`: how much to read for keyframes. Raises `Unreadable`."""
    scan_bytes = int(options.get("scan_bytes", SCAN_BYTES))
    parts = find_parts(file)
    info = _probe_part(view(file, *parts[0]), scan_bytes)
    for begin, stop in parts[1:]:
        info = _append(info, _probe_part(view(file, begin, stop), scan_bytes))
        scan_bytes -= (stop or file.size or begin) - begin
    if len(parts) > 1:
        info = replace(info, bit_rate=_mean_bit_rate(file.size, info.duration))
    if not info.video and not info.audio:
        raise Unreadable("the file has no video and no audio track")
    return info.to_json()


def _probe_part(file: MediaFile, scan_bytes: int) -> media_info.MediaInfo:
    with open_described(file) as container:
        try:
            return _media_info(container, file, max(0, scan_bytes))
        except av.error.FFmpegError as error:
            raise Unreadable(f"the file is damaged: {printable(error.strerror or str(error))}") from None


def _append(first: media_info.MediaInfo, other: media_info.MediaInfo) -> media_info.MediaInfo:
    """Join the media info of two consecutive parts; the tracks are those of the first."""
    offset = first.duration or 0.0
    keyframes, more = first.keyframes, other.keyframes
    if keyframes is not None and keyframes.until is None and more is not None:
        times = (*keyframes.times, *(seconds(time + offset) for time in more.times))
        until = None if more.until is None else seconds(more.until + offset)
        keyframes = media_info.Keyframes(keyframes.track, times[: media_info.KEYFRAME_LIMIT], until)
    return replace(first, duration=seconds(offset + (other.duration or 0.0)), keyframes=keyframes)


def _media_info(
    container: av.container.InputContainer, file: MediaFile, scan_bytes: int
) -> media_info.MediaInfo:
    name = container_name(container, file)
    streams = list(container.streams)[: media_info.TRACK_LIMIT]
    main_video = main_video_stream(container)
    ranked = sorted(
        (stream for stream in streams if isinstance(stream, VideoStream)),
        key=lambda stream: video_traits(stream).rank,
    )
    video = [stream for stream in ranked if stream is main_video or not video_traits(stream).is_still]
    cover = next((stream for stream in sorted(ranked, key=_is_not_attached) if stream not in video), None)
    audio = [stream for stream in audio_streams(container) if stream.index < media_info.TRACK_LIMIT]
    subtitles = [stream for stream in streams if isinstance(stream, SubtitleStream)]
    span = span_of(container, file, name, {stream.id for stream in (*video[:1], *audio)})
    start, duration = span.start, span.duration
    described = [describe_video(stream, name) for stream in video]
    mp4_text = {track.index: track.kind for track in text_tracks_of(container, file)}
    described_subtitles = [describe_subtitle(stream) for stream in subtitles if stream.index not in mp4_text]
    described_subtitles += [
        describe_mp4_text(stream, mp4_text[stream.index]) for stream in streams if stream.index in mp4_text
    ]
    keyframes = None
    if described:
        scan = Scan(container, file, video[0], name, start, duration)
        keyframes = scan.keyframes(scan_bytes)
        duration = duration or scan.end
        if (variable := is_variable_frame_rate(scan.timestamps)) is not None:
            described[0] = replace(described[0], variable_frame_rate=variable)
    duration, until = duration_and_end(file, name, span, duration)
    if until is not None and keyframes is not None:
        keyframes = replace(keyframes, times=tuple(time for time in keyframes.times if time < until))
    return media_info.MediaInfo(
        container=name,
        start=round(min(start, media_info.LARGEST / 2), 3),
        duration=None if duration is None else seconds(duration),
        until=None if until is None else seconds(until),
        recoded=span.recoded,
        bit_rate=plausible_bit_rate(container.bit_rate) or _mean_bit_rate(file.size, duration),
        title=text_of(container.metadata.get("title")),
        video=tuple(described),
        audio=tuple(describe_audio(stream) for stream in audio),
        subtitles=tuple(sorted(described_subtitles, key=lambda track: track.index)),
        chapters=tuple(_chapters(container, start, duration)),
        keyframes=keyframes,
        cover=cover.index if cover is not None else None,
    )


def _chapters(
    container: av.container.InputContainer, start: float, duration: float | None
) -> Iterator[media_info.Chapter]:
    """Yield the chapters, shortened so that none reaches past the end."""
    last = math.inf if duration is None else seconds(duration)
    for chapter in container.chapters()[: media_info.CHAPTER_LIMIT]:
        base = rational(chapter["time_base"]) or Fraction(0)
        begin, end = (
            seconds(float(chapter["start"] * base) - start),
            seconds(float(chapter["end"] * base) - start),
        )
        if begin < last:
            yield media_info.Chapter(
                begin, min(max(begin, end), last), text_of(chapter["metadata"].get("title"))
            )


def _mean_bit_rate(size: int | None, duration: float | None) -> int | None:
    return int(size * 8 / duration) if size and duration else None


def _is_not_attached(stream: Stream) -> bool:
    return not is_flagged(stream, Disposition.attached_pic)
