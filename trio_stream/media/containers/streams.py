"""The tracks of an open container, in the order of `track_choice`."""

from collections.abc import Sequence
from typing import Any

import av.container
from av.audio.stream import AudioStream
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from trio_stream.media.containers.keyframes import rational
from trio_stream.media.formats.track_choice import UNKNOWN, AudioTraits, VideoTraits, main_video

SECONDARY = (
    Disposition.comment
    | Disposition.visual_impaired
    | Disposition.descriptions
    | Disposition.hearing_impaired
)


def is_flagged(stream: Stream, flags: Disposition) -> bool:
    """Whether the file gives the track one of these flags."""
    return bool(stream.disposition & flags)


def video_traits(stream: VideoStream) -> VideoTraits:
    """Return what the choice of tracks depends on, for a video track."""
    context: Any = stream.codec_context  # None if FFmpeg does not support the codec
    return VideoTraits(
        codec=UNKNOWN if context is None else context.codec.canonical_name,
        default=is_flagged(stream, Disposition.default),
        attached=is_flagged(stream, Disposition.attached_pic),
        rate=rational(stream.average_rate),
        count=stream.frames or None,
    )


def audio_traits(stream: AudioStream) -> AudioTraits:
    """Return what the choice of tracks depends on, for an audio track."""
    return AudioTraits(is_flagged(stream, Disposition.default), is_flagged(stream, SECONDARY))


def audio_streams(container: av.container.InputContainer) -> Sequence[AudioStream]:
    """Return the audio tracks, the preferred one first."""
    return sorted(container.streams.audio, key=lambda stream: audio_traits(stream).rank)


def main_video_stream(container: av.container.InputContainer) -> VideoStream | None:
    """Return the video track that is played, if there is one."""
    has_audio = len(container.streams.audio) > 0
    return main_video(container.streams.video, video_traits, has_audio=has_audio)
