"""The job "probe": what is in a media file, without decoding more of it than FFmpeg's parsers ask for.

It reads the index where the container has one. Where there is none, it reads packets from the beginning, up to a
bound, and says how far it came.
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

from trio_stream.media.containers.clock import found_until, span_of
from trio_stream.media.containers.keyframes import SCAN_BYTES, Scan, are_uneven, rational, seconds
from trio_stream.media.containers.movtext import text_tracks_of
from trio_stream.media.containers.opening import container_name, open_described, printable
from trio_stream.media.containers.parts import find_parts, view
from trio_stream.media.containers.streams import audio_streams, is_flagged, main_video_stream, video_traits
from trio_stream.media.containers.tracks import (
    describe_audio,
    describe_mp4_text,
    describe_subtitle,
    describe_video,
    positive,
    text_of,
)
from trio_stream.media.formats import media_info
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


def _one(file: MediaFile, scan_bytes: int) -> media_info.MediaInfo:
    with open_described(file) as container:
        try:
            return _media_info(container, file, max(0, scan_bytes))
        except av.error.FFmpegError as error:
            raise Unreadable(f"it is damaged: {printable(error.strerror or str(error))}") from None


def _joined(first: media_info.MediaInfo, other: media_info.MediaInfo) -> media_info.MediaInfo:
    """What is known of a file whose parts these are, one behind the other: tracks are those of the first."""
    begins = first.duration or 0.0
    keyframes, more = first.keyframes, other.keyframes
    if keyframes is not None and keyframes.until is None and more is not None:
        times = (*keyframes.times, *(seconds(time + begins) for time in more.times))
        until = None if more.until is None else seconds(more.until + begins)
        keyframes = media_info.Keyframes(keyframes.track, times[: media_info.KEYFRAME_LIMIT], until)
    return replace(first, duration=seconds(begins + (other.duration or 0.0)), keyframes=keyframes)


def _media_info(
    container: av.container.InputContainer, file: MediaFile, scan_bytes: int
) -> media_info.MediaInfo:
    name = container_name(container, file)
    streams = list(container.streams)[: media_info.TRACK_LIMIT]
    film = main_video_stream(container)
    pictures = sorted(
        (each for each in streams if isinstance(each, VideoStream)), key=lambda each: video_traits(each).rank
    )
    video = [each for each in pictures if each is film or not video_traits(each).still]
    cover = next((each for each in sorted(pictures, key=_is_no_cover) if each not in video), None)
    audio = [each for each in audio_streams(container) if each.index < media_info.TRACK_LIMIT]
    subtitles = [each for each in streams if isinstance(each, SubtitleStream)]
    span = span_of(container, file, name, {each.id for each in (*video[:1], *audio)})
    start, duration = span.start, span.duration
    described = [describe_video(each, name) for each in video]
    others = {each.index: each.kind for each in text_tracks_of(container, file)}
    described_subtitles = [describe_subtitle(each) for each in subtitles if each.index not in others]
    described_subtitles += [
        describe_mp4_text(each, others[each.index]) for each in streams if each.index in others
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
    return media_info.MediaInfo(
        container=name,
        start=round(min(start, media_info.LARGEST / 2), 3),
        duration=None if duration is None else seconds(duration),
        until=None if until is None else seconds(until),
        recoded=span.recoded,
        bit_rate=positive(container.bit_rate) or _mean_bit_rate(file.size, duration),
        title=text_of(container.metadata.get("title")),
        video=tuple(described),
        audio=tuple(describe_audio(each) for each in audio),
        subtitles=tuple(sorted(described_subtitles, key=lambda each: each.index)),
        chapters=tuple(_chapters(container, start, duration)),
        keyframes=keyframes,
        cover=cover.index if cover is not None else None,
    )


def _chapters(
    container: av.container.InputContainer, start: float, duration: float | None
) -> Iterator[media_info.Chapter]:
    """Chapters, none of which goes on behind the end."""
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


def _is_no_cover(stream: Stream) -> bool:
    return not is_flagged(stream, Disposition.attached_pic)
