"""Opens videos safely.

Only a regular file whose real path is below the real path of the folder is opened. That is checked on the open
descriptor, so the file cannot be swapped in between. Any other name raises `VideoNotFound`, whatever the reason. Disk
access runs in worker threads under the catalog's own limiter. A path that the kernel has in memory needs no thread.
"""

import errno
import fcntl
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import trio

from trio_stream.errors import LibraryAway, VideoNotFound
from trio_stream.files import OpenFile
from trio_stream.http.media_types import media_type
from trio_stream.library.folder.content import Revisions
from trio_stream.library.folder.openat2 import CachedOpener
from trio_stream.library.folder.walking import is_below, translate_too_many
from trio_stream.library.naming.paths import is_plain

OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
"""A pipe does not block the open, and a terminal does not become our controlling terminal. Both are refused later."""


@dataclass(frozen=True, slots=True)
class OpenVideo:
    """A video and its open file; `revision` belongs to the state `status`."""

    name: str
    media_type: str
    file: OpenFile
    status: os.stat_result
    revision: str

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class Catalog:
    """The videos below `root`. At most `threads` threads open them."""

    def __init__(self, root: Path, threads: int = 8) -> None:
        self._root = os.path.realpath(root)
        self._root_prefix = os.path.join(self._root, "")
        """The prefix of every real path in the folder. Computed once, because every range request needs it."""
        self._limiter = trio.CapacityLimiter(threads)
        self._cached = CachedOpener()
        self._revisions = Revisions(self._limiter)

    async def check(self) -> None:
        """Raise `LibraryAway` if the folder cannot be read."""
        await trio.to_thread.run_sync(_check, self._root, limiter=self._limiter)

    async def open(self, name: str) -> OpenVideo:
        """Open the video `name`. Raises `VideoNotFound`, `LibraryAway`, `TooManyFiles`."""
        kind = media_type(name)
        if kind is None or not is_plain(name):
            raise VideoNotFound("there is no such video")
        file = self._open_cached(name)
        if file is None:
            # Never abandoned on cancellation, so the opened file always has an owner.
            file = await trio.to_thread.run_sync(_open, self._root, name, limiter=self._limiter)
        try:
            status, revision = await self._revisions.of(file.fd)
        except BaseException:
            file.close()
            raise
        return OpenVideo(name, kind, file, status, revision)

    def _open_cached(self, name: str) -> OpenFile | None:
        """Like `open_file`, without waiting for the disk; None if a thread must open the file."""
        handle = self._cached.open(self._root_prefix + name)
        if handle is None:
            return None
        # An `O_PATH` handle comes first: it has no side effects on a pipe or a device. The file is opened through the
        # handle, so it is the one that was checked, even if the name refers to another file by then.
        try:
            fd = handle.fd
            link = f"/proc/self/fd/{fd}"
            if stat.S_ISREG(os.fstat(fd).st_mode) and os.readlink(link).startswith(self._root_prefix):
                return OpenFile(os.open(link, OPEN_FLAGS))
        except OSError:
            pass  # the thread will report what is wrong
        finally:
            handle.close()
        return None


def _check(root: str) -> None:
    """Raise `LibraryAway` if the folder cannot be read. Uses no descriptor: none may be left."""
    try:
        os.stat(os.path.join(root, ""))  # the trailing slash makes this fail for anything but a folder
    except OSError as error:
        raise LibraryAway(error.strerror or str(error)) from error
    if not os.access(root, os.R_OK | os.X_OK):
        raise LibraryAway(os.strerror(errno.EACCES))


def _open(root: str, name: str) -> OpenFile:
    try:
        return open_file(root, name)
    except VideoNotFound:
        _check(root)  # if the folder is away, the video may still exist
        raise


def open_file(root: str, name: str) -> OpenFile:
    """Open the regular file `name` below the real path `root`. Raises `VideoNotFound`, `TooManyFiles`, or `OSError`
    for a disk error.
    """
    path = os.path.join(root, name)
    try:
        # Checked before opening: opening a device or a pipe can have side effects.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise VideoNotFound("there is no such video")
        with translate_too_many():
            file = OpenFile(os.open(path, OPEN_FLAGS))
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EIO:
            raise  # a disk error does not mean that the video is missing
        raise VideoNotFound("there is no such video") from None
    try:
        # Checked on the descriptor: by now the name may refer to another file or a link.
        if not stat.S_ISREG(os.fstat(file.fd).st_mode) or not is_below(root, _real_path(file.fd, path)):
            raise VideoNotFound("there is no such video")
    except BaseException:
        file.close()
        raise
    return file


def _real_path(fd: int, path: str) -> str:
    """The real path of the open file `fd`. For a deleted file, it names no file."""
    if sys.platform == "linux":
        return os.readlink(f"/proc/self/fd/{fd}")
    if sys.platform == "darwin":
        return os.fsdecode(fcntl.fcntl(fd, fcntl.F_GETPATH, b"\0" * 1024).rstrip(b"\0"))
    return os.path.realpath(path)
