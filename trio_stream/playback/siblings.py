"""Which files are the same film in other sizes, by their names: "Film.1080p.mp4" and "Film.720p.mp4" in one folder.

The rule for names is pure; who belongs to whom is asked of the database, for manifests alone.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from trio_stream.store.tables import videos

MOST = 12
"""Files of one title."""

# A height in lines with the separator before it, or in brackets, at the end of the stem.
_SIZE = re.compile(
    r"(?:[ ._-]+(?P<plain>\d{3,4})[pi]|[ ._-]*[(\[](?P<bracketed>\d{3,4})[pi][)\]])\Z", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Sibling:
    """A file of a title: `height` in lines is what its name says."""

    id: str
    revision: str
    name: str
    height: int


def title_and_height(name: str) -> tuple[str, int] | None:
    """What a name has in common with its siblings, and how many lines it says its pictures have."""
    stem, _ = os.path.splitext(name)
    found = _SIZE.search(stem)
    if found is None or found.start() == stem.rfind("/") + 1:
        return None
    return stem[: found.start()].casefold(), int(found["plain"] or found["bracketed"])


def siblings(connection: Connection, id_: str) -> Sequence[Sibling]:
    """The files of the title to which this video belongs, itself with them, the largest first; none if it is alone."""
    row = connection.execute(
        select(videos.c.path, videos.c.folder).where(videos.c.id == id_, videos.c.missing_since.is_(None))
    ).one_or_none()
    if row is None or (mine := title_and_height(os.fsdecode(row.path))) is None:
        return ()
    near = connection.execute(
        select(videos.c.id, videos.c.revision, videos.c.path).where(
            videos.c.folder == row.folder, videos.c.missing_since.is_(None)
        )
    )
    found = []
    for each in near:
        name = os.fsdecode(each.path)
        theirs = title_and_height(name)
        if theirs is not None and theirs[0] == mine[0]:
            found.append(Sibling(each.id, each.revision, name, theirs[1]))
    found.sort(key=lambda sibling: (-sibling.height, sibling.name))
    return found[:MOST] if len(found) > 1 else ()
