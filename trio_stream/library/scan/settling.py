"""Which files rest and may be taken up: nobody writes to them any more, as far as can be told from outside."""

import time
from collections.abc import Iterable

import trio

from trio_stream.library.folder.content import Identity, bytes_of
from trio_stream.library.folder.walking import File
from trio_stream.library.records.folders import KnownVideo

REST = 2.0
"""Seconds for which a file has to stay as it is before it is taken up."""

MOST_LOST = 10_000
"""Videos remembered as lost lately."""

MOST_RESTLESS = 10_000
"""Files remembered as not at rest; of more, all are to rest anew."""


class Resting:
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

    def remember_lost(self, videos: Iterable[KnownVideo]) -> None:
        """These videos have gone from where they were; what has their bytes now is one of them."""
        if len(self._lost) > MOST_LOST:
            self._lost.clear()
        self._lost.update(bytes_of(video.signature) for video in videos)
