"""Which tracks of a file are played, and in which order they are offered (pure).

Everybody who has to choose asks here, so the facts, the poster, the previews and the segments are of the same track.

Pictures that move come before stills, what browsers play before what they do not, the tracks that the file flags as
default before the others, and then those that come first. Of sounds, commentaries and those for people who do not see
or hear well come last, and the file's default flag decides among the others, as in ffmpeg, mpv and VLC.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

PLAYED = frozenset({"h264", "hevc", "vp9", "av1"})
"""Codecs of pictures that some browser plays in fragmented MP4, as FFmpeg names them."""

IMAGES = frozenset({"mjpeg", "png", "apng", "bmp", "gif", "webp", "tiff", "jpegls", "ljpeg"})
"""Codecs of images. Cameras make films of them as well, which only their rate tells."""

UNKNOWN = "unknown"
"""The name of a codec that FFmpeg has none for."""

STILL_RATE = Fraction(2)
"""Images that come fewer times a second than that are stills: pictures of chapters, slides, thumbnails."""

ARE_STILLS = "its pictures are stills, as of chapters or slides: they are no film"
"""Why stills are left out where there is something else to be played."""

ONE_FILM = "one track of pictures is played at a time"
"""Why pictures are left out that could be played."""


@dataclass(frozen=True, slots=True)
class VideoTraits:
    """A track of pictures: `codec` as FFmpeg names it, the mean `rate` and the number of pictures where they are known,
    and what the file flags. `attached`: a cover, which is not shown in time."""

    codec: str
    default: bool = False
    attached: bool = False
    rate: Fraction | None = None
    count: int | None = None

    @property
    def still(self) -> bool:
        """Whether it is no film."""
        if self.attached:
            return True
        slow = self.rate is None or self.rate < STILL_RATE
        return self.codec in IMAGES and (slow or self.count == 1)

    @property
    def rank(self) -> tuple[bool, ...]:
        """The lower, the rather it is played."""
        unknown = self.codec == UNKNOWN
        return self.still, self.attached, self.codec not in PLAYED, unknown, not self.default


@dataclass(frozen=True, slots=True)
class AudioTraits:
    """A track of sound. `secondary`: flagged as a commentary, as an audio description, or for the hard of hearing."""

    default: bool = False
    secondary: bool = False

    @property
    def rank(self) -> tuple[bool, ...]:
        """The lower, the rather one begins with it."""
        return self.secondary, not self.default


def main_video[Track](
    tracks: Iterable[Track], look: Callable[[Track], VideoTraits], *, with_sound: bool
) -> Track | None:
    """The track of pictures that is played, where there is one. Stills are, if there is no sound to be played instead;
    covers are never."""
    best = min(((track, look(track)) for track in tracks), key=lambda each: each[1].rank, default=None)
    if best is None or best[1].attached or (best[1].still and with_sound):
        return None
    return best[0]
