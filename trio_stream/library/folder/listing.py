"""The names of all videos, as the folders are now; a folder is read again only if it changed.

The times of a folder change when a name in it comes, goes or changes (POSIX.1-2024, "File Times Update"). So what was
read of it holds while its times are the same, unless they are so fresh that the next change may leave them as they are.
What links in it lead to may change without it: a folder with links is read each time.
"""

import errno
import os
import stat
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio

from trio_stream.errors import LibraryAway
from trio_stream.http.media_types import media_type
from trio_stream.library.folder.walking import Missing, Unread, below, read_folder
from trio_stream.library.naming.paths import natural_key

SETTLED = 2.0
"""Seconds after which a second change has another time than the first: FAT counts in steps of two."""

KEPT = 200_000
"""Names that are remembered at most; once there are more, the remaining folders are read each time."""

type State = tuple[int, int, int, int]
"""Device, inode, and the times of modification and change, of a folder."""


@dataclass(frozen=True, slots=True)
class Video:
    """A file of the library: `size` in bytes, `mtime_ns` in nanoseconds since the epoch."""

    name: str
    size: int
    mtime_ns: int
    media_type: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was read of a folder in this state."""

    state: State
    videos: Sequence[str]
    subfolders: Sequence[str]


class Listing:
    """The videos below `root`. Raises `LibraryAway` when the folder cannot be read, `TooManyFiles`."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._limiter = trio.CapacityLimiter(1)
        self._reading = trio.Lock()
        self._reads = 0
        self._folders: dict[str, _Kept] = {}
        self._unsorted: list[str] = []
        self._names: Sequence[str] = ()

    async def names(self) -> Sequence[str]:
        """All names, sorted naturally. Those who ask meanwhile share the next reading: it begins after they asked."""
        # A reading that is under way may have passed the folder in which something was put a moment ago. So who comes
        # meanwhile waits for the next one, which all of them share.
        wanted = self._reads + (2 if self._reading.locked() else 1)
        async with self._reading:
            if self._reads < wanted:
                await trio.to_thread.run_sync(self.read, limiter=self._limiter)
                self._reads += 1
            return self._names

    async def details(self, names: Sequence[str]) -> list[Video]:
        """What there is of these names now, in their order."""
        return await trio.to_thread.run_sync(partial(_details, self._root, names), limiter=self._limiter)

    def read(self) -> Sequence[str]:
        """As `names`, in a thread; one at a time."""
        before, self._folders = self._folders, {}
        left = KEPT
        names: list[str] = []
        seen: set[tuple[int, int]] = set()
        waiting = [""]
        while waiting:
            name = waiting.pop()
            try:
                kept, holds = self._folder(name, before.get(name))
            except (Missing, Unread) as error:
                if not name:
                    raise LibraryAway(str(error) or os.strerror(errno.ENOENT)) from error
                continue
            if kept.state[:2] in seen:  # links may make a circle
                continue
            seen.add(kept.state[:2])
            left -= 1 + len(kept.videos)
            if holds and left >= 0:  # the first so many and not the last used: all of them are used each time
                self._folders[name] = kept
            names += kept.videos
            waiting += reversed(kept.subfolders)
        if names != self._unsorted:
            self._unsorted, self._names = names, sorted(names, key=natural_key)
        return self._names

    def _folder(self, name: str, kept: _Kept | None) -> tuple[_Kept, bool]:
        """What is in a folder, and whether that holds while its state does. Raises `Missing`, `Unread`."""
        if kept is not None:
            with suppress(OSError):
                if kept.state == _state(os.stat(os.path.join(self._root, name))):
                    return kept, True
        folder = read_folder(self._root, name)
        videos = [file.name for file in folder.videos]
        age = time.time() - max(folder.status.st_mtime, folder.status.st_ctime)
        holds = age > SETTLED and not folder.links and not folder.unread
        return _Kept(_state(folder.status), videos, folder.subfolders), holds


def _state(status: os.stat_result) -> State:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def _details(root: str, names: Sequence[str]) -> list[Video]:
    found = []
    for name in names:
        path = os.path.join(root, name)
        with suppress(OSError):  # it has gone meanwhile
            status = os.stat(path)
            if stat.S_ISREG(status.st_mode) and below(root, os.path.realpath(path)):
                found.append(Video(name, status.st_size, status.st_mtime_ns, media_type(name) or ""))
    return found
