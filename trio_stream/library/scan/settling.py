"""Decides which files have settled and can be added: as far as we can see, no program is writing to them any more.

Folders with unsettled files are scanned again later, and so are folders whose scan failed.
"""

import time
from collections.abc import Iterable
from math import inf

import trio

from trio_stream.library.folder.content import Identity, bytes_of
from trio_stream.library.folder.walking import File
from trio_stream.library.records.folders import RecordedVideo

SETTLE_TIME = 2.0
"""Seconds that a file must stay unchanged before it is added."""

RETRY = 60.0
"""Seconds after which a folder is tried again if its scan failed."""

MAX_LOST = 10_000
"""Recently lost videos that are remembered."""

MAX_UNSETTLED = 10_000
"""Unsettled files that are remembered. If there are more, all must settle again."""


class Settling:
    """Remembers which files had not settled when they were last seen. `seconds` is how long settling takes."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._unsettled: dict[str, tuple[str, float]] = {}
        """Files that may still be written to: the state in which they were seen, and since when."""
        self._lost: set[str] = set()
        """The bytes of recently lost videos. A file that has them was renamed and is not being written to."""

    def is_settled(self, file: File) -> bool:
        """Whether no program writes to the file any more.

        One of these is true: its inode changed long enough ago; it has been seen unchanged for long enough, if the
        clock that sets the inode's time is not ours; or it is a renamed video.
        """
        identity, now = Identity.of(file.status), trio.current_time()
        seen, since = self._unsettled.get(file.name, ("", now))
        if seen != identity.signature:
            since = now
        age = max(time.time() - file.status.st_ctime, now - since)
        if age >= self.seconds or identity.bytes in self._lost:
            self._unsettled.pop(file.name, None)
            return True
        if len(self._unsettled) >= MAX_UNSETTLED:
            self._unsettled.clear()
        self._unsettled[file.name] = identity.signature, since
        return False

    def remember_lost(self, videos: Iterable[RecordedVideo]) -> None:
        """Remember videos that are gone from their paths. A file with the same bytes is one of them, renamed."""
        if len(self._lost) > MAX_LOST:
            self._lost.clear()
        self._lost.update(bytes_of(video.signature) for video in videos)


class RescanQueue:
    """Folders to scan again, and when, by Trio's clock."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def once_settled(self, folder: str, seconds: float) -> None:
        """Scan `folder` again in `seconds`, when the files there may have settled."""
        self._due[folder] = trio.current_time() + seconds

    def after_failure(self, folder: str) -> None:
        """Scan `folder` again after a while. A time already set stays, or failures could postpone it forever."""
        self._due.setdefault(folder, trio.current_time() + RETRY)

    def next(self) -> float:
        """When the first folder is due; infinity if there is none."""
        return min(self._due.values(), default=inf)

    def take(self, now: float, changed: Iterable[str]) -> set[str]:
        """Remove and return the folders that are due, together with `changed`."""
        taken = {folder for folder, due in self._due.items() if due <= now} | set(changed)
        for folder in taken:
            self._due.pop(folder, None)
        return taken
