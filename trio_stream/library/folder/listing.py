"""The names of all videos, read from the folders as they are now. A folder is read again only if it changed.

The times of a folder change when a name in it is added, removed or changed (POSIX.1-2024, "File Times Update"). So its
names stay valid while its times are the same, unless the times are so recent that the next change may not alter them.
The targets of links can change without the folder, so a folder with links is read each time.
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
from trio_stream.library.folder.walking import Missing, Unread, is_below, read_folder
from trio_stream.library.naming.paths import natural_key

SETTLED = 2.0
"""Seconds after which a further change is sure to get another time: FAT rounds times to two seconds."""

MAX_NAMES = 200_000
"""The most names that are remembered. If there are more, the remaining folders are read each time."""

type State = tuple[int, int, int, int]
"""Device, inode, modification time and change time of a folder."""


@dataclass(frozen=True, slots=True)
class Video:
    """A file of the library: `size` in bytes, `mtime_ns` in nanoseconds since the epoch."""

    name: str
    size: int
    mtime_ns: int
    media_type: str


@dataclass(frozen=True, slots=True)
class _FolderListing:
    """The contents of a folder, read in this state."""

    state: State
    videos: Sequence[str]
    subfolders: Sequence[str]


class Listing:
    """The videos below `root`. Raises `LibraryAway` if the folder cannot be read, and `TooManyFiles`."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._limiter = trio.CapacityLimiter(1)
        self._reading = trio.Lock()
        self._reads = 0
        self._folders: dict[str, _FolderListing] = {}
        self._unsorted: list[str] = []
        self._names: Sequence[str] = ()

    async def names(self) -> Sequence[str]:
        """All names, in natural order. Concurrent callers share one read, which starts after their calls."""
        # A running read may already have passed a folder that just changed. So callers that arrive during it wait for
        # the next read, and share it.
        wanted = self._reads + (2 if self._reading.locked() else 1)
        async with self._reading:
            if self._reads < wanted:
                await trio.to_thread.run_sync(self.read, limiter=self._limiter)
                self._reads += 1
            return self._names

    async def details(self, names: Sequence[str]) -> list[Video]:
        """The videos of these names that exist now, in the same order."""
        return await trio.to_thread.run_sync(partial(_details, self._root, names), limiter=self._limiter)

    def read(self) -> Sequence[str]:
        """Read all names. Runs in a thread, one at a time."""
        before, self._folders = self._folders, {}
        remaining = MAX_NAMES
        names: list[str] = []
        seen: set[tuple[int, int]] = set()
        pending = [""]
        while pending:
            name = pending.pop()
            try:
                listing, is_stable = self._folder(name, before.get(name))
            except (Missing, Unread) as error:
                if not name:
                    raise LibraryAway(str(error) or os.strerror(errno.ENOENT)) from error
                continue
            if listing.state[:2] in seen:  # links may form a loop
                continue
            seen.add(listing.state[:2])
            remaining -= 1 + len(listing.videos)
            if is_stable and remaining >= 0:  # no LRU: every read uses all of them
                self._folders[name] = listing
            names += listing.videos
            pending += reversed(listing.subfolders)
        if names != self._unsorted:
            self._unsorted, self._names = names, sorted(names, key=natural_key)
        return self._names

    def _folder(self, name: str, listing: _FolderListing | None) -> tuple[_FolderListing, bool]:
        """The contents of a folder, and whether they stay valid while its state does. Raises `Missing`, `Unread`."""
        if listing is not None:
            with suppress(OSError):
                if listing.state == _state(os.stat(os.path.join(self._root, name))):
                    return listing, True
        folder = read_folder(self._root, name)
        videos = [file.name for file in folder.videos]
        age = time.time() - max(folder.status.st_mtime, folder.status.st_ctime)
        is_stable = age > SETTLED and not folder.links and not folder.unread
        return _FolderListing(_state(folder.status), videos, folder.subfolders), is_stable


def _state(status: os.stat_result) -> State:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def _details(root: str, names: Sequence[str]) -> list[Video]:
    found = []
    for name in names:
        path = os.path.join(root, name)
        with suppress(OSError):  # the file is gone by now
            status = os.stat(path)
            if stat.S_ISREG(status.st_mode) and is_below(root, os.path.realpath(path)):
                found.append(Video(name, status.st_size, status.st_mtime_ns, media_type(name) or ""))
    return found
