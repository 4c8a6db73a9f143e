"""Which videos are versions of one title, by their names or by a title file (pure).

    Film.1080p.mp4    Film.720p.mp4    Film - 480p.mkv    Film (2160p).mp4

Invariant: the family of a video follows from its name and from title files alone, regardless of which other videos
exist. So folders can be scanned in any order.
"""

import os
import re
from dataclasses import dataclass

from trio_stream.library.naming.paths import place

LONGEST_TITLE = 500
"""Characters of a title."""

MAX_VERSIONS = 12
"""The most files of one title; any further ones are separate videos."""

# The resolution: a height in lines at the end of the stem, after a separator or in brackets.
_RESOLUTION = re.compile(
    r"(?:[ ._-]+(?P<plain>\d{3,4})[pi]|[ ._-]*[(\[](?P<bracketed>\d{3,4})[pi][)\]])\Z", re.IGNORECASE
)

_NAMED, _LISTED = "n", "t"


@dataclass(frozen=True, slots=True)
class Membership:
    """The family of a video, and its rank there: the present member with the lowest `rank` leads."""

    family: str
    rank: int


def title_and_height(name: str) -> tuple[str, int] | None:
    """The name without its resolution, and that resolution: the height of the video in lines."""
    stem, suffix = os.path.splitext(name)
    match = _RESOLUTION.search(stem)
    if match is None or match.start() == stem.rfind("/") + 1:
        return None
    return stem[: match.start()] + suffix, int(match["plain"] or match["bracketed"])


def membership_by_name(name: str) -> Membership | None:
    """The family of the videos in one folder whose names differ only in the resolution; the highest leads."""
    stem_and_height = title_and_height(name)
    if stem_and_height is None:
        return None
    folder, _, last = os.path.splitext(stem_and_height[0])[0].rpartition("/")
    return Membership(_NAMED + place(f"{folder}/{last.casefold()}"), -stem_and_height[1])


def membership_by_title_file(key: str, position: int) -> Membership:
    """The family of the videos that a title file lists, led by the first; `key` is the `place` of the title file."""
    return Membership(_LISTED + key, position)


def title_file_of(family: str) -> str | None:
    """The `place` of the title file that defines a family, if there is one."""
    return family.removeprefix(_LISTED) if family.startswith(_LISTED) else None
