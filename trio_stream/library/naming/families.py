"""Which videos are the same film, by their names or by a title file (pure).

    Film.1080p.mp4    Film.720p.mp4    Film - 480p.mkv    Film (2160p).mp4

Invariant: who is kin follows from a name and from what title files say of it alone, whoever else is there. So folders
can be looked at in any order.
"""

import os
import re
from dataclasses import dataclass

from trio_stream.library.naming.paths import place

LONGEST_TITLE = 500
"""Characters of a title."""

MOST = 12
"""Files of one title; further ones are videos of their own."""

# A height in lines with the separator before it, or in brackets, at the end of the stem.
_SIZE = re.compile(
    r"(?:[ ._-]+(?P<plain>\d{3,4})[pi]|[ ._-]*[(\[](?P<bracketed>\d{3,4})[pi][)\]])\Z", re.IGNORECASE
)

_NAMED, _LISTED = "n", "t"


@dataclass(frozen=True, slots=True)
class Kin:
    """To which family a video belongs; of those that are there, the one of the lowest `rank` leads."""

    family: str
    rank: int


def title_and_height(name: str) -> tuple[str, int] | None:
    """The name without its size, and how many lines it says its pictures have."""
    stem, suffix = os.path.splitext(name)
    found = _SIZE.search(stem)
    if found is None or found.start() == stem.rfind("/") + 1:
        return None
    return stem[: found.start()] + suffix, int(found["plain"] or found["bracketed"])


def by_name(name: str) -> Kin | None:
    """The family of those in one folder whose names differ in the size they say; the largest leads."""
    said = title_and_height(name)
    if said is None:
        return None
    folder, _, last = os.path.splitext(said[0])[0].rpartition("/")
    return Kin(_NAMED + place(f"{folder}/{last.casefold()}"), -said[1])


def by_title_file(key: str, position: int) -> Kin:
    """The family of those that a title file names, the first one leading; `key` is the `place` of the title file."""
    return Kin(_LISTED + key, position)


def title_file_of(family: str) -> str | None:
    """The `place` of the title file that makes a family, if one does."""
    return family.removeprefix(_LISTED) if family.startswith(_LISTED) else None
