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
from typing import Self

import trio

from trio_stream.errors import LibraryAway, VideoNotFound
from trio_stream.files import OpenFile
from trio_stream.http.media_types import media_type
from trio_stream.library.folder.content import Revisions
from trio_stream.library.folder.openat2 import CachedOpener
from trio_stream.library.folder.walking import below, opening
from trio_stream.library.naming.paths import is_plain

READING = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
"""What turns out to be a pipe or a terminal neither keeps anybody waiting nor becomes ours; then it is refused."""


@dataclass(frozen=True, slots=True)
class OpenVideo:
    """A video and its open file; `revision` is of the state `status`."""

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
    """The videos below `root`, with at most `threads` threads that open them."""

    def __init__(self, root: Path, threads: int = 8) -> None:
        self._root = os.path.realpath(root)
        self._within = os.path.join(self._root, "")
        """How every real path within begins, made once: this is on the way of every range."""
        self._limiter = trio.CapacityLimiter(threads)
        self._cached = CachedOpener()
        self._revisions = Revisions(self._limiter)

    async def check(self) -> None:
        """Raise `LibraryAway` unless the folder can be read."""
        await trio.to_thread.run_sync(_check, self._root, limiter=self._limiter)

    async def open(self, name: str) -> OpenVideo:
        """Open the video `name`. Raises `VideoNotFound`, `LibraryAway`, `TooManyFiles`."""
        kind = media_type(name)
        if kind is None or not is_plain(name):
            raise VideoNotFound("there is no such video")
        file = self._open_cached(name)
        if file is None:
            # Never abandoned: a cancelled caller gets what the thread opened first, and so it has an owner.
            file = await trio.to_thread.run_sync(_open, self._root, name, limiter=self._limiter)
        try:
            status, revision = await self._revisions.of(file.fd)
        except BaseException:
            file.close()
            raise
        return OpenVideo(name, kind, file, status, revision)

    def _open_cached(self, name: str) -> OpenFile | None:
        """As `open_file`, from memory; None for a thread to find out."""
        handle = self._cached.open(self._within + name)
        if handle is None:
            return None
        # A handle (`O_PATH`) first: it does nothing to what it names, which may be a pipe or a device. The file is
        # opened through it, so it is the very one that was looked at, whatever has its name by then.
        try:
            fd = handle.fd
            same = f"/proc/self/fd/{fd}"
            if stat.S_ISREG(os.fstat(fd).st_mode) and os.readlink(same).startswith(self._within):
                return OpenFile(os.open(same, READING))
        except OSError:
            pass  # the thread finds out what is wrong, and says so
        finally:
            handle.close()
        return None


def _check(root: str) -> None:
    """Takes no descriptor: there may be none."""
    try:
        os.stat(os.path.join(root, ""))  # with a slash at its end, only a folder has that name
    except OSError as error:
        raise LibraryAway(error.strerror or str(error)) from error
    if not os.access(root, os.R_OK | os.X_OK):
        raise LibraryAway(os.strerror(errno.EACCES))


def _open(root: str, name: str) -> OpenFile:
    try:
        return open_file(root, name)
    except VideoNotFound:
        _check(root)  # nothing is known of a video whose folder is away
        raise


def open_file(root: str, name: str) -> OpenFile:
    """Open the regular file `name` below the real path `root`. Raises `VideoNotFound`, `TooManyFiles`, or `OSError`
    for an error of the disk.
    """
    path = os.path.join(root, name)
    try:
        # Looked at before it is opened: opening a device or a pipe can do something.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise VideoNotFound("there is no such video")
        with opening():
            file = OpenFile(os.open(path, READING))
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EIO:
            raise  # nothing is known of the video: it is not one that is not there
        raise VideoNotFound("there is no such video") from None
    try:
        # Asked of what is open and not of its name, which another file, or a link, may have by now.
        if not stat.S_ISREG(os.fstat(file.fd).st_mode) or not below(root, _real_path(file.fd, path)):
            raise VideoNotFound("there is no such video")
    except BaseException:
        file.close()
        raise
    return file


def _real_path(fd: int, path: str) -> str:
    """Where the file behind `fd` really is; a deleted one is nowhere."""
    if sys.platform == "linux":
        return os.readlink(f"/proc/self/fd/{fd}")
    if sys.platform == "darwin":
        return os.fsdecode(fcntl.fcntl(fd, fcntl.F_GETPATH, b"\0" * 1024).rstrip(b"\0"))
    return os.path.realpath(path)
