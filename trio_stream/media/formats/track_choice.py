"""Choose which tracks of a file are played, and in which order they are offered (pure).

All code that chooses tracks uses this, so the media info, the poster, the thumbnails and the segments are of the same
track.

Motion video comes before still images, codecs that browsers play before others, tracks with the file's default flag
before the others, and then the first. Among audio tracks, commentaries and those for the visually or hearing impaired
come last, and the file's default flag decides among the others, as in ffmpeg, mpv and VLC.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

PLAYED_CODECS = frozenset({"h264", "hevc", "vp9", "av1"})
"""Video codecs, by FFmpeg's names, that some browser plays in fragmented MP4."""

IMAGE_CODECS = frozenset({"mjpeg", "png", "apng", "bmp", "gif", "webp", "tiff", "jpegls", "ljpeg"})
"""Image codecs. Some cameras record video with them; only the frame rate tells the difference."""

UNKNOWN = "unknown"
"""The name for a codec that FFmpeg does not support."""

STILL_IMAGE_RATE = Fraction(2)
"""Frames per second. A slower track of images holds still images: chapter images, slides, thumbnails."""

STILL_IMAGES = "this track holds still images, such as chapter images or slides, and no video"
"""Why still images are left out if something else can be played."""

ONE_VIDEO_TRACK = "only one video track is played at a time"
"""Why a playable video track is left out."""


@dataclass(frozen=True, slots=True)
class VideoTraits:
    """A video track: FFmpeg's name of its codec, its mean frame `rate` and its number of frames (None if unknown), and
    its flags. `attached`: a cover image, which has no time."""

    codec: str
    default: bool = False
    attached: bool = False
    rate: Fraction | None = None
    count: int | None = None

    @property
    def is_still(self) -> bool:
        """Whether it holds still images."""
        if self.attached:
            return True
        slow = self.rate is None or self.rate < STILL_IMAGE_RATE
        return self.codec in IMAGE_CODECS and (slow or self.count == 1)

    @property
    def rank(self) -> tuple[bool, ...]:
        """The track with the lowest rank is played."""
        unknown = self.codec == UNKNOWN
        return self.is_still, self.attached, self.codec not in PLAYED_CODECS, unknown, not self.default


@dataclass(frozen=True, slots=True)
class AudioTraits:
    """An audio track. `secondary`: flagged as a commentary, an audio description, or for the hard of hearing."""

    default: bool = False
    secondary: bool = False

    @property
    def rank(self) -> tuple[bool, ...]:
        """The track with the lowest rank is played first."""
        return self.secondary, not self.default


def main_video[Track](
    tracks: Iterable[Track], traits_of: Callable[[Track], VideoTraits], *, has_audio: bool
) -> Track | None:
    """Return the video track that is played, if there is one.

    Still images are played only if there is no audio; covers never.
    """
    best = min(((track, traits_of(track)) for track in tracks), key=lambda pair: pair[1].rank, default=None)
    if best is None or best[1].attached or (best[1].is_still and has_audio):
        return None
    return best[0]
