"""Which files rest and may be taken up: nobody writes to them any more, as far as can be told from outside.

What does not rest is looked at again later, as is what failed.
"""

import time
from collections.abc import Iterable
from math import inf

import trio

from trio_stream.library.folder.content import Identity, bytes_of
from trio_stream.library.folder.walking import File
from trio_stream.library.records.folders import RecordedVideo

REST = 2.0
"""Seconds for which a file has to stay as it is before it is taken up."""

RETRY = 60.0
"""Seconds after which what failed is tried again."""

MOST_LOST = 10_000
"""Videos remembered as lost lately."""

MOST_RESTLESS = 10_000
"""Files remembered as not at rest; of more, all are to rest anew."""


class Settling:
    """Remembers which files did not rest when they were seen last. `seconds` is how long a file has to rest."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._restless: dict[str, tuple[str, float]] = {}
        """Files that may be written to: the state in which they were seen, and since when."""
        self._lost: set[str] = set()
        """The bytes of videos that were lost lately: a file that has them was renamed, and nobody writes to it."""

    def rests(self, file: File) -> bool:
        """Whether nobody writes to the file any more.

        Its inode changed longer ago than a file has to rest, by the clock that wrote that down; or, where that clock
        is not ours, it has been seen as it is for as long; or it is a video under another name.
        """
        identity, now = Identity.of(file.status), trio.current_time()
        seen, since = self._restless.get(file.name, ("", now))
        if seen != identity.signature:
            since = now
        age = max(time.time() - file.status.st_ctime, now - since)
        if age >= self.seconds or identity.bytes in self._lost:
            self._restless.pop(file.name, None)
            return True
        if len(self._restless) >= MOST_RESTLESS:
            self._restless.clear()
        self._restless[file.name] = identity.signature, since
        return False

    def remember_lost(self, videos: Iterable[RecordedVideo]) -> None:
        """These videos have gone from where they were; what has their bytes now is one of them."""
        if len(self._lost) > MOST_LOST:
            self._lost.clear()
        self._lost.update(bytes_of(video.signature) for video in videos)


class RescanQueue:
    """Folders to look at once more, and when by Trio's clock."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}

    def once_settled(self, folder: str, seconds: float) -> None:
        """Look again in so many seconds, by when what is written there now may rest."""
        self._at[folder] = trio.current_time() + seconds

    def after_failure(self, folder: str) -> None:
        """Look again after a while; a time that is set already stays, or what fails often would be put off for ever."""
        self._at.setdefault(folder, trio.current_time() + RETRY)

    def next(self) -> float:
        """When the first of them is due; infinity if there is none."""
        return min(self._at.values(), default=inf)

    def take(self, now: float, heard: Iterable[str]) -> set[str]:
        """The folders that are due, with those that were heard of: none of them is to be looked at again then."""
        taken = {folder for folder, at in self._at.items() if at <= now} | set(heard)
        for folder in taken:
            self._at.pop(folder, None)
        return taken
