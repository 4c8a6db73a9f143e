"""Opening a video safely.

What is opened is a regular file whose real path lies below the real path of the folder: that is asked of the open
descriptor, so nothing can be swapped in between. Every other name, whatever is wrong with it, is a video that is
not there. What waits for the disk runs in worker threads under the catalog's own limiter; a path that the kernel has
in memory is opened without.
"""

import errno
import fcntl
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

import trio

from trio_stream.errors import LibraryAway, VideoNotFound
from trio_stream.http.media_types import media_type
from trio_stream.library.folder.content import Revisions
from trio_stream.library.folder.openat2 import CachedOpener
from trio_stream.library.folder.walking import below, opening
from trio_stream.library.naming.paths import is_plain

READING = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


@dataclass(frozen=True, slots=True)
class OpenVideo:
    """A video and a descriptor of it, which belongs to whoever asked for it; `revision` is of the state `status`."""

    name: str
    media_type: str
    fd: int
    status: os.stat_result
    revision: str


class Catalog:
    """The videos below `root`, with at most `threads` threads that open them."""

    def __init__(self, root: Path, threads: int = 8) -> None:
        self._root = os.path.realpath(root)
        self._limiter = trio.CapacityLimiter(threads)
        self._cached = CachedOpener()
        self._revisions = Revisions(self._limiter)

    async def check(self) -> None:
        """Raise `LibraryAway` unless the folder can be read."""
        await trio.to_thread.run_sync(_check, self._root, limiter=self._limiter)

    async def open(self, name: str) -> OpenVideo:
        """Open the video `name`; the caller owns the descriptor.

        Raises `VideoNotFound`, `LibraryAway`, `TooManyFiles`.
        """
        kind = media_type(name)
        if kind is None or not is_plain(name):
            raise VideoNotFound("there is no such video")
        fd = self._open_cached(name)
        if fd is None:
            fd = await trio.to_thread.run_sync(_open, self._root, name, limiter=self._limiter)
        try:
            status, revision = await self._revisions.of(fd)
        except BaseException:
            os.close(fd)
            raise
        return OpenVideo(name, kind, fd, status, revision)

    def _open_cached(self, name: str) -> int | None:
        """As `open_file`, from memory; None for a thread to find out."""
        handle = self._cached.open(os.path.join(self._root, name))
        if handle is None:
            return None
        try:
            same = f"/proc/self/fd/{handle}"
            if not stat.S_ISREG(os.fstat(handle).st_mode) or not below(self._root, os.readlink(same)):
                return None
            return os.open(same, READING)
        except OSError:
            return None
        finally:
            os.close(handle)


def _check(root: str) -> None:
    """Takes no descriptor: there may be none."""
    try:
        os.stat(os.path.join(root, ""))  # with a slash at its end, only a folder has that name
    except OSError as error:
        raise LibraryAway(error.strerror or str(error)) from error
    if not os.access(root, os.R_OK | os.X_OK):
        raise LibraryAway(os.strerror(errno.EACCES))


def _open(root: str, name: str) -> int:
    try:
        return open_file(root, name)
    except VideoNotFound:
        _check(root)  # nothing is known of a video whose folder is away
        raise


def open_file(root: str, name: str) -> int:
    """A descriptor of the regular file `name` below the real path `root`. Raises `VideoNotFound`, `TooManyFiles`, or
    `OSError` for an error of the disk.
    """
    path = os.path.join(root, name)
    try:
        # Looked at before it is opened: opening a device or a pipe can do something.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise VideoNotFound("there is no such video")
        with opening():
            fd = os.open(path, READING)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EIO:
            raise
        raise VideoNotFound("there is no such video") from None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode) or not below(root, _real_path(fd, path)):
            raise VideoNotFound("there is no such video")
    except BaseException:
        os.close(fd)
        raise
    return fd


def _real_path(fd: int, path: str) -> str:
    """Where the file behind `fd` really is; a deleted one is nowhere."""
    if sys.platform == "linux":
        return os.readlink(f"/proc/self/fd/{fd}")
    if sys.platform == "darwin":
        return os.fsdecode(fcntl.fcntl(fd, fcntl.F_GETPATH, b"\0" * 1024).rstrip(b"\0"))
    return os.path.realpath(path)
